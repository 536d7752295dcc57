#!/bin/sh
# Install hearthbus for good: users, software in /opt/hearthbus, configuration in /etc/hearthbus, units of systemd.
# Type it again to upgrade: what is already as it should be is left alone, and a failure leaves what ran before.
set -eu
umask 022
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=deploy/release.sh
. "$root/deploy/release.sh"
# shellcheck source=deploy/forget.sh
. "$root/deploy/forget.sh"
# shellcheck source=deploy/house.sh
. "$root/deploy/house.sh"

journald=/etc/systemd/journald.conf.d/hearthbus.conf

usage() {
    cat <<'END'
sudo deploy/install.sh [--wheels DIR] [--extras LIST] [--user NAME] [--sd-card]
sudo deploy/install.sh --uninstall | --purge

  --wheels DIR   install the wheels in DIR, without network; otherwise this checkout, and what it needs from PyPI
  --extras LIST  what services need besides, such as house,calendar,notify (docs/install.md); default: what is
                 installed already, else house
  --user NAME    who may use the bus; default: who typed sudo
  --sd-card      keep the system's log in memory, so that the card lasts longer
  --uninstall    remove the software; configuration, keys, journal and state stay
  --purge        remove those too

Type it again to upgrade. Exit codes: 0 done, 1 it could not be done, 64 a mistake in what you typed.
END
}

mistake() {
    say "$1"
    usage >&2
    exit 64
}

# Where each file of deploy/ belongs; an empty line for what belongs nowhere on this machine.
system_place() {
    case $1 in
    hearthbus) echo /usr/local/bin/hearthbus ;;
    udev/*) echo "/etc/udev/rules.d/${1#udev/}" ;;
    systemd/*.sysusers) echo "/usr/local/lib/sysusers.d/$(basename "$1" .sysusers).conf" ;;
    systemd/*.tmpfiles) echo "/usr/local/lib/tmpfiles.d/$(basename "$1" .tmpfiles).conf" ;;
    systemd/since-254/*) if house_systemd_since 254; then echo "/usr/local/lib/systemd/system/${1#systemd/since-254/}"; fi ;;
    systemd/*) echo "/usr/local/lib/systemd/system/${1#systemd/}" ;;
    esac
}

# each_file FOLDER COMMAND: run COMMAND FOLDER FILE PLACE for each file that a version has in FOLDER.
each_file() {
    (cd "$1" && find systemd udev hearthbus -type f) | while read -r file; do
        where=$(system_place "$file")
        if [ -n "$where" ]; then "$2" "$1" "$file" "$where"; fi
    done
}

# For everybody to read, and to run: whoever cloned this may keep his files to himself.
place() {
    if [ -x "$1/$2" ]; then mode=0755; else mode=0644; fi
    cmp -s "$1/$2" "$3" || install -D -m "$mode" "$1/$2" "$3"
}

# Remove what is not in the folder `keep`, and its folder where that is empty then.
displace() {
    if [ -z "$keep" ] || [ ! -e "$keep/$2" ]; then
        rm -f "$3"
        rmdir "${3%/*}" 2>/dev/null || :
    fi
}

# For house.sh: the units and rules of the version in FOLDER, and none that only the one in use has.
place_files() {
    each_file "$1/made-with/deploy" place
    keep=$1/made-with/deploy
    if [ -d "$opt/made-with/deploy" ]; then each_file "$opt/made-with/deploy" displace; fi
    house_udev
}

wheels='' extras='' user='' sd_card='' changed='' verb=install
while [ $# -gt 0 ]; do
    case $1 in
    --wheels | --extras | --user)
        [ $# -ge 2 ] || mistake "$1 needs a word after it"
        case $1 in --wheels) wheels=$2 ;; --extras) extras=$2 ;; --user) user=$2 ;; esac
        shift
        ;;
    --sd-card) sd_card=yes ;;
    --uninstall) verb=uninstall ;;
    --purge) verb=purge ;;
    -h | --help) usage && exit ;;
    *) mistake "$1 is nothing this knows" ;;
    esac
    shift
done

release_check_machine
if dpkg -s hearthbus 2>/dev/null | grep -q '^Status: .* installed$'; then
    fail "hearthbus is here as a Debian package" "upgrade it with apt install ./hearthbus_....deb, or apt remove it first"
fi

[ -z "$user" ] || id "$user" >/dev/null 2>&1 || fail "there is no user $user" "name one that is there: getent passwd"

if [ "$verb" != install ]; then
    house_disable
    keep=''
    if [ -d "$opt/made-with/deploy" ]; then each_file "$opt/made-with/deploy" displace; fi
    release_remove
    rm -f "$journald"
    if house_has_systemd; then systemctl daemon-reload; fi
    if [ "$verb" = purge ]; then forget_everything; else forget_nothing "--purge removes them too"; fi
    exit
fi

# What goes into it, and whether that is what is already there.
before=$(release_current)
extras=${extras:-$(release_made "$opt" extras)}
extras=${extras:-house}
case $extras in *[!a-z0-9,_-]*) mistake "--extras $extras: write names with commas between them: house,calendar" ;; esac
if [ -n "$wheels" ]; then
    own=$(find "$wheels" -maxdepth 1 -name 'hearthbus-*.whl' | sort -V | tail -n 1)
    [ -n "$own" ] || fail "there is no hearthbus-*.whl in $wheels" "scripts/deb makes some in build/wheels"
    stamp=$(release_stamp "$extras" "$wheels" "$root/deploy")
    set -- "$own" --no-index --find-links "$wheels"
else
    stamp=$(cd "$root" && release_stamp "$extras" pyproject.toml hearthbus broker services drivers deploy firmware/hex)
    set -- "$root"
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    say "installing python3-venv"
    apt-get -qq install -y python3-venv >/dev/null || fail "python3-venv cannot be installed" "apt update, and again"
fi

if [ -n "$before" ] && [ "$(release_made "$before" stamp)" = "$stamp" ]; then
    new=$before
else
    release_build "$extras" "$stamp" "$@" ||
        fail "pip could not install it, and says above why${before:+; what ran before still runs}" \
            "is there network, and room? df -h /opt. Then again; --wheels DIR needs no network"
    new=$built
    rm -rf "$new/made-with/deploy"
    cp -r "$root/deploy" "$new/made-with/deploy"
fi
systemd-sysusers "$new/made-with/deploy/systemd/hearthbus.sysusers"
systemd-tmpfiles --create "$new/made-with/deploy/systemd/hearthbus.tmpfiles"
house_person "$user"
house_configuration "$root/deploy/hearthbus.toml"
house_check "$new" "$before"
house_keys "$new"
if [ "$new" != "$before" ] || house_broken_off; then
    changed=yes
    house_change "$new"
else
    place_files "$new"
fi
[ -e "$opt/made-with/started" ] || house_first_start
if [ -n "$sd_card" ] && ! cmp -s "$root/deploy/journald/sd-card.conf" "$journald"; then
    install -D -m 0644 "$root/deploy/journald/sd-card.conf" "$journald"
    if house_has_systemd; then systemctl restart systemd-journald; fi
fi

if [ -z "$changed" ]; then
    say "$(release_made "$opt" version) was here already; nothing had to be done"
else
    [ -z "$before" ] || for name in $(release_lost "$before" "$new"); do
        say "$name, installed by hand, is not in the new one; if it is needed: sudo $opt/bin/pip install $name"
    done
    say "$(release_made "$opt" version) is installed. Configuration: $etc/hearthbus.toml. Who is there: hearthbus status"
fi
