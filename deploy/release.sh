# shellcheck shell=sh
# The software in /opt: a virtual environment made whole beside the one that runs, tried, and then put in its place by one
# rename. /opt/hearthbus is a link to /opt/hearthbus.1 or /opt/hearthbus.2; the one before stays, for the way back.
# For install.sh, hearthbus-extra and the package's scripts to read (`. release.sh`); knows nothing of users or units.

opt=/opt/hearthbus
python=/usr/bin/python3 # the system's: one in somebody's home is hidden from the units

say() { printf 'hearthbus: %s\n' "$*" >&2 || :; } # nobody may listen any more: a connection that broke

# fail WHAT NEXT: say what is wrong and what to do, and end.
fail() {
    say "$1"
    say "what next: $2"
    exit 1
}

# Whether this machine can run hearthbus, and this is root, and alone.
release_check_machine() {
    [ "$(id -u)" = 0 ] || fail "this changes the system, so it needs root" "type it again with sudo in front"
    exec 9>/run/hearthbus-install.lock
    flock -n 9 || fail "another installation is under way" "wait for it"
    [ -x "$python" ] || fail "there is no $python" "apt install python3 python3-venv"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 is needed; this is $("$python" -V)" "use Debian 12, Raspberry Pi OS of 2023, or newer"
    "$python" -c 'import struct, sys; sys.exit(struct.calcsize("P") < 8)' ||
        fail "this is a 32-bit system, and nobody builds ZeroMQ for it" "use the 64-bit Raspberry Pi OS (Pi 3 or newer)"
    if [ -e "$opt" ] && [ ! -L "$opt" ]; then
        fail "$opt is there, and was not made by this" "move it away: mv $opt $opt.old"
    fi
}

# Print the folder of the software in use, or nothing.
release_current() { if [ -L "$opt" ]; then readlink -f "$opt"; fi; }

# Print the folder of the one that is not in use.
release_other() { if [ "$(release_current)" = "$opt.1" ]; then echo "$opt.2"; else echo "$opt.1"; fi; }

# release_made FOLDER stamp|extras|version: print what it was made with, or nothing.
release_made() { if [ -r "$1/made-with/$2" ]; then cat "$1/made-with/$2"; fi; }

# release_stamp EXTRAS FILE-OR-FOLDER...: print what tells installations apart: all that goes into one, and Python.
release_stamp() {
    {
        "$python" -c 'import sys; print(sys.version_info[:2])'
        echo "$1"
        shift
        find "$@" -type f ! -name '*.pyc' | LC_ALL=C sort | tr '\n' '\0' | xargs -0 cat
    } | sha256sum | cut -d ' ' -f 1
}

# release_build EXTRAS STAMP REQUIREMENT [PIP-OPTION...]: make the other one; if that fails, nothing of it is left.
# One that was made with the same, and is still there, is taken as it is.
release_build() {
    built=$(release_other) extras=$1 stamp=$2 requirement=$3
    shift 3
    if [ "$(release_made "$built" stamp)" = "$stamp" ] && "$built/bin/hearthbus" --version >/dev/null; then return; fi
    say "making the software ready in $built; a minute or two on a small Pi"
    rm -rf "$built"
    if ! "$python" -m venv "$built"; then
        rm -rf "$built"
        fail "no virtual environment can be made in $built" "apt install python3-venv; is there room? df -h /opt"
    fi
    if ! PIP_ROOT_USER_ACTION=ignore "$built/bin/python" -m pip install --quiet --disable-pip-version-check \
        --no-input "$@" "$requirement[$extras]" || ! "$built/bin/hearthbus" --version >/dev/null; then
        rm -rf "$built"
        return 1
    fi
    for name in $(echo "$extras" | tr , ' '); do
        if ! release_extras "$built" | grep -qx -e "$(echo "$name" | tr _ -)"; then
            known=$(release_extras "$built" | paste -s -d ' ')
            rm -rf "$built"
            fail "$name is nothing that hearthbus can have besides" "name some of: $known"
        fi
    done
    ln -s "$(cd "$built" && echo lib/python3*/site-packages/hearthbus/house.toml)" "$built/example.toml"
    mkdir "$built/made-with"
    "$built/bin/hearthbus" --version >"$built/made-with/version"
    echo "$extras" >"$built/made-with/extras"
    echo "$stamp" >"$built/made-with/stamp"
}

# release_extras FOLDER: print the names of what services may need besides, a line each.
release_extras() {
    "$1/bin/python" -c 'from importlib.metadata import metadata
print(*sorted({*metadata("hearthbus").get_all("Provides-Extra")} - {"bench", "dev", "fuzz"}), sep="\n")'
}

# release_switch FOLDER: what is in FOLDER is /opt/hearthbus from now on. One rename: there is no moment without.
release_switch() {
    ln -sfn "${1##*/}" "$opt.next"
    mv -T "$opt.next" "$opt"
}

# release_remove: all of it.
release_remove() { rm -rf "$opt" "$opt.next" "$opt.1" "$opt.2"; }

# release_lost OLD NEW: print what is installed in OLD and not in NEW: somebody did that by hand.
release_lost() {
    for each in "$1" "$2"; do
        (cd "$each" && printf '%s\n' lib/python3*/site-packages/*.dist-info | sed 's|.*/||; s/-[0-9].*//')
        echo --
    done | awk '/^--$/ { new = 1; next } new { delete old[$0]; next } { old[$0] } END { for (name in old) print name }'
}
