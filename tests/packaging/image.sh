#!/usr/bin/env bash
# Builds exporter/packaging/docker/Dockerfile with buildah, line by line, and counts, serves and scrapes with the image.
#
#     tests/packaging/image.sh [FOLDER]
#
# By hand: it takes minutes, since the exporter is compiled in there. Where the two base images of the Dockerfile are
# not in buildah's storage, they are made here: Debian's from its packages (debootstrap), and Rust's from that with this
# machine's compiler. Needs root, buildah, debootstrap, curl, and room for 15 GB in FOLDER, which is a new one below /tmp
# unless told.
set -euo pipefail
cd "$(dirname "$0")/../.."

given=${1:-}
folder=${given:-$(mktemp -d /tmp/tallyboard-image.XXXXXX)}
boards=$(mktemp -d /dev/shm/tallyboard-image.XXXXXX)
mkdir -p "$folder/run"
port=$((20000 + RANDOM % 10000))
# Its command line, and nobody else's.
serving="^/usr/bin/tallyboard serve .*127.0.0.1:$port\$"
# Everything in plain folders, and programs in nothing but a chroot: it runs in a container, too.
buildah() {
    command buildah --root "$folder/storage" --runroot "$folder/run" --storage-driver vfs "$@"
}
run() {
    buildah run --isolation chroot "$@"
}
clean_up() {
    # The program itself: what started it waits for it.
    pkill --full "$serving" || true
    wait
    rm -rf "$boards"
    [[ -n $given ]] || rm -rf "$folder"
}
trap clean_up EXIT

debian=docker.io/library/debian:bookworm-slim
rust=docker.io/library/rust:1-slim-bookworm
if ! buildah inspect --type image "$debian" >/dev/null 2>&1; then
    echo "+ debootstrap bookworm, as $debian"
    [[ -d $folder/debian ]] || debootstrap --variant=minbase bookworm "$folder/debian" >/dev/null
    container=$(buildah from scratch)
    buildah copy --quiet "$container" "$folder/debian" / >/dev/null
    buildah config --cmd bash "$container"
    buildah commit --quiet --rm "$container" "$debian" >/dev/null
fi
if ! buildah inspect --type image "$rust" >/dev/null 2>&1; then
    toolchain=$(rustc --print sysroot)
    echo "+ $debian with gcc and $toolchain, as $rust"
    container=$(buildah from "$debian")
    run "$container" -- sh -c 'apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends ca-certificates gcc libc6-dev' >/dev/null
    buildah copy --quiet "$container" "$toolchain" /usr/local >/dev/null
    # Whom this machine trusts: its registry of crates may be a mirror.
    buildah copy --quiet "$container" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt >/dev/null
    buildah config --env CARGO_HOME=/usr/local/cargo "$container"
    buildah commit --quiet --rm "$container" "$rust" >/dev/null
fi

buildah build --isolation chroot --pull-never --layers -f exporter/packaging/docker/Dockerfile -t tallyboard .

container=$(buildah from tallyboard)
said() {
    buildah inspect --type image --format "$1" tallyboard
}
user=$(said '{{.OCIv1.Config.User}}')
read -ra command <<<"$(said '{{range .OCIv1.Config.Entrypoint}}{{.}} {{end}}{{range .OCIv1.Config.Cmd}}{{.}} {{end}}')"
echo "user $user, command ${command[*]}"
[[ $user == 65534:65534 ]]
# What a volume in memory is there, with the rights that the image gives the folder.
install -d -o root -g nogroup -m 2770 "$boards"
run --volume "$boards:/run/tallyboard" "$container" -- "${command[@]}" --web.listen-address "127.0.0.1:$port" &
for _ in {1..100}; do
    curl --silent --fail "http://127.0.0.1:$port/-/ready" >/dev/null && break
    sleep 0.1
done
run --volume "$boards:/run/tallyboard" "$container" -- /usr/bin/tallyboard inc image_total 3
is=$(stat --format '%A %U %G' "$boards/default.v1.board")
echo "the board: $is"
[[ $is == "-rw-rw---- nobody nogroup" ]]
scraped=$(curl --silent --fail "http://127.0.0.1:$port/metrics")
grep '^image_total 3' <<<"$scraped"
user=$(ps -o user= -p "$(pgrep --full "$serving")")
echo "it is served by $user"
[[ $user == nobody ]]
