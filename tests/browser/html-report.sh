#!/bin/sh
# Tests the HTML report in a real browser: tests/browser/html-report.sh [FOLDER FOR SCREENSHOTS]
#
# Needs Chromium (Debian: apt-get install chromium) and Python 3; says so and exits 77 where they are
# missing. Uses no network.
set -eu
cd "$(dirname "$0")/../.."
out=${1:-target/browser}

chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -z "$chromium" ] || ! command -v python3 >/dev/null; then
    echo "skipped: needs Chromium and Python 3" >&2
    exit 77
fi

mkdir -p "$out"
cargo build --quiet --example sample_report
sample=target/debug/examples/sample_report
"$sample" html 120 history >"$out/history.html"
"$sample" html 40 scan >"$out/scan.html"
"$sample" html 0 scan >"$out/clean.html"
"$sample" html 60 hostile >"$out/hostile.html"
"$sample" html 10000 history >"$out/large.html"
exec python3 tests/browser/html_report.py "$chromium" "$out"
