#!/usr/bin/env bash
# Builds the image from the archives of packaging/archive.sh, and pushes it when IMAGE is set.
#
#   packaging/image.sh DIST
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dist=$(cd "${1:?usage: packaging/image.sh DIST}" && pwd)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
cp "$root/Dockerfile" "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$context/"
platforms=
for pair in x86_64:amd64 aarch64:arm64; do
    name=stanch-$version-${pair%:*}-unknown-linux-musl
    if [ -f "$dist/$name.tar.gz" ]; then
        tar -xzf "$dist/$name.tar.gz" -O "$name/stanch" >"$context/stanch-linux-${pair#*:}"
        platforms=${platforms:+$platforms,}linux/${pair#*:}
    fi
done
if [ -z "$platforms" ]; then
    echo "no static program of version $version in $dist" >&2
    exit 1
fi
if [ -n "${IMAGE:-}" ]; then
    # Names of images are in lower case.
    image=$(printf '%s' "$IMAGE" | tr '[:upper:]' '[:lower:]')
    printf '%s' "$GH_TOKEN" | docker login ghcr.io --username token --password-stdin
    docker buildx build --platform "$platforms" --provenance=mode=max --sbom=true \
        --tag "$image:$version" --tag "$image:latest" --push "$context"
else
    docker build --tag "stanch:$version" "$context"
fi
