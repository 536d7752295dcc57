# shellcheck shell=sh
# What a house has beside its software: users, the configuration, keys, and units that run; and the change from one
# version of the software to another. For install.sh and the package's scripts to read, after release.sh.
# Who reads it defines `place_files FOLDER`: put the units and rules that belong to the software in FOLDER in their place.

broker=hearthbus-broker.service
target=hearthbus.target
stopped=/run/hearthbus-install.stopped # what a change has stopped, until it runs again; a boot starts it by itself
patience=5                           # seconds for the broker's start that need no word

# Whether systemd runs: it does not where an image for a card is being made.
house_has_systemd() { [ -d /run/systemd/system ]; }

# house_systemd_since NUMBER: whether systemd is that new.
house_systemd_since() { [ "$(systemctl --version | sed -n '1s/[^0-9]*\([0-9]*\).*/\1/p')" -ge "$1" ]; }

# house_person NAME: let somebody who logs in here use the bus; without a name, who typed sudo.
house_person() {
    person=${1:-${SUDO_USER:-}}
    case $person in '' | root) return ;; esac
    if ! id -nG "$person" | tr ' ' '\n' | grep -qx hearthbus; then
        usermod --append --groups hearthbus "$person"
        say "$person may use the bus from the next log-in on: the group hearthbus"
    fi
}

# house_configuration TEMPLATE: make the configuration where there is none; what is there is not touched.
house_configuration() {
    if [ ! -e "$etc/hearthbus.toml" ]; then
        install -m 0640 -o root -g hearthbus /dev/null "$etc/hearthbus.toml.new"
        zone=$(readlink -f /etc/localtime | sed -n 's|^/usr/share/zoneinfo/||p')
        house_at_home "$zone" <"$1" >"$etc/hearthbus.toml.new"
        mv "$etc/hearthbus.toml.new" "$etc/hearthbus.toml"
        say "made $etc/hearthbus.toml; edit it: where you live, what you have"
    fi
}

# house_at_home ZONE: fill in the time zone, and where its main city lies, as /usr/share/zoneinfo/zone.tab has it.
house_at_home() {
    table=/usr/share/zoneinfo/zone.tab
    [ -r "$table" ] || table=/dev/null
    awk -v zone="$1" '
        function degrees(text, digits, value) {
            digits = length(text) % 2 ? 2 : 3  # +DDMM, +DDMMSS, +DDDMM or +DDDMMSS
            value = substr(text, 2, digits) + substr(text, 2 + digits, 2) / 60 + substr(text, 4 + digits, 2) / 3600
            return sprintf("%.2f", text ~ /^-/ ? -value : value)
        }
        FILENAME != "-" && $3 == zone && match($2, /.[-+]/) {
            latitude = degrees(substr($2, 1, RSTART)); longitude = degrees(substr($2, RSTART + 1))
        }
        FILENAME != "-" { next }
        latitude && /^latitude = / { sub(/= [^ ]+/, "= " latitude) }
        latitude && /^longitude = / { sub(/= [^ ]+/, "= " longitude) }
        latitude && /^timezone = / { sub(/= [^ ]+/, "= \"" zone "\"") }
        { print }
    ' "$table" -
}

# house_keys FOLDER: let the software in FOLDER make the broker's key, where there is no folder of keys. Not in an image:
# all its copies would have the same.
house_keys() {
    if [ -e "$etc/keys" ] || ! house_has_systemd; then return; fi
    "$1/bin/hearthbus" keys init --config "$etc/hearthbus.toml" --keys "$etc/keys" >/dev/null ||
        fail "the broker has no key" "mend what is said above, and install again"
}

# house_check NEW OLD: whether NEW takes the configuration; where it does not, and OLD is fit to run, nothing is changed:
# what runs has read it when it was good, and would not come back.
house_check() {
    if "$1/bin/hearthbus" check "$etc/hearthbus.toml" >/dev/null; then return; fi
    if [ -n "$2" ] && [ "$1" != "$2" ] && "$2/bin/hearthbus" --version >/dev/null 2>&1; then
        fail "the new version does not take $etc/hearthbus.toml; nothing was changed, and what runs goes on" \
            "mend what is said above; a package of your own is missing? sudo $1/bin/pip install NAME; then install again"
    fi
    say "mend what is said above in $etc/hearthbus.toml: what it is said of will not start"
}

# Print the units that run, or wait to be started.
house_running() {
    house_has_systemd || return 0
    {
        systemctl list-units --plain --no-legend --state=active,activating,reloading 'hearthbus*'
        systemctl list-jobs --plain --no-legend 'hearthbus*' | awk '$3 == "start" { print $2 }'
    } | awk '{ print $1 }' | sort -u
}

# house_stop UNIT...: the broker last, so that the others can say that they stop.
house_stop() {
    if [ $# = 0 ]; then return; fi
    # shellcheck disable=SC2086 # a list of units
    if others=$(printf '%s\n' "$@" | grep -vx "$broker"); then systemctl stop $others; fi
    systemctl stop "$broker"
}

# Let the rules for serial sticks hold, for those that are plugged in too.
house_udev() {
    if house_has_systemd && udevadm control --reload 2>/dev/null; then
        udevadm trigger --action=change --subsystem-match=tty
    fi
}

# house_start UNIT...: the broker must come; a service that does not (its receiver is in a drawer) keeps nobody else back.
house_start() {
    if house_has_systemd; then systemctl daemon-reload; fi
    if [ $# = 0 ]; then return; fi
    systemctl reset-failed 'hearthbus*' 2>/dev/null || :
    if ! house_start_broker; then return 1; fi
    systemctl start --no-block "$@"
}

# Start the broker, and wait until it is ready or has failed; none is waited for where the person wants none (masked).
house_start_broker() {
    if [ "$(systemctl show -P LoadState "$broker")" = masked ]; then return 0; fi
    came=0
    timeout --foreground "$patience" systemctl start "$broker" || came=$? # which ends the asking, not the start
    if [ "$came" != 124 ]; then return "$came"; fi
    say "the broker is not ready yet; it has a minute and a half (journalctl -f -u $broker tells more)"
    systemctl start "$broker"
}

# Whether a change was killed in its middle: what it stopped waits to be started.
house_broken_off() { [ -e "$stopped" ]; }

# house_change NEW: stop what runs, put NEW in its place, start it; any failure goes back to what ran before.
house_change() {
    old=$(release_current) running=$(house_running)
    if house_broken_off; then
        say "the last installation was broken off; what it stopped is started again"
        running=$(printf '%s\n' "$running" "$(cat "$stopped")" | sed '/^$/d' | sort -u)
    fi
    trap 'house_back' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap '' HUP # whoever typed it may go away
    echo "$running" >"$stopped"
    if [ -n "$old" ] && [ -e "$old/made-with/started" ]; then : >"$1/made-with/started"; fi
    # shellcheck disable=SC2086 # a list of units
    house_stop $running
    place_files "$1"
    release_switch "$1"
    # shellcheck disable=SC2086
    house_start $running || exit 1
    trap - EXIT INT TERM
    rm "$stopped"
}

# What house_change does when it is ended before its end.
house_back() {
    status=$?
    trap - EXIT
    trap '' INT TERM
    [ "$status" != 0 ] || status=1
    if [ -z "$old" ]; then
        say "the software is in $opt, but the broker did not start"
    else
        say "the new version did not start; going back to $(release_made "$old" version)"
        # shellcheck disable=SC2086
        house_stop $running || :
        place_files "$old"
        release_switch "$old"
        # shellcheck disable=SC2086
        if house_start $running; then
            rm -f "$stopped"
            say "it runs again as it did before"
        else
            say "it does not start either"
        fi
    fi
    say "what next: journalctl -u $broker -n 30 says why; mend that, and install again"
    exit "$status"
}

# Start what the configuration names, now and at each boot: once, after the first installation.
house_first_start() {
    names=$("$opt/bin/python" -c 'import sys; from hearthbus.config import load
print(*load(sys.argv[1], only=()).tables)' "$etc/hearthbus.toml" 2>/dev/null) || names=
    for name in $names; do systemctl --quiet enable "hearthbus@$name.service"; done
    systemctl --quiet enable "$target"
    if house_has_systemd; then
        systemctl daemon-reload
        house_start_broker ||
            fail "the broker did not start" "journalctl -u $broker -n 30 says why; mend that, and install again"
        systemctl start --no-block "$target" # some services wait a minute for the clock to be set
    fi
    : >"$opt/made-with/started"
}

# Stop everything, now and at each boot.
house_disable() {
    running=$(house_running)
    # shellcheck disable=SC2086
    house_stop $running
    rm -f "$stopped"
    for link in /etc/systemd/system/*.wants/hearthbus*; do if [ -L "$link" ]; then rm "$link"; fi; done
    rmdir /etc/systemd/system/hearthbus*.wants 2>/dev/null || :
}
