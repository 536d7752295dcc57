"""Is there room, may it be written, and is the card dying?"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hearthbus.backup.belongings import STORE, UNFINISHED
from hearthbus.doctor.finding import bad, ok, warn
from hearthbus.doctor.kernel import messages
from hearthbus.doctor.machine import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hearthbus.doctor.finding import Finding
    from hearthbus.doctor.scene import Scene

FULL_MB: Final = 64
TIGHT_MB: Final = 512
_ERRORS: Final = re.compile(
    r"mmc\d+: .*(?:error|timeout|tuning.*failed)|I/O error,? .*(?:mmcblk|sd[a-z]|nvme)|(?:EXT4|BTRFS|F2FS)-fs error"
    r"|Remounting filesystem read-only|Buffer I/O error"
)
"""What the kernel says of a disk that fails."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The disk the journal is on."""

    folder: str = ""
    free_mb: int = 0
    size_mb: int = 0
    inodes_free: int = -1
    """-1 where the file system has no such limit."""
    read_only: bool = False
    journal_mb: int = -1
    """-1 where it is not there, or only others may see it."""
    keep_mb: int = 256
    aside: tuple[str, ...] = ()
    """Journals that were damaged, and set aside."""
    unfinished: bool = False
    """A restore was cut short."""
    errors: tuple[str, ...] = ()
    """What the kernel said of failing disks."""
    readable: bool = True
    """Who asks may read what the kernel says."""


def gather(scene: Scene) -> Facts:
    """Ask for the state folder's file system, or that of the nearest folder above that is there."""
    if not scene.data:
        return Facts()
    folder = next((part for part in (Path(scene.data), *Path(scene.data).parents) if part.is_dir()), Path("/"))
    try:
        disk = os.statvfs(folder)
    except OSError:
        return Facts(folder=str(folder))
    kernel = messages()
    names = listed(scene.data)
    try:
        size = sum((Path(scene.data) / name).stat().st_size for name in names if name in {STORE, f"{STORE}-wal"}) >> 20
    except OSError:
        size = -1
    return Facts(
        folder=scene.data,
        free_mb=disk.f_bavail * disk.f_frsize >> 20,
        size_mb=disk.f_blocks * disk.f_frsize >> 20,
        inodes_free=disk.f_favail if disk.f_files else -1,
        read_only=bool(disk.f_flag & os.ST_RDONLY),
        journal_mb=size if STORE in names else -1,
        keep_mb=int(getattr(scene.broker, "keep_mb", 256)),
        aside=tuple(name for name in names if ".damaged-" in name and not name.endswith(("-wal", "-shm"))),
        unfinished=UNFINISHED in names,
        errors=tuple(line for line in kernel or () if _ERRORS.search(line))[-3:],
        readable=kernel is not None or os.geteuid() == 0,  # in a container root may not either
    )


def judge(facts: Facts) -> Iterator[Finding]:
    """Say whether what is confirmed can be kept."""
    if not facts.folder:
        yield ok("the journal is on another machine")
        return
    if facts.unfinished:
        yield bad(f"a restore into {facts.folder} was cut short", "type the same hearthbus restore once more")
    if facts.read_only:
        yield bad(
            f"the disk of {facts.folder} is read-only",
            "sudo dmesg tells why; a failing card does this: make a backup, use a new card",
        )
    if facts.free_mb < FULL_MB:
        yield bad(
            f"the disk of {facts.folder} has {facts.free_mb} MB free",
            "sudo journalctl --vacuum-size=50M; sudo apt clean; du -xh / | sort -h | tail",
        )
    elif facts.free_mb < TIGHT_MB:
        yield warn(
            f"the disk of {facts.folder} has {facts.free_mb} MB free",
            "sudo journalctl --vacuum-size=50M; sudo apt clean",
        )
    if 0 <= facts.inodes_free < 1000:
        yield bad(
            f"the disk of {facts.folder} can hold {facts.inodes_free} more files only",
            "find the folder with many small files, and empty it",
        )
    for line in facts.errors:
        yield bad(
            f"the kernel says: {line}",
            "make a backup today: hearthbus backup; then use a new card, or a better power supply",
        )
    for name in facts.aside:
        yield warn(
            f"{facts.folder}/{name}: a damaged journal, set aside",
            "what was sound is in the new one; remove it when nothing is missed",
        )
    if facts.journal_mb > 2 * facts.keep_mb + 16:
        yield warn(
            f"the journal has {facts.journal_mb} MB, above [broker] keep_mb = {facts.keep_mb}",
            "was keep_mb lowered? what is deleted is used again, not given back to the disk",
        )
    journal = f", the journal {facts.journal_mb} MB" if facts.journal_mb >= 0 else ""
    kernel = "" if facts.readable else "; what the kernel says of the card only root may read: sudo hearthbus doctor"
    yield ok(f"{facts.free_mb} of {facts.size_mb} MB free at {facts.folder}{journal}{kernel}")
