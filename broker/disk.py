"""The disk's two threads: one writes commits, one reads pages, so that a slow card never holds up a message.

Results are left in `done` and the loop is woken through a pipe. SQLite's errors come back as text; a file that
cannot be opened is tried again with every commit.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import deque
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

from broker import store
from broker.memory import Reading

if TYPE_CHECKING:
    from pathlib import Path

    from broker.config import BrokerConfig
    from broker.pages import Job
    from broker.rows import Commit

COMMITS_PER_CLEANING = 64
AGE_PAUSE_S = 600.0
"""Seconds between two deletions by age, of a twentieth of the journal each: a clock that is a year ahead for an hour
leaves two thirds."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """A commit was written; or was not, and `error` says why."""

    error: str


@dataclass(frozen=True, kw_only=True)
class Read:
    """A page was read."""

    job: Job
    reading: Reading
    oldest: int


class Disk:
    """A writer and a reader beside the loop; each has its own connection to the same file."""

    def __init__(self, folder: Path, config: BrokerConfig) -> None:
        self.done: deque[Written | Read] = deque()
        self.woken, self._wake = os.pipe()
        os.set_blocking(self.woken, False)
        self._folder = folder
        self._config = config
        self._next_by_age = 0.0
        self._commits: SimpleQueue[tuple[Commit, int] | None] = SimpleQueue()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._write_all, name="journal-writer", daemon=True),
            threading.Thread(target=self._read_all, name="journal-reader", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def write(self, commit: Commit, wall: int) -> None:
        """Write a commit; `wall` is now, in nanoseconds, for the journal's age limit."""
        self._commits.put((commit, wall))

    def read(self, job: Job) -> None:
        """Read a page."""
        self._jobs.put(job)

    def close(self) -> None:
        """Finish what was given and stop; the results are in `done`."""
        self._commits.put(None)
        self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def drain(self) -> None:
        """Empty the pipe that woke the loop."""
        try:
            while os.read(self.woken, 4096):
                pass
        except BlockingIOError:
            pass

    def _write_all(self) -> None:
        connection = self._connected_early()
        count = 0
        while (given := self._commits.get()) is not None:
            commit, wall = given
            error = ""
            try:
                connection = connection or store.connect(self._folder)
                store.write(connection, commit)
                count += 1
                if count % COMMITS_PER_CLEANING == 1:
                    self._clean(connection, commit, wall)
            except Exception as fault:  # noqa: BLE001 - SQLite, the disk, a damaged value: the thread must go on
                error = f"{self._folder / store.FILE}: {fault}"
                if connection is not None:
                    connection.close()  # opened while the disk was read-only, it would stay so
                    connection = None
            self._finish(Written(error=error))
        if connection is not None:
            connection.close()

    def _connected_early(self) -> sqlite3.Connection | None:
        """Open the file at once: later, clients may have taken every file descriptor there is."""
        if not os.access(self._folder, os.W_OK):
            return None  # opened on a read-only disk, it would stay read-only
        try:
            return store.connect(self._folder)
        except (sqlite3.Error, OSError):
            return None  # tried again when there is something to do

    def _clean(self, connection: sqlite3.Connection, commit: Commit, wall: int) -> None:
        """Delete what is too much, and seldom what is too old: the wall clock may be wrong, for a while."""
        before = 0
        if time.monotonic() >= self._next_by_age:
            self._next_by_age = time.monotonic() + AGE_PAUSE_S
            before = max(0, wall - int(self._config.keep_days * 86400e9))
        store.retain(connection, before=before, size=self._config.keep_mb * 1_000_000, needed=commit.oldest_needed)

    def _read_all(self) -> None:
        early = self._connected_early()
        reader = store.Reader(early) if early is not None else None
        while (job := self._jobs.get()) is not None:
            try:
                reader = reader or store.Reader(store.connect(self._folder))
                reading, oldest = reader.read(job.query, job.recent)
            except Exception:  # noqa: BLE001 - as above; what is in memory is answered, and the gap shows
                reading, oldest = Reading(job.query), 0
                reading.feed(job.recent)
            self._finish(Read(job=job, reading=reading, oldest=oldest))
        if reader is not None:
            reader.connection.close()

    def _finish(self, result: Written | Read) -> None:
        self.done.append(result)
        os.write(self._wake, b"!")
