#!/usr/bin/env bash
# Installs the wheel, which holds the program, apart from everything else that is installed.
set -euo pipefail

case $STANCH_VERSION in
'' | *[!0-9A-Za-z.+-]*)
    echo "stanch: the input \`version\` is no version" >&2
    exit 2
    ;;
esac
place=$RUNNER_TEMP/stanch
python=$(command -v python3 || command -v python)
"$python" -m venv "$place"
bin=$place/bin
[ -d "$bin" ] || bin=$place/Scripts
# Binary only: nothing is compiled, and no build script of a package runs.
"$bin/python" -m pip install --quiet --no-input --disable-pip-version-check --only-binary :all: \
    "${STANCH_WHEEL:-stanch==$STANCH_VERSION}"
"$bin/stanch" --version
