#!/usr/bin/env bash
# Builds the program for a target and packs it, with what belongs to it, into dist/.
#
#   packaging/archive.sh TARGET [PROFILE]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${1:?usage: packaging/archive.sh TARGET [PROFILE]}
profile=${2:-release}
cargo build --locked --profile "$profile" --target "$target" --bin stanch
folder=$profile
if [ "$profile" = dev ]; then folder=debug; fi
program=target/$target/$folder/stanch

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
name=stanch-$version-$target
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p dist "$work/$name/completions" "$work/$name/man"
cp "$program" ci/stanch-ci.sh README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$work/$name/"
if "$program" --version >/dev/null 2>&1; then
    for shell in bash zsh fish powershell elvish; do
        "$program" completions "$shell" >"$work/$name/completions/stanch.$shell"
    done
    "$program" man >"$work/$name/man/stanch.1"
else
    # Built for another machine: what is run here has the same grammar.
    rm -r "$work/$name/completions" "$work/$name/man"
fi
# Owner, order and times do not depend on who packs: the same input makes the same archive.
if tar --version | grep -q GNU; then
    set -- --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-0}"
else
    set --
fi
tar -C "$work" "$@" -cf - "$name" | gzip -n >"dist/$name.tar.gz"
echo "dist/$name.tar.gz"
