# Shortcuts; `just` lists them. Everything works without just, too.

[private]
default:
    @just --list

# What must pass before a change is merged
ci:
    bash .ci/run

# The quick look while writing: types and lints
check:
    cargo clippy --locked --all-targets -- -D warnings

# All tests, or those of one module: `just test git_staged`
test module="":
    cargo test --locked {{ if module == "" { "" } else { "--test suite " + module + "::" } }}

# Format everything
fmt:
    cargo fmt

# Scan this repository with the program as it is now
scan *args:
    cargo run --locked --profile quick -- scan . {{ args }}

# Throughput of the parts
bench *args:
    cargo bench --locked --bench parts -- {{ args }}

# Whole processes beside other tools: `just compare FOLDER-OF-REPOSITORIES`
compare folder *args:
    cargo build --locked --release
    STANCH=target/release/stanch bash benches/compare.sh {{ args }} {{ folder }}

# The HTML report in Chromium
browser:
    bash tests/browser/html-report.sh

# The Python wheel, built and tried in a fresh virtual environment
wheel *args:
    bash packaging/wheel.sh {{ args }}

# The hooks for the pre-commit framework, tried with the real one
pre-commit: wheel
    bash packaging/pre-commit.sh dist

# The static program for Linux, packed into dist/ (needs musl-tools and the target of rustup)
musl target="x86_64-unknown-linux-musl" profile="release":
    bash packaging/archive.sh {{ target }} {{ profile }}

# The image from the static program
image: musl
    bash packaging/image.sh dist

# The manual (needs mdbook); its page of rules is written from the pack
book:
    cargo run --locked --quiet --example rule_reference > docs/src/rules.md
    mdbook build docs

# Build and install for yourself
install:
    cargo install --locked --path . --root ~/.local
