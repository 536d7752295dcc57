# shellcheck shell=sh
# What a house keeps when its software is removed, and its end. For install.sh and the package's scripts.

etc=/etc/hearthbus         # configuration, keys, secrets
state=/var/lib/hearthbus   # journal, and what services remember

# Say what stays.
forget_nothing() { echo "hearthbus: removed. These stay: $etc (configuration, keys), $state (journal, state); $1" >&2; }

# Remove it, and the user; nothing comes back.
forget_everything() {
    rm -rf "$etc" "$state" /var/cache/hearthbus /run/hearthbus \
        /etc/systemd/system/hearthbus*.d /etc/systemd/journald.conf.d/hearthbus.conf
    if getent passwd hearthbus >/dev/null; then userdel hearthbus 2>/dev/null || :; fi
    if getent group hearthbus >/dev/null; then groupdel hearthbus; fi # people may be in it
    echo "hearthbus: removed, with configuration, keys, journal and state" >&2
}
