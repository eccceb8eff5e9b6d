#!/usr/bin/env bash
# Makes the npm packages in DIST/npm: `stanch`, and one for each platform with the program in it.
#
#   packaging/npm.sh DIST        DIST holds the archives of packaging/archive.sh. Needs node.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "${1:?usage: packaging/npm.sh DIST}"
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)

rm -rf npm
mkdir npm
made=0
for archive in stanch-"$version"-*.tar.gz; do
    target=${archive#stanch-"$version"-}
    target=${target%.tar.gz}
    case $target in
    x86_64-*linux*) os=linux cpu=x64 ;;
    aarch64-*linux*) os=linux cpu=arm64 ;;
    x86_64-apple-darwin) os=darwin cpu=x64 ;;
    aarch64-apple-darwin) os=darwin cpu=arm64 ;;
    *) continue ;;
    esac
    package=npm/stanch-$os-$cpu
    mkdir -p "$package/bin"
    tar -xzf "$archive" -O "stanch-$version-$target/stanch" >"$package/bin/stanch"
    chmod 755 "$package/bin/stanch"
    cp "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$package/"
    cat >"$package/package.json" <<JSON
{
  "name": "@stanch/$os-$cpu",
  "version": "$version",
  "description": "The program stanch for $os on $cpu",
  "license": "MIT OR Apache-2.0",
  "os": ["$os"],
  "cpu": ["$cpu"],
  "files": ["bin/stanch"]
}
JSON
    made=$((made + 1))
done
if [ "$made" -eq 0 ]; then
    echo "no archive of version $version in $1" >&2
    exit 1
fi
cp -R "$root/npm" npm/stanch
cp "$root/README.md" "$root/LICENSE-MIT" "$root/LICENSE-APACHE" npm/stanch/

# The launcher finds the program for this machine, if there is one, as npm would lay it out.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/node_modules/@stanch"
cp -R npm/stanch "$work/node_modules/stanch"
for package in npm/stanch-*; do
    cp -R "$package" "$work/node_modules/@stanch/${package#npm/stanch-}"
done
launcher=$work/node_modules/stanch/bin/stanch.js
here=$(node -p '`${process.platform}-${process.arch}`')
if [ -d "npm/stanch-$here" ]; then
    node "$launcher" --version
    rm -r "$work/node_modules/@stanch/$here"
fi
# Without the program it fails: a launcher that passes silently would protect nothing.
code=0
node "$launcher" --version || code=$?
if [ "$code" -ne 2 ]; then
    echo "the launcher without a program: exit code $code" >&2
    exit 1
fi
ls npm
