#!/usr/bin/env bash
# Becomes the first process of a machine: machine.sh starts this in new namespaces. Arguments: a folder for the copy of
# all files, and the folder that is shared.
set -euo pipefail

layers=$1
shared=$2
mount --make-rprivate /
mount -t tmpfs tmpfs "$layers"
mkdir "$layers/upper" "$layers/work" "$layers/root"
root=$layers/root
mount -t overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" overlay "$root"

mount -t proc proc "$root/proc"
# Settings of the kernel are for all machines.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    cp -a "/dev/$device" "$root/dev/"
done
# Not what this machine has in them: it is thrown away when a machine starts.
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=1777 tmpfs "$root/var/tmp"
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mkdir -p "$root/mnt/shared"
mount --bind "$shared" "$root/mnt/shared"
[[ -s $root/etc/machine-id ]] || tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"

# Images for containers forbid packages to start services.
rm -f "$root/usr/sbin/policy-rc.d"
# A session's user is gone as soon as its last session is.
mkdir -p "$root/etc/systemd/logind.conf.d"
printf '[Login]\nUserStopDelaySec=0\n' >"$root/etc/systemd/logind.conf.d/test.conf"
printf '[Unit]\nRequires=test.service\n' >"$root/etc/systemd/system/test.target"
cat >"$root/etc/systemd/system/test.service" <<'UNIT'
[Unit]
Wants=dbus.socket systemd-logind.service
After=dbus.socket systemd-logind.service

[Service]
Type=oneshot
WorkingDirectory=/mnt/shared
ExecStart=/bin/bash inside.sh
ExecStopPost=/bin/sh -c 'echo "$EXIT_STATUS" >status; systemctl --no-block exit'
StandardOutput=file:/mnt/shared/log
StandardError=inherit
UNIT
ip link set lo up 2>/dev/null || true
# Not chroot: who is in one gets no user namespaces.
mkdir -p "$root/mnt/old"
cd "$root"
pivot_root . mnt/old
cd /
umount --lazy /mnt/old
exec env -i container=tallyboard PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=test.target
