#!/usr/bin/env bash
# Makes the repository of hooks for the pre-commit framework, and tries every hook with the real framework.
#
#   packaging/pre-commit.sh DIST [FOLDER]
#
# DIST holds the wheel (packaging/wheel.sh). The repository is left in FOLDER, when one is named. Needs git,
# python3 and a package index; PRE_COMMIT names the framework's program (default: pre-commit).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dist=$(cd "${1:?usage: packaging/pre-commit.sh DIST [FOLDER]}" && pwd)
pre_commit=${PRE_COMMIT:-pre-commit}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
hooks=${2:-$work/hooks}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
export PRE_COMMIT_HOME=$work/cache PIP_FIND_LINKS=$dist HOME=$work
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.com

mkdir -p "$hooks"
cp "$root/packaging/pre-commit/pyproject.toml" "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$hooks/"
sed '/^#/d' "$root/.pre-commit-hooks.yaml" >"$hooks/.pre-commit-hooks.yaml"
git -C "$hooks" init --quiet
git -C "$hooks" add .
git -C "$hooks" commit --quiet --message "stanch $version"
git -C "$hooks" tag "v$version"

mkdir "$work/project"
cd "$work/project"
git init --quiet
cat >.pre-commit-config.yaml <<YAML
repos:
  - repo: $hooks
    rev: v$version
    hooks:
      - id: stanch
      - id: stanch-files
      - id: stanch-history
        stages: [manual]
YAML
echo 'x = 1' >a.py
git add .
"$pre_commit" install >/dev/null

expect() { # CODE WORDS COMMAND...
    local code=0 wanted=$1 words=$2
    shift 2
    "$@" >"$work/out" 2>&1 || code=$?
    if [ "$code" -ne "$wanted" ] || ! grep -qF -- "$words" "$work/out"; then
        echo "$*: exit code $code, and not $wanted with \"$words\":" >&2
        cat "$work/out" >&2
        exit 1
    fi
    echo "== $* (exit code $code)"
    cat "$work/out"
}

expect 0 'Passed' git commit -m first
# The value is put together here, so that this file holds none.
printf 'password = "%s%s"\n' 'Vx9kq2!m' 'Tr7wLp' >b.py
git add b.py
expect 1 'b.py:1:13' git commit -m 'a secret'
# What is not staged is none of the hook's business.
git reset --quiet
echo 'y = 2' >>a.py
git add a.py
expect 0 'Passed' git commit -m second
git add b.py
git commit --quiet --no-verify -m 'past the hook'
expect 1 'b.py:1:13' "$pre_commit" run --all-files stanch-files
expect 1 'introduced in' "$pre_commit" run --hook-stage manual stanch-history
echo "== the hooks work"
