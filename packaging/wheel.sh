#!/usr/bin/env bash
# Builds the wheel, installs it in a fresh virtual environment, and uses it there. The wheel is left in dist/.
#
#   packaging/wheel.sh [--profile PROFILE] [--target TARGET]
#
# Needs Rust, a C compiler, git, python3 with venv, and a package index.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

profile=release
target=()
while [ $# -gt 0 ]; do
    case $1 in
    --profile) profile=$2 ;;
    --target)
        target=(--target "$2")
        # A static program needs no C library: one wheel for every Linux.
        case $2 in *-musl) target+=(--compatibility manylinux2014 musllinux_1_2) ;; esac
        ;;
    *)
        sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
    esac
    shift 2
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p dist
rm -f dist/*.whl
python3 -m venv "$work/build"
"$work/build/bin/pip" install --quiet --disable-pip-version-check 'maturin>=1.9,<2'
PATH="$work/build/bin:$PATH" maturin build --profile "$profile" ${target[@]+"${target[@]}"} --out dist
wheel=$(echo dist/*.whl)

echo "== $wheel in a fresh environment"
python3 -m venv "$work/fresh"
"$work/fresh/bin/pip" install --quiet --disable-pip-version-check --no-index "$wheel"
stanch=$work/fresh/bin/stanch
"$stanch" --version
# The samples are put together here, so that this file holds none.
mkdir "$work/sample"
printf 'password = "%s%s"\n' 'Vx9kq2!m' 'Tr7wLp' >"$work/sample/settings.py"
code=0
"$stanch" scan "$work/sample" || code=$?
if [ "$code" -ne 1 ]; then echo "a secret was not found: exit code $code" >&2; exit 1; fi
printf 'password = os.environ["PASSWORD"]\n' >"$work/sample/settings.py"
"$stanch" scan "$work/sample"
# The CI script is there, finds the program beside it, and says what it needs.
code=0
(cd "$work/sample" && env -i PATH="$work/fresh/bin:$PATH" stanch-ci) || code=$?
if [ "$code" -ne 2 ]; then echo "stanch-ci: exit code $code" >&2; exit 1; fi
echo "== the wheel works"
