#!/usr/bin/env bash
# Runs a fuzz target for a time: `fuzz/run.sh TARGET [SECONDS]`. Needs a nightly compiler and cargo-fuzz.
# What it finds stands in fuzz/artifacts/TARGET/, the inputs it came by in fuzz/corpus/TARGET/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=$1
seconds=${2:-600}

folders=("fuzz/corpus/$target" "fuzz/seeds/$target")
most=16384
case $target in
archives | documents)
    folders+=(tests/data/archives)
    most=65536
    ;;
esac
mkdir -p "fuzz/corpus/$target"
exec cargo +nightly fuzz run "$target" "${folders[@]}" -- \
    -max_total_time="$seconds" -max_len="$most" -rss_limit_mb=1024 -timeout=10 -print_final_stats=1
