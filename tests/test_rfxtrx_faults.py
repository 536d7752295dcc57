"""What happens to a stick: pulled out, deaf, hung, noisy, its answers lost. It comes back, and says what was wrong."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from figures import figure
from rfxtrx_scene import TIMES, scene

from drivers.rfxtrx.packet import Packet
from services.rfxtrx.settings import Settings
from services.rfxtrx.stick import Fate, Stick
from services.rfxtrx.twin.stick import Fault, SimulatedStick

if TYPE_CHECKING:
    from rfxtrx_scene import Scene

TH1 = bytes.fromhex("0a520100ab0100d7290189")
ON = bytes.fromhex("0b11000000d5a0e201010f00")


def open_files() -> int:
    """Count this process's file descriptors."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def heard_again(house: Scene) -> None:
    """Wait until a packet has come through."""
    house.heard.clear()
    await house.until(lambda: house.hear(TH1, "oregon"))
    await house.until(lambda: any(isinstance(each, Packet) for each in house.heard))


async def test_pulled_out_a_hundred_times_in_mid_frame(tmp_path: Path) -> None:
    """Each time it receives again within two seconds, in the same process, and nothing stays open behind it."""
    loop = asyncio.get_running_loop()
    slowest = 0.0
    async with scene(tmp_path) as house:
        before = open_files()
        for turn in range(100):
            house.device.inject(TH1[: 1 + turn % 10])
            house.terminal.wake()
            await house.until(lambda: house.stick.session.frames.due() is not None)
            house.terminal.unplug()
            await house.until(lambda: not house.stick.open)
            house.device.power()
            house.terminal.plug()
            began = loop.time()
            await house.until(lambda: house.stick.ready)
            slowest = max(slowest, loop.time() - began)
        await heard_again(house)
        outcome = await house.stick.send(ON)
        after = open_files()

    assert slowest < 2.0
    assert Fate.SENT is outcome.fate
    assert before >= after
    assert 101 == house.terminal.opened
    figure(10, f"unplugged 100 times in mid-frame: back after {slowest:.2f} s at most, descriptors {before} -> {after}")


async def test_pulled_out_while_it_transmits(tmp_path: Path) -> None:
    """Who waits is told at once that it is away, and why."""
    async with scene(tmp_path, device=SimulatedStick(Random(1), air_s=60)) as house:
        sending = asyncio.ensure_future(house.stick.send(ON))
        waiting = asyncio.ensure_future(house.stick.send(ON))
        await house.until(lambda: len(house.device.sent) == 1)
        house.terminal.unplug()
        outcomes = await asyncio.gather(sending, waiting)
        how = house.stick.how()

    assert [Fate.AWAY, Fate.AWAY] == [each.fate for each in outcomes]
    assert str(tmp_path / "tty") in outcomes[0].reason
    assert "away" == how["status"]
    assert how["reason"]


async def test_a_stick_in_its_boot_loader(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It answers the first reset with zeros; it is left alone, and then it starts."""
    device = SimulatedStick(Random(1), boot_s=0.5, loader_s=0.3)
    async with scene(tmp_path, device=device) as house:
        await heard_again(house)

    assert "it is in its boot loader; waiting" in caplog.text
    assert 0 == house.stick.figures()["bytes_skipped"]


async def test_a_hung_stick(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is asked, reset, its port opened again and again, and that is said; it is back when its plug was pulled."""
    async with scene(tmp_path, silence_s=0.2, times=replace(TIMES, patience=0.6, answer=0.2)) as house:
        house.device.faults = {Fault.HUNG}
        await house.until(lambda: house.stick.figures()["starts_failed"] >= 2)
        away = house.stick.how()
        outcome = await house.stick.send(ON)
        house.terminal.unplug()
        house.device.power()
        house.terminal.plug()
        await heard_again(house)

    assert "away" == away["status"]
    assert "it does not answer" in away["reason"]
    assert Fate.AWAY is outcome.fate
    assert house.terminal.opened >= 3
    assert "resetting it" in caplog.text
    assert "pull it out and put it back" in caplog.text


async def test_a_deaf_stick(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One that answers, and has heard nothing since it last did, is reset; and that is said."""
    async with scene(tmp_path, silence_s=0.1, times=replace(TIMES, deaf_for=0.5)) as house:
        await heard_again(house)
        house.device.faults = {Fault.DEAF}
        resets = house.device.resets
        await house.until(lambda: house.device.resets > resets)
        house.device.faults = set()
        await heard_again(house)

    assert "it answers, and has heard nothing for" in caplog.text


@pytest.mark.parametrize(
    ("fault", "fate", "said"),
    [
        (Fault.NAK, Fate.NAK, "did not lock"),
        (Fault.DELAYED, Fate.DELAYED, "busy"),
        (Fault.OTHER_NUMBER, Fate.SENT, ""),
        (Fault.STUTTER, Fate.SENT, ""),
        (Fault.GARBAGE, Fate.SENT, ""),
    ],
)
async def test_how_a_transmission_ends(tmp_path: Path, fault: Fault, fate: Fate, said: str) -> None:
    """By what the stick answers, whatever its number, and however its bytes come."""
    async with scene(tmp_path) as house:
        house.device.faults = {fault}
        outcome = await house.stick.send(ON)

    assert fate is outcome.fate
    assert said in outcome.reason


async def test_lost_acks(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a time-out and is not sent again; after two the stick is asked; the port stays open."""
    monkeypatch.setattr("drivers.rfxtrx.transmissions.ANSWER_S", 0.2)
    async with scene(tmp_path) as house:
        house.device.faults = {Fault.NO_ACK}
        lost = [(await house.stick.send(ON)).fate for _ in range(2)]
        house.device.faults = set()
        found = await house.stick.send(ON)

    assert [Fate.TIMEOUT, Fate.TIMEOUT] == lost
    assert Fate.SENT is found.fate
    assert 3 == len(house.device.sent)
    assert 1 == house.terminal.opened
    assert "2 transmissions in a row were not acknowledged" in caplog.text


async def test_noise_between_the_frames(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Packets come through it; what was skipped is counted, and said once."""
    async with scene(tmp_path) as house:
        house.device.faults = {Fault.GARBAGE}
        await house.until(lambda: house.hear(TH1, "oregon") and len(house.heard) > 50)
        house.device.faults = set()
        await heard_again(house)

    assert house.stick.figures()["bytes_skipped"] > 10
    assert 1 == caplog.text.count("bytes were skipped")


async def test_a_byte_at_a_time(tmp_path: Path) -> None:
    """The whole start, and packets, with each byte on its own."""
    device = SimulatedStick(Random(1))
    device.faults = {Fault.STUTTER}
    async with scene(tmp_path, device=device) as house:
        await heard_again(house)
        skipped = house.stick.figures()["bytes_skipped"]

    assert 0 == skipped


async def test_a_stick_that_loses_its_modes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """After a moment without power it has those it had saved; they are set again at the next look, and it receives."""
    async with scene(tmp_path, protocols=("lighting4", "rsl")) as house:
        house.device.forget()
        status = await house.stick.refresh()
        await house.until(lambda: house.stick.ready and house.stick.protocols == {"lighting4", "rsl"})

    assert status is not None
    assert {"lighting4", "rsl"} == house.device.protocols
    assert house.device.receives
    assert 0 == house.device.wear
    assert "not those wanted any more" in caplog.text


class Bridge:
    """A network gateway with a stick behind it, as ser2net is; who is connected can be thrown out."""

    def __init__(self) -> None:
        self.device = SimulatedStick(Random(1))
        self.guests: list[asyncio.StreamWriter] = []
        self.met = 0

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry bytes both ways."""
        loop = asyncio.get_running_loop()
        self.guests.append(writer)
        self.met += 1
        with suppress(ConnectionError):
            while not reader.at_eof():
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        data = await reader.read(4096)
                        self.device.run(loop.time())
                        self.device.write(data)
                self.device.run(loop.time())
                writer.write(self.device.read())
        writer.close()

    def hang_up(self) -> None:
        """Throw everybody out."""
        for guest in self.guests:
            guest.transport.abort()
        self.guests.clear()


async def test_a_dropped_tcp_connection() -> None:
    """It is connected to again each time, and receives within two seconds."""
    bridge = Bridge()
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(bridge.greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    heard: list[Packet | bytes] = []

    async def hear(packet: Packet | bytes) -> None:
        heard.append(packet)

    settings = Settings(port=f"socket://127.0.0.1:{port}")
    stick = Stick("rfxtrx", settings, log=logging.getLogger("r"), heard=hear, changed=lambda: None, times=TIMES)
    tasks = [asyncio.ensure_future(each) for each in (stick.run(), stick.tick())]
    slowest = 0.0
    async with server, asyncio.timeout(60):
        for turn in range(20):
            began = loop.time()
            while not stick.ready:
                await asyncio.sleep(0.002)
            slowest = max(slowest, loop.time() - began)
            if turn < 19:
                bridge.hang_up()
                while stick.open:
                    await asyncio.sleep(0.002)
        outcome = await stick.send(ON)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        bridge.hang_up()

    assert slowest < 2.0
    assert 20 == bridge.met
    assert Fate.SENT is outcome.fate


async def test_a_bridge_that_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    """It says so and hangs up, each time: it is asked less and less often, and that is said once."""
    met = []

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(asyncio.get_running_loop().time())
        writer.write(b"Port already in use\r\n")
        writer.close()

    async def hear(_: object) -> None: ...

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    settings = Settings(port=f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    stick = Stick("rfxtrx", settings, log=logging.getLogger("r"), heard=hear, changed=lambda: None, times=TIMES)
    tasks = [asyncio.ensure_future(each) for each in (stick.run(), stick.tick())]
    async with server, asyncio.timeout(30):
        while len(met) < 4:
            await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    assert met[3] - met[2] > 0.9
    assert len(caplog.records) <= 2
