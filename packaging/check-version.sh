#!/usr/bin/env bash
# A tag releases the version that it names, and every file names that version.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
tag=${1:-${GITHUB_REF_NAME:-v$version}}
if [ "$tag" != "v$version" ]; then
    echo "the tag names another version than Cargo.toml, which has $version" >&2
    exit 1
fi
for file in action.yml ci/github.yml ci/gitlab.yml ci/azure-pipelines.yml npm/package.json packaging/pre-commit/pyproject.toml README.md docs/src/hook.md docs/src/ci.md; do
    if ! grep -qF "$version" "$file"; then
        echo "$file does not name version $version" >&2
        exit 1
    fi
done
if ! grep -q "^## \[\{0,1\}$version" CHANGELOG.md; then
    echo "CHANGELOG.md has no section for $version" >&2
    exit 1
fi
echo "version $version"
