"""The port on a serial device: it comes and goes, is noisy, silent, stalled or taken; ptys stand for sticks."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import struct
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from stick import FAST, SOON_S, Stick, gather, until

from drivers import wire
from drivers.port import Lost, Opened, Port, Silent
from drivers.rf12.lines import Lines
from drivers.rf12.values import Broken, Heard

if TYPE_CHECKING:
    from collections.abc import Iterator

TIOCGEXCL = 0x80045440
"""Linux: whether TIOCEXCL is set; Python's termios does not name it."""


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    made = Stick(tmp_path)
    made.plug()
    yield made
    made.pull()


def open_files() -> int:
    """Count this process's file descriptors."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_both_directions(stick: Stick) -> None:
    """Bytes go in and out as they are, control characters and all."""
    every = bytes(range(256))
    async with Port(str(stick.path)) as port:
        await until(port, Opened)
        stick.say(every)
        await port.write(every)

        assert every == await gather(port, 256)
        assert every == os.read(stick.master, 4096)


async def test_unplugged_a_hundred_times(stick: Stick) -> None:
    """Each time it comes back, the port opens it and what it says arrives."""
    async with Port(str(stick.path), delays=FAST) as port:
        before = open_files()
        for turn in range(100):
            await until(port, Opened)
            stick.say(b"%d\n" % turn)

            assert b"%d\n" % turn == await gather(port, len(str(turn)) + 1)
            stick.pull()
            await until(port, Lost)
            stick.plug()

        assert before >= open_files()


async def test_half_a_line_before_it_is_pulled(stick: Stick) -> None:
    """What was said before the plug was pulled arrives before the loss; the next connection starts afresh."""
    async with Port(str(stick.path), delays=FAST) as port:
        await until(port, Opened)
        stick.say(b"OK 37 16")
        half = await gather(port, 8)
        stick.pull()
        await until(port, Lost)
        stick.plug()
        await until(port, Opened)
        stick.say(b"OK 5 1\r\n")
        heard = Lines().feed(await gather(port, 8))

        assert b"OK 37 16" == half
        assert [b"\x01"] == [value.payload for value in heard if isinstance(value, Heard)]


async def test_noise_of_a_wrong_speed(stick: Stick) -> None:
    """Noise is dropped line by line, and what makes sense among it is read."""
    noise = bytes((seed * 197 + 13) % 256 for seed in range(3000)).replace(b"\n", b"\xfe")
    async with Port(str(stick.path)) as port:
        await until(port, Opened)
        stick.say(noise + b"\nOK 5 7\r\n")
        values = Lines().feed(await gather(port, len(noise) + 9))

        assert [b"\x07"] == [value.payload for value in values if isinstance(value, Heard)]
        assert any(isinstance(value, Broken) for value in values)


async def test_delays_grow_and_the_last_repeats(tmp_path: Path) -> None:
    """A device that is not there is tried after each delay in turn, for ever."""
    async with Port(str(tmp_path / "none"), delays=(0.001, 0.002, 0.003)) as port:
        found = [await until(port, Lost) for _ in range(5)]

    assert [0.001, 0.002, 0.003, 0.003, 0.003] == [event.retry_s for event in found if isinstance(event, Lost)]
    said = {event.reason for event in found if isinstance(event, Lost)}

    assert {"there is no such port; `ls /dev/serial/by-id` shows what is plugged in"} == said


async def test_a_folder_is_no_port(tmp_path: Path) -> None:
    """It is said so, not in the words of the system."""
    async with Port(str(tmp_path)) as port:
        lost = await until(port, Lost)

    assert isinstance(lost, Lost)
    assert "it is a folder, no port" == lost.reason


async def test_a_port_one_may_not_open_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    """The group is what everybody forgets; root, whom nothing is refused, runs this too."""

    async def refuse(address: str, *, baud: int) -> wire.Wire:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), address, baud)

    monkeypatch.setattr(wire, "connect", refuse)
    async with Port("/dev/ttyUSB0") as port:
        lost = await until(port, Lost)

    assert isinstance(lost, Lost)
    assert "sudo adduser $USER dialout" in lost.reason


async def test_delays_grow_for_what_opens_and_says_nothing(stick: Stick) -> None:
    """Opening alone proves nothing: only data resets the delays."""
    delays = (0.001, 0.002, 0.003)
    async with Port(str(stick.path), delays=delays) as port:
        silent, spoken = [], []
        for _ in delays:
            await until(port, Opened)
            port.drop("test")
            silent.append(await until(port, Lost))
        await until(port, Opened)
        stick.say(b"x")
        await gather(port, 1)
        port.drop("test")
        spoken.append(await until(port, Lost))

    assert list(delays) == [event.retry_s for event in silent if isinstance(event, Lost)]
    assert [0.001] == [event.retry_s for event in spoken if isinstance(event, Lost)]


async def test_silence_is_told_each_time(stick: Stick) -> None:
    """A port that says nothing is reported after each such time, with the whole time; data begins it anew."""
    async with Port(str(stick.path), silence_s=0.02) as port:
        first, second = await until(port, Silent), await until(port, Silent)
        stick.say(b"x")
        await gather(port, 1)
        third = await until(port, Silent)

    assert isinstance(first, Silent)
    assert isinstance(second, Silent)
    assert isinstance(third, Silent)
    assert 0.02 <= first.seconds < second.seconds
    assert second.seconds >= 0.04


async def test_only_one_has_the_port(stick: Stick) -> None:
    """A second opener is told that another program has it; when the first lets go, it gets it."""
    async with Port(str(stick.path), delays=FAST) as first, Port(str(stick.path), delays=FAST) as second:
        await until(first, Opened)
        refused = await until(second, Lost)
        first.close()

        assert isinstance(refused, Lost)
        assert "another program has it open; end that first" == refused.reason
        assert isinstance(await until(second, Opened), Opened)


async def test_a_pty_is_not_marked(stick: Stick) -> None:
    """A pty outlives who opened it: it must not stay marked as taken for other users after a crash."""
    async with Port(str(stick.path)) as port:
        await until(port, Opened)
        with stick.path.open("rb", buffering=0) as other:
            mark = struct.unpack("i", fcntl.ioctl(other, TIOCGEXCL, bytes(4)))

    assert (0,) == mark


async def test_what_is_no_device(tmp_path: Path) -> None:
    """A plain file is refused by name."""
    file = tmp_path / "notes.txt"
    file.write_text("no modem")
    async with Port(str(file), delays=FAST) as port:
        refused = await until(port, Lost)

    assert isinstance(refused, Lost)
    assert "it is no serial device" == refused.reason


async def test_a_reset_line_on_a_pty_does_nothing(stick: Stick) -> None:
    """A pty has no DTR; asking for a reset is no error, and the port goes on."""
    async with Port(str(stick.path)) as port:
        await until(port, Opened)
        await port.reset()
        stick.say(b"on")

        assert b"on" == await gather(port, 2)


async def test_writing_what_is_not_open() -> None:
    """Writing to a closed port is an error at once."""
    async with Port("/dev/does-not-exist") as port:
        with pytest.raises(ConnectionError, match="/dev/does-not-exist is not open"):
            await port.write(b"v")


async def test_a_device_that_takes_nothing(stick: Stick) -> None:
    """A stalled device never blocks the loop; after its time the port drops it, and its writer hears why."""
    async with Port(str(stick.path), delays=FAST, write_s=0.2) as port:
        await until(port, Opened)
        writing = asyncio.create_task(port.write(bytes(60_000)))
        await asyncio.sleep(0)
        assert not writing.done()
        with pytest.raises(ConnectionError, match="takes no data"):
            await port.write(bytes(30_000))
        lost = await until(port, Lost)

        assert Lost(reason="the device takes no data", retry_s=0.001) == lost
        with pytest.raises(ConnectionError):
            await writing
        assert isinstance(await until(port, Opened), Opened)


async def test_pulled_while_writing(stick: Stick) -> None:
    """A writer that waits for a device that is pulled hears of it."""
    async with Port(str(stick.path), delays=FAST) as port:
        await until(port, Opened)
        writing = asyncio.create_task(port.write(bytes(60_000)))
        await asyncio.sleep(0)
        stick.pull()
        await until(port, Lost)

        with pytest.raises(ConnectionError):
            await writing


async def test_a_cancelled_writer_leaves_no_half_command(stick: Stick) -> None:
    """What was handed over goes out whole, so that the next command is not joined with a half one."""
    async with Port(str(stick.path)) as port:
        await until(port, Opened)
        writing = asyncio.create_task(port.write(b"a" * 50_000))
        await asyncio.sleep(0)
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        got = bytearray()
        reader = threading.Thread(target=_drain, args=(stick.master, got, 50_002))
        reader.start()
        await port.write(b"b\n")
        await asyncio.to_thread(reader.join, SOON_S)

        assert b"a" * 50_000 + b"b\n" == bytes(got)
        assert port._wire is not None
        assert not asyncio.get_running_loop().remove_writer(port._wire._fd), "the loop still asks whether it may write"


async def test_a_reader_that_is_slow(stick: Stick) -> None:
    """What waits for a slow reader is bounded, the device is held back meanwhile, and no byte is lost."""
    spoken = bytes(range(256)) * 1200
    async with Port(str(stick.path)) as port:
        await until(port, Opened)
        assert port._wire is not None
        speaker = threading.Thread(target=_speak, args=(stick.master, spoken))
        speaker.start()
        async with asyncio.timeout(SOON_S):
            while len(port._wire._in) < wire.MOST:
                await asyncio.sleep(0)
        for _ in range(1000):
            await asyncio.sleep(0)
        waiting = len(port._wire._in)

        assert wire.MOST + wire.CHUNK >= waiting
        assert spoken == await gather(port, len(spoken))
        await asyncio.to_thread(speaker.join, SOON_S)


def _speak(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _drain(fd: int, into: bytearray, count: int) -> None:
    while len(into) < count:
        into += os.read(fd, 4096)
