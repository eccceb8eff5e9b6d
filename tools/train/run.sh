#!/bin/sh
# Trains src/verdict/model.bin from a tar of labelled lines, and reports what whole programs say of projects that their
# trees have not seen. See README.md beside this file.
set -eu
data=${1:?usage: tools/train/run.sh LINES.tar.zst [options of train.py]}
shift
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
mkdir "$work/lines" "$work/folds"
zstd -dc "$data" | tar -x -C "$work/lines"
cargo build --quiet --profile quick --manifest-path "$root/Cargo.toml" --bins --example generic_dump
built=${CARGO_TARGET_DIR:-$root/target}/quick
dump() {
    "$built/examples/generic_dump" "$@"
}
dump "$work/lines/data" --values > "$work/candidates.jsonl"
dump --corpus "$root/tests/suite/generic_corpus" > "$work/corpus.jsonl"
dump --names > "$work/names.txt"
train() {
    "$work/venv/bin/python" "$here/train.py" --lines "$work/lines" --candidates "$work/candidates.jsonl" \
        --corpus "$work/corpus.jsonl" --names "$work/names.txt" "$@"
}
train --folds "$work/folds" > "$work/folds.log"
dump --held-out "$work/folds" "$work/lines/data" > "$work/held-out.jsonl"
# Exit code 1: there are findings.
(cd "$work/lines" && "$built/stanch" scan data --no-ignore --no-baseline --min-confidence low --format jsonl \
    --output "$work/rules.jsonl" > /dev/null) || [ $? -le 2 ]
"$work/venv/bin/python" "$here/held_out.py" --lines "$work/lines" --generic "$work/held-out.jsonl" \
    --rules "$work/rules.jsonl" --categories
train --model "$root/src/verdict/model.bin" "$@"
