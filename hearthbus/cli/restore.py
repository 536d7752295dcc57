"""`hearthbus restore`: put a backup in place, on this machine or on a card in the reader."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from hearthbus.cli.backup import add_passphrase
from hearthbus.cli.main import complain
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from hearthbus.backup.archive import Checked, Manifest
    from hearthbus.backup.placing import Placed

EXAMPLES: Final = """\
examples:
  hearthbus restore house.backup --look             what is in it, and whether it is whole; writes nothing
  sudo hearthbus restore house.backup               on a fresh machine, after hearthbus was installed
  sudo hearthbus restore house.backup --force       replaces what is there
  hearthbus restore house.backup --to /tmp/house    everything below that folder, as if it were the machine

Everything is checked before anything is written. Stop broker and services first: systemctl stop hearthbus.target.
Exit codes: 0 done, 5 another passphrase, 64 no backup, a damaged one, or something would be replaced, 69 the disk, or
a broker runs."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("file", metavar="FILE", help="what `hearthbus backup` made")
    parser.add_argument("--to", metavar="FOLDER", default="", help="take this folder for the root of the machine")
    parser.add_argument("--force", action="store_true", help="replace files that are there and differ")
    parser.add_argument(
        "--look",
        action="store_true",
        help="check it, with --passphrase-file the secrets too, and say what is in it; write nothing",
    )
    add_passphrase(parser, "leave what is sealed where it is: needs no passphrase")
    parser.epilog = EXAMPLES


def main(args: Namespace) -> int:
    """Run the verb."""
    from hearthbus.backup import archive

    try:
        if not stat.S_ISREG(os.stat(args.file).st_mode):  # noqa: PTH116 - a pipe would be waited for
            raise Invalid(f"{args.file} is no file; it is read more than once, so copy the backup to one")
        file = open(args.file, "rb")  # noqa: PTH123, SIM115 - closed below
    except OSError as error:
        raise Invalid(f"{args.file} cannot be read: {error.strerror}") from None
    with file:
        try:
            checked = archive.check(file)
        except Invalid as error:
            raise Invalid(f"{args.file}: {error}") from None
        if args.look:
            opened = bool(checked.sealed and args.passphrase_file) and bool(_opened(checked, args.passphrase_file))
            lines = contents(checked.manifest, opened=opened)
        else:
            from hearthbus.backup.placing import place

            secrets = None if args.without_secrets or not checked.sealed else _opened(checked, args.passphrase_file)
            to = os.path.abspath(args.to) if args.to else ""  # noqa: PTH100 - a link stays one
            placed = place(file, checked, secrets, to=to, force=args.force)
            lines = next_steps(checked.manifest, placed, to=to, sealed=checked.sealed != b"" and secrets is None)
    for line in lines:
        print(line)  # noqa: T201 - what was asked for
    return 0


def _opened(checked: Checked, file: str | None) -> bytes:
    from hearthbus.backup.passphrase import passphrase
    from hearthbus.backup.sealing import unseal

    return unseal(checked.sealed, passphrase(file, new=False))


def contents(manifest: Manifest, *, opened: bool = False) -> list[str]:
    """Say what is in a backup, and whether a passphrase has `opened` its secrets."""
    lines = [f"made {manifest.made} on {manifest.host} by hearthbus {manifest.hearthbus}; it is whole"]
    lines += [f"{entry.path}  {entry.size} bytes" for entry in manifest.entries if not entry.folder]
    sealed = "sealed; this passphrase opens them" if opened else "sealed"
    lines += [f"{manifest.secrets} files of secrets, {sealed}"] if manifest.secrets else []
    return lines + [f"not in it: {path}" for path in manifest.left_out]


def next_steps(manifest: Manifest, placed: Placed, *, to: str, sealed: bool) -> list[str]:
    """Say what was done, and what is to be done."""
    for note in placed.notes:
        complain(note)
    lines = [f"restored {placed.files} files, of the house as it was on {manifest.made}"]
    lines += [f"not in the backup: {path}; put it there again" for path in manifest.left_out]
    if sealed:
        lines.append("the secrets stayed sealed; without --without-secrets they are restored too")
    if to:
        return [*lines, f"everything is below {to}"]
    config = f" {placed.config}" if placed.config else ""
    if placed.config.startswith("/etc/"):
        units = " ".join(f"hearthbus@{name}" for name in services(placed.config))
        start = f"sudo systemctl daemon-reload && sudo systemctl enable --now hearthbus-broker {units}".rstrip()
    else:
        start = "hearthbus up"
    return [*lines, f"next: hearthbus check{config}", f"      {start}", "      hearthbus doctor"]


def services(config: str) -> list[str]:
    """Return the names of the services that a configuration file has tables for."""
    from hearthbus.config import RESERVED
    from hearthbus.config.files import read_tables

    tables, _, _ = read_tables(config)
    return [name for name in tables if name not in RESERVED]
