# An image with the static program and nothing else. Build the program first (`just image` does both):
#
#   bash packaging/archive.sh x86_64-unknown-linux-musl
#   bash packaging/image.sh dist
#
# Use it on a repository that is mounted, as its owner and without network:
#
#   docker run --rm --network none --user "$(id -u):$(id -g)" -v "$PWD:/repo:ro" IMAGE history
FROM scratch
ARG TARGETARCH
COPY --chmod=755 stanch-linux-${TARGETARCH} /bin/stanch
COPY LICENSE-MIT LICENSE-APACHE /
WORKDIR /repo
USER 65534:65534
ENTRYPOINT ["/bin/stanch"]
CMD ["scan", "."]
