"""`hearthbus backup`: the whole house in one file, while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from hearthbus.cli.main import complain

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from hearthbus.backup.making import Made

EXAMPLES: Final = """\
examples:
  sudo hearthbus backup house.backup                              asks for a passphrase, twice
  sudo hearthbus backup house.backup --passphrase-file secret     for a timer; the file is its owner's alone (0600)
  sudo hearthbus backup house.backup --without-secrets            without keys, passwords and tokens

In it: the configuration with what it includes and names, the journal and retained state, the places of durable
subscriptions, what services keep; and sealed with the passphrase, keys and secrets. Nothing has to be stopped.
The form is in docs/backup.md; `hearthbus restore` puts it in place.
Exit codes: 0 done, 64 a mistake, 69 something cannot be read or written: then there is no new file."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("file", metavar="FILE", help="where the backup goes; an older one there is replaced")
    parser.add_argument("--config", metavar="FILE", help="the configuration; default as for `hearthbus up`")
    parser.add_argument(
        "--state",
        metavar="FOLDER",
        help="where broker and services keep things; default: $STATE_DIRECTORY, /var/lib/hearthbus for a configuration"
        " in /etc, else ~/.local/state/hearthbus",
    )
    add_passphrase(parser, "leave keys, passwords and tokens out")
    parser.epilog = EXAMPLES


def add_passphrase(parser: ArgumentParser, without: str) -> None:
    """Add how the passphrase is given, or that there is none."""
    parser.add_argument("--passphrase-file", metavar="FILE", help="the passphrase is its first line; mode 0600")
    parser.add_argument("--without-secrets", action="store_true", help=without)


def main(args: Namespace) -> int:
    """Run the verb."""
    from hearthbus.backup.belongings import find
    from hearthbus.backup.making import make
    from hearthbus.backup.passphrase import passphrase

    house = find(args.config, args.state)
    for path in sorted(house.missing):
        complain(f"{path} cannot be read, and is not in the backup")
    for path in sorted(house.elsewhere):
        complain(f"{path} is the machine's own, where a restore puts nothing; it is not in the backup")
    secret = passphrase(args.passphrase_file, new=True) if house.secrets and not args.without_secrets else None
    made = make(Path(args.file), house, passphrase=secret)
    for line in summary(made, args.file, told=house.left_out):
        print(line)  # noqa: T201 - what was asked for
    if not house.config:
        complain("no hearthbus.toml of yours was found, so there is none in the backup; --config FILE names one")
    return 0


def summary(made: Made, name: str, *, told: set[str]) -> list[str]:
    """Say what a backup holds, and what it does not but for what was `told`."""
    from hearthbus.backup.paths import portable
    from hearthbus.cli.output import size

    manifest = made.manifest
    files = [entry for entry in manifest.entries if not entry.folder]
    journals = f", {len(manifest.brokers)} journal" + ("s" if len(manifest.brokers) > 1 else "")
    sealed = f", {manifest.secrets} secrets sealed" if manifest.secrets else ""
    lines = [f"{name}: {len(files)} files{journals if manifest.brokers else ''}{sealed}, {size(made.size)}"]
    lines += [f"left out: {path}" for path in manifest.left_out if path not in set(map(portable, told))]
    return lines
