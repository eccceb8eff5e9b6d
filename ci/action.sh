#!/usr/bin/env bash
# What the GitHub Action runs: the program that was installed, or the one that was named, with its inputs.
set -euo pipefail

if [ -n "${STANCH_PROGRAM:-}" ]; then
    STANCH=$STANCH_PROGRAM
else
    STANCH=$RUNNER_TEMP/stanch/bin/stanch
    [ -x "$STANCH" ] || STANCH=$RUNNER_TEMP/stanch/Scripts/stanch.exe
fi
export STANCH

arguments=()
while IFS= read -r line; do
    line=${line%$'\r'}
    if [ -n "$line" ]; then arguments+=("$line"); fi
done <<<"${STANCH_ARGS:-}"

# (The form with + is for bash 4.3 and older, which take an empty list for an unset variable.)
exec sh "$(dirname "${BASH_SOURCE[0]}")/stanch-ci.sh" ${arguments[@]+"${arguments[@]}"}
