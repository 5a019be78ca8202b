# What is tried of the package on a machine of its own, where it is installed, used by several users, and purged.
# machine.sh runs it there, as root, in a folder with the package.
set -euo pipefail

say() {
    printf '%s\n' "$*"
}

fail() {
    say "FAILED: $*"
    systemctl status --no-pager --full --lines=20 tallyboard.socket tallyboard.service || true
    exit 1
}

is() {
    [[ $2 == "$3" ]] || fail "$1 is '$2', not '$3'"
    say "$1: $2"
}

soon() {
    local what=$1
    shift
    for _ in {1..200}; do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    fail "waited 20 s for $what"
}

metrics() {
    curl --silent --fail --max-time 10 http://127.0.0.1:10777/metrics
}

# A number as it is written or with a fraction of nothing.
value_of() {
    metrics | sed -n "s/^$1 \(.*\)$/\1/p" | sed 's/\.0$//'
}

# Becomes a program of a user's; in the background, so that its number is the program's.
become() {
    local user=$1
    shift
    exec setpriv --reuid="$user" --regid="$user" --init-groups env -i PATH=/usr/bin:/bin "$@"
}

as() {
    (become "$@")
}

say "== the package"
dpkg --install ./*.deb >/dev/null
is "version" "$(tallyboard --version | grep --only-matching '[0-9]*\.[0-9]*\.[0-9]*' | head -n 1)" "$(dpkg-query --show --showformat='${Version}' tallyboard | sed 's/-.*//')"
is "/run/tallyboard" "$(stat --format '%A %U %G' /run/tallyboard)" "drwxrws--- root tallyboard"
(($(id -u tallyboard) < 1000)) || fail "the user is not one of the system's: $(id tallyboard)"
for page in tallyboard tallyboard-serve; do
    zcat --force /usr/share/man/man1/$page.1* | grep --quiet '^\.TH ' || fail "no manual page $page"
done
is "bash completes" "$(bash -c '. /usr/share/bash-completion/completions/tallyboard; complete -p tallyboard' | grep --only-matching '_tallyboard')" "_tallyboard"
for unit in tallyboard.socket tallyboard.service; do
    is "$unit" "$(systemctl is-enabled $unit) $(systemctl is-active $unit)" "enabled active"
done

say "== the restrictions, as the kernel has them"
pid=$(systemctl show --property=MainPID --value tallyboard.service)
status() {
    sed -n "s/^$1:[[:space:]]*//p" "/proc/$pid/status"
}
is "its user" "$(status Uid | cut -f1)" "$(id -u tallyboard)"
is "capabilities" "$(status CapBnd) $(status CapPrm) $(status CapAmb)" "0000000000000000 0000000000000000 0000000000000000"
is "no new privileges, seccomp filters" "$(status NoNewPrivs) $(status Seccomp)" "1 2"
for namespace in net user mnt; do
    [[ $(readlink "/proc/$pid/ns/$namespace") != "$(readlink /proc/self/ns/$namespace)" ]] || fail "its $namespace namespace is the machine's"
done
sees() {
    nsenter --target "$pid" --mount setpriv --reuid=tallyboard --regid=tallyboard --clear-groups test -e "/proc/$1/stat"
}
sees 1 && fail "it sees other processes"
access() {
    nsenter --target "$pid" --mount findmnt --noheadings --first-only --output VFS-OPTIONS --target "$1" | cut -d, -f1
}
is "what it may do to /, /usr and /run/tallyboard" "$(access /) $(access /usr) $(access /run/tallyboard)" "ro ro rw"
systemd-analyze security --threshold=15 --no-pager tallyboard.service | tail -n 1

say "== a group, and who is not in it"
useradd --create-home alice
useradd --create-home bob
usermod --append --groups tallyboard alice
is "the board" "$(stat --format '%A %U %G' /run/tallyboard/default.v1.board)" "-rw-rw---- tallyboard tallyboard"
as alice tallyboard inc packaged_total
as alice tallyboard inc packaged_total
is "what alice has counted" "$(value_of packaged_total)" 2
as bob tallyboard inc packaged_total
is "bob, who is not in the group, counts for himself" "$(stat --format '%U' /dev/shm/tallyboard.$(id -u bob)/default.v1.board)" bob
is "so that is still" "$(value_of packaged_total)" 2

say "== a worker's life, as the restricted service sees it"
mkfifo /run/hold
become alice TALLYBOARD=/run/tallyboard/default.v1.board ./worker hold held livesum 3 </run/hold >/run/held &
worker=$!
exec 3>/run/hold
soon "the worker" grep --quiet ready /run/held
is "a livesum gauge" "$(value_of held)" 3
is "workers' usage, without the drop-in" "$(metrics | grep --count '^tallyboard_workers' || true)" 0
kill -KILL "$worker"
wait "$worker" || true
is "the gauge in the scrape after its death" "$(value_of held)" 0
exec 3>&-

say "== counts outlive the service"
systemctl restart tallyboard.service
is "after a restart" "$(value_of packaged_total)" 2
systemctl stop tallyboard.service
as alice tallyboard inc packaged_total
# The socket starts it.
is "after a stop, started by a scrape" "$(value_of packaged_total)" 3
systemctl reload tallyboard.service
is "after a reload" "$(value_of packaged_total) $(systemctl is-active tallyboard.service)" "3 active"

say "== a board of another user, read under the same restrictions"
systemctl stop tallyboard.service
rm /run/tallyboard/default.v1.board
as alice tallyboard create --mode 0660 /run/tallyboard/default.v1.board
as alice tallyboard inc hers_total
systemctl start tallyboard.service
is "alice's board" "$(stat --format '%A %U %G' /run/tallyboard/default.v1.board)" "-rw-rw---- alice tallyboard"
is "is served" "$(value_of hers_total)" 1

say "== logging out, with RemoveIPC=yes"
is "logind" "$(busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager RemoveIPC)" "b true"
# A login, with a session of logind's, that ends at once.
login() {
    su --login "$1" --shell /bin/bash --command "echo \$XDG_SESSION_ID" | {
        read -r session
        [[ $session =~ ^c?[0-9]+$ ]] || fail "the login of $1 was no session: '$session'"
    }
    soon "$1 to be logged out" bash -c "! loginctl show-user $1"
}
login bob
soon "logind to take away bob's board in /dev/shm" bash -c "! test -e /dev/shm/tallyboard.$(id -u bob)/default.v1.board"
say "bob's board in /dev/shm is gone: this is what the system's user and /run/tallyboard are for"
login alice
# logind has had its turn when it has taken what it may: a file of alice's in /dev/shm.
touch /dev/shm/of-alice
chown alice /dev/shm/of-alice
login alice
soon "logind to take away alice's file in /dev/shm" bash -c "! test -e /dev/shm/of-alice"
is "alice's board in /run/tallyboard" "$(value_of hers_total)" 1
# The service's user, in the place where logind looks.
as tallyboard tallyboard create /dev/shm/tallyboard.$(id -u tallyboard)/x.v1.board 2>/dev/null || {
    install -d -o tallyboard -g tallyboard -m 700 "/dev/shm/tallyboard.$(id -u tallyboard)"
    as tallyboard tallyboard create "/dev/shm/tallyboard.$(id -u tallyboard)/x.v1.board"
}
touch /dev/shm/of-alice
chown alice /dev/shm/of-alice
login tallyboard
login alice
soon "logind to take away alice's second file" bash -c "! test -e /dev/shm/of-alice"
is "a board of the system user's, even in /dev/shm" "$(stat --format '%U' "/dev/shm/tallyboard.$(id -u tallyboard)/x.v1.board")" tallyboard

say "== the drop-in that lets it see workers"
install -D -m 644 -t /etc/systemd/system/tallyboard.service.d /usr/share/doc/tallyboard/worker-usage.conf
systemctl daemon-reload
systemctl restart tallyboard.service
pid=$(systemctl show --property=MainPID --value tallyboard.service)
soon "the service" metrics
sees 1 || fail "with the drop-in it does not see other processes"
become alice TALLYBOARD=/run/tallyboard/default.v1.board ./worker hold held livesum 3 </run/hold >/run/held &
worker=$!
exec 3>/run/hold
soon "the usage of alice's worker" bash -c "curl --silent http://127.0.0.1:10777/metrics | grep --quiet '^tallyboard_workers_resident_memory_bytes{program=\"worker\"} [1-9]'"
say "$(metrics | grep '^tallyboard_workers')"
kill -KILL "$worker"
wait "$worker" || true
exec 3>&-
systemd-analyze security --threshold=15 --no-pager tallyboard.service | tail -n 1

say "== purged"
dpkg --purge tallyboard >/dev/null
for left in /usr/bin/tallyboard /run/tallyboard /etc/default/tallyboard /usr/lib/systemd/system/tallyboard.service \
    /etc/systemd/system/multi-user.target.wants/tallyboard.service /etc/systemd/system/sockets.target.wants/tallyboard.socket; do
    [[ ! -e $left && ! -L $left ]] || fail "$left is left"
done
is "the service" "$(systemctl is-active tallyboard.service || true)" inactive
say "nothing is left but the user and the group"
