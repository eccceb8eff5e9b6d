#!/bin/sh
# Trains src/verdict/model.bin from a tar of labelled lines. See README.md beside this file.
set -eu
data=${1:?usage: tools/train/run.sh LINES.tar.zst [options of train.py]}
shift
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
mkdir "$work/lines"
zstd -dc "$data" | tar -x -C "$work/lines"
dump() {
    cargo run --quiet --manifest-path "$here/../../Cargo.toml" --example generic_dump -- "$@"
}
dump "$work/lines/data" --values > "$work/candidates.jsonl"
dump --corpus "$here/../../tests/suite/generic_corpus" > "$work/corpus.jsonl"
dump --names > "$work/names.txt"
"$work/venv/bin/python" "$here/train.py" --lines "$work/lines" --candidates "$work/candidates.jsonl" \
    --corpus "$work/corpus.jsonl" --names "$work/names.txt" --model "$here/../../src/verdict/model.bin" "$@"
