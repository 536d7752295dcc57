"""What goes wrong around the RFXtrx service, as a house sees it: a process, a real broker, a simulated stick's port."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from conftest import HEARTHBUS
from test_rfxtrx_house import TABLES, begin, press, scene

from hearthbus import HandlerError, HearthbusError
from hearthbus.message import encode_body
from services.rfxtrx.twin.stick import Fault

if TYPE_CHECKING:
    from conftest import Broker
    from jeenode_house import Scene

DIMMERS = "".join(
    f'lamp{unit} = {{{{ id = "lighting2.ac.0d5a0ff.{unit}", kind = "light" }}}}\n' for unit in range(1, 17)
)
HEALTH = "service/rfxtrx/health"


async def status_row(broker: Broker) -> str:
    """Return what `hearthbus status` says of the service."""
    process = await asyncio.create_subprocess_exec(
        *HEARTHBUS, "status", "--url", broker.url, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return next((line for line in out.decode().splitlines() if line.startswith("rfxtrx")), out.decode())


async def wrong(house: Scene, text: str) -> None:
    """Wait until the service's health says what is wrong."""
    await house.see(HEALTH, lambda body: text in body.get("trouble", ""))


async def well(house: Scene) -> None:
    """Wait until nothing is."""
    await house.see(HEALTH, lambda body: "trouble" not in body)
    await house.see("rfxtrx/stick", lambda body: body["status"] == "online")


async def test_a_stick_that_was_never_there(broker: Broker) -> None:
    """Health, `hearthbus status` and the log say it; the log once, however often it was looked for."""
    async with scene(broker, start=False) as house:
        await house.until(lambda: house.terminal.plugged)
        house.terminal.unplug()
        await house.start("rfxtrx")
        await wrong(house, "there is no such port")
        row = await status_row(broker)
        press_later = await house.see("rfxtrx/stick")
        await asyncio.sleep(1.5)  # looks for it three times more
        said = house.log.read_text()
        house.terminal.plug()
        await well(house)
        healthy = await status_row(broker)

    assert f"the RFXtrx at {broker.folder}/tty: there is no such port" in row
    assert "away" == press_later.body["status"]
    assert 1 == said.count("no such port")
    assert "no such port" not in healthy


async def test_a_stick_that_hangs(broker: Broker) -> None:
    """The service lives on and says so, tells whoever asks, and goes on when the plug was pulled and put back."""
    tables = TABLES.replace("heard_times", "silence_s = 5\nheard_times")
    async with scene(broker, tables=tables) as house:
        pid = (await house.see("service/rfxtrx")).body["pid"]
        stick: Any = house.house.stick  # type: ignore[attr-defined]
        stick.faults = {Fault.HUNG}
        await wrong(house, "it has not answered for")
        with suppress(HandlerError):
            answer = await house.bus.request("light/desk/set", on=True)
            raise AssertionError(answer)
        row = await status_row(broker)
        house.terminal.unplug()
        stick.power()
        house.terminal.plug()
        await well(house)
        answer = await house.bus.request("light/desk/set", on=True)
        now = (await house.see("service/rfxtrx")).body["pid"]
        said = house.log.read_text()

    assert "it has not answered for" in row or "it does not answer" in row
    assert answer["confirmed"]
    assert pid == now
    assert 1 == said.count("it has not answered for")


async def test_a_deaf_stick_is_there_all_the_same(broker: Broker) -> None:
    """It answers, so it is online; what is sent through it is confirmed."""
    async with scene(broker) as house:
        house.house.stick.faults = {Fault.DEAF}  # type: ignore[attr-defined]
        status = await house.bus.request("rfxtrx/status", refresh=True)
        answer = await house.bus.request("light/desk/set", on=True)

    assert ("online", True) == (status["status"], answer["confirmed"])


async def test_killed_at_any_moment(broker: Broker) -> None:
    """Between a command and its answer, and while somebody moves: what was told stands, numbers go on, motion ends."""
    tables = TABLES + 'plug = {{ id = "lighting6.blyss.1234.b.3" }}\n'
    told = []
    async with scene(broker, tables=tables) as house:
        press(house, "motion")
        await house.see("sensor/stairs/motion", lambda body: body["value"])
        for turn in range(4):
            asking = asyncio.ensure_future(house.bus.request("switch/plug/set", on=turn % 2 == 0))
            await house.until(lambda turn=turn: len(house.house.stick.sent) > turn)  # type: ignore[attr-defined, misc]
            told.append(house.house.receivers["lighting6.blyss.1234.b.3"])  # type: ignore[attr-defined]
            await house.stop(kill=True)
            with suppress(HearthbusError):
                await asking
            await begin(house)
        async with asyncio.timeout(20):
            while (await house.bus.get("sensor/stairs/motion"))[0]["value"]:
                await asyncio.sleep(0.02)
        answer = await house.bus.request("switch/plug/set", on=True)

    assert [1, 2, 3, 4] == [each.command_sequence for each in told]
    assert {"on": True, "confirmed": True} == answer


async def test_stopped_and_going_on(broker: Broker) -> None:
    """A machine that stood still for a moment: what was heard meanwhile comes, what is asked is done."""
    async with scene(broker) as house:
        pid = (await house.see("service/rfxtrx")).body["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            press(house, "remote-1-on")
            await asyncio.sleep(3)  # it stands still for so long
        finally:
            os.kill(pid, signal.SIGCONT)
        by_hand = await house.see("light/desk")
        answer = await house.bus.request("light/desk/set", on=False)

    assert {"on": True, "confirmed": False} == by_hand.body
    assert {"on": False, "confirmed": True} == answer


async def test_the_broker_comes_back(broker: Broker) -> None:
    """Lights are served again, and what was heard meanwhile is state, all in the same process."""
    async with scene(broker) as house:
        pid = (await house.see("service/rfxtrx")).body["pid"]
        broker.kill()
        press(house, "remote-1-on")
        broker.start()
        by_hand = await house.see("light/desk")
        answer: dict[str, Any] = {}
        async with asyncio.timeout(20):
            while not answer:
                with suppress(HearthbusError):
                    answer = await house.bus.request("light/desk/set", on=False)
        now = (await house.see("service/rfxtrx", lambda body: body["status"] == "online")).body["pid"]

    assert by_hand.body["on"] is True
    assert {"on": False, "confirmed": True} == answer
    assert pid == now


async def test_five_hundred_commands_at_once(broker: Broker) -> None:
    """To sixteen lamps: each ends as it was told last; every answer is honest; at most a quarter is transmitted."""
    async with scene(broker, tables=TABLES + DIMMERS) as house, broker.bus("other") as other:
        house.house.stick.air_s = 0.01  # type: ignore[attr-defined]
        wanted: dict[int, int] = {}
        asked = []
        for number in range(500):
            unit, level = number % 16 + 1, number * 7 % 15 + 1
            wanted[unit] = level
            bus = (house.bus, other)[number % 2]  # a broker lets nobody have more than 256 requests waiting
            asked.append(bus.request(f"light/lamp{unit}/set", brightness=level / 16, timeout=30))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for unit, level in wanted.items():
            state = {"on": True, "brightness": round(level / 16, 3), "confirmed": True}
            await house.see(f"light/lamp{unit}", lambda body, state=state: body == state)  # type: ignore[misc]
        receivers: Any = house.house.receivers  # type: ignore[attr-defined]
        levels = {unit: receivers[f"lighting2.ac.0d5a0ff.{unit}"].level + 1 for unit in wanted}
        sent = len(house.house.stick.sent)  # type: ignore[attr-defined]

    assert [] == [each for each in answers if isinstance(each, BaseException)]
    assert wanted == levels
    assert sent <= 125
    assert 1 <= sum(each["confirmed"] for each in answers if isinstance(each, dict)) <= sent


async def test_protocols_that_a_request_has_set(broker: Broker) -> None:
    """They outlast the service and the stick's power; the stick's own memory is not written."""
    tables = "\n".join(line for line in TABLES.splitlines() if not line.startswith("protocols"))
    async with scene(broker, tables=tables) as house:
        await house.bus.request("rfxtrx/protocols", set=["ac", "visonic"])
        await house.see("rfxtrx/stick", lambda body: body.get("protocols_wanted_by") == "request")
        await house.stop()
        stick: Any = house.house.stick  # type: ignore[attr-defined]
        stick.power()
        before = stick.protocols
        await begin(house)

    assert before != {"ac", "visonic"} == stick.protocols
    assert 0 == stick.wear


async def test_protocols_of_the_configuration_come_back(broker: Broker) -> None:
    """A request changes them until the service starts again, and is told so."""
    async with scene(broker) as house:
        answer = await house.bus.request("rfxtrx/protocols", set=["ac"])
        await house.see("rfxtrx/stick", lambda body: body["protocols"] == ["ac"])
        await house.stop()
        await begin(house)
        stand = await house.see("rfxtrx/stick", lambda body: body["status"] == "online")

    assert "set again when the service restarts" in answer["reason"]
    assert ["ac", "byron_sx", "oregon", "x10"] == stand.body["protocols"]


async def test_a_signal_as_its_pulses(broker: Broker) -> None:
    """It goes in parts, one behind the other, and is answered once."""
    async with scene(broker) as house:
        answer = await house.bus.request("rfxtrx/send", pulses=[400, 800] * 100, repeats=3)
        sent: Any = house.house.stick.sent  # type: ignore[attr-defined]
        parts = [(frame[1], frame[2], frame[4]) for frame in sent]

    assert {"confirmed": True, "fate": "sent"} == answer
    assert [(0x7F, 0, 0), (0x7F, 1, 3)] == parts


async def test_the_remotes_a_stick_holds(broker: Broker) -> None:
    """Those that were taught to it, with their counters."""
    async with scene(broker) as house:
        for number in (0x12345, 0x00ABC):
            plain = {"packet": "rfy", "subtype": 0, "id": number, "unit": 2, "command": "program"}
            await house.bus.request("rfxtrx/send", packet=plain)
        answer = await house.bus.request("rfxtrx/remotes", timeout=30)

    assert ["0x00ABC", "0x12345"] == sorted(f"0x{int(str(each['id']), 16):05X}" for each in answer["remotes"])
    assert all({"index", "id", "unit", "rolling_code"} == each.keys() for each in answer["remotes"])


async def test_the_clock_was_wrong_while_it_was_away(broker: Broker) -> None:
    """Motion that was told a year ahead is over by its delay from now, and not in a year."""
    ahead = time.time_ns() + 365 * 86400 * 10**9
    async with scene(broker, start=False) as house:
        async with broker.bus("rfxtrx") as earlier:
            body = {"value": True, "device": "security1.x10-pir.5a3c"}
            stored = earlier._transport.publish("sensor/stairs/motion", encode_body(body), ahead, True, True, 10.0)
            assert stored is not None
            await stored
        await begin(house)
        over = await house.see("sensor/stairs/motion", lambda body: not body["value"])

    assert over
