#!/usr/bin/env bash
# Boots this machine's own systemd in namespaces of its own, over a copy of its files that is forgotten afterwards, runs
# a script in there as root, and ends with the script's exit code.
#
#     tests/packaging/machine.sh FOLDER
#
# FOLDER  is the script's working directory, and the only thing that both sides can write to. The script is
#         FOLDER/inside.sh, what it says is in FOLDER/log.
#
# Processes, mounts, network, users and services in there are none of this machine's. Needs root, systemd, D-Bus.
set -euo pipefail

folder=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
name=tallyboard-machine-$$
groups=$(findmnt --noheadings --first-only --types cgroup2 --output TARGET)
mkdir "$groups/$name"
root=$(mktemp -d "/dev/shm/$name.XXXXXX")

clean_up() {
    local group
    # The namespaces are gone, and every process in them.
    for group in $(find "$groups/$name" -depth -type d); do
        rmdir "$group"
    done
    rm -rf "$root"
}
trap clean_up EXIT

rm -f "$folder/status" "$folder/log"
# The group is entered before the namespace is made, so that it is the root of all groups that are seen in there.
timeout --kill-after=5 120 bash -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' - "$groups/$name" \
    unshare --mount --pid --fork --kill-child --cgroup --ipc --uts --net \
    bash "$here/boot.sh" "$root" "$folder" >"$folder/console" 2>&1 || true
if [[ ! -e $folder/status ]]; then
    echo "the machine did not come up, or did not end in time; it said:" >&2
    tail -n 40 "$folder/console" >&2
    exit 1
fi
exit "$(<"$folder/status")"
