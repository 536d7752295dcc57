# shellcheck shell=sh
# How the package becomes software in /opt, for postinst and hearthbus-extra to read.
# Everything it needs is in its own folder, and in that of what hearthbus-extra has fetched: no network.

lib=/usr/lib/hearthbus
fetched=/var/cache/hearthbus/wheels # written by root alone: what lies here is run
# shellcheck source=deploy/release.sh
. "$lib/release.sh"
# shellcheck source=deploy/forget.sh
. "$lib/forget.sh"
# shellcheck source=deploy/house.sh
. "$lib/house.sh"

# dpkg has put the files where they belong, but for what only a newer systemd knows.
place_files() {
    each=$lib/since-254
    for drop_in in "$each"/*/*.conf; do
        link=/etc/systemd/system${drop_in#"$each"}
        if house_systemd_since 254; then mkdir -p "${link%/*}" && ln -sf "$drop_in" "$link"; fi
    done
}

# Remove what place_files has made.
displace_files() {
    for link in /etc/systemd/system/hearthbus*.d/*.conf; do
        case $(readlink "$link") in "$lib"/*) rm "$link" && rmdir --ignore-fail-on-non-empty "${link%/*}" ;; esac
    done
}

# Print the wheel of hearthbus itself.
package_wheel() { find "$lib/wheels" -name 'hearthbus-*.whl'; }

# package_extras NAME,...: print those, and those that are there, and those the package carries, each once.
package_extras() {
    printf '%s,%s,%s' "$1" "$(release_made "$opt" extras)" "$(cat "$lib/extras")" |
        tr ',' '\n' | sed '/^$/d' | sort -u | paste -s -d ,
}

# package_build EXTRAS: make the software ready, unless it is already; sets `new`.
package_build() {
    stamp=$(release_stamp "$1" "$lib")
    new=$(release_current)
    if [ -n "$new" ] && [ "$(release_made "$new" stamp)" = "$stamp" ]; then return; fi
    mkdir -p "$fetched"
    release_build "$1" "$stamp" "$(package_wheel)" --no-index --find-links "$lib/wheels" --find-links "$fetched" || return 1
    new=$built
}

# package_install: put `new` in the place of `before`.
package_install() {
    if [ "$new" = "$before" ] && ! house_broken_off; then return; fi
    house_change "$new"
    [ -z "$before" ] || for name in $(release_lost "$before" "$new"); do
        say "$name is not in the new one; if it is needed: sudo hearthbus-extra, or sudo $opt/bin/pip install $name"
    done
}
