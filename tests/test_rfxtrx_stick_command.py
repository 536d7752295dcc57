"""`hearthbus rfxtrx info`, `modes` and `send`: what they ask the service, what they print, what they warn of."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from cli_house import House, Told

from hearthbus.cli.main import main as command
from hearthbus.errors import HandlerError, Invalid, Unavailable
from services.rfxtrx.command import info, modes, send

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hearthbus import Bus

STATUS = {"status": "online", "receiver": "433.92", "firmware": 1044, "protocols": ["ac", "oregon"]}


class Service:
    """Stands for the service: serves its requests, and remembers what was asked."""

    def __init__(self, failure: str = "") -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._failure = failure

    async def run(self, work: Callable[[Bus, Told], Awaitable[int]], *, json_: bool = False) -> Told:
        """Do a verb's work beside it."""
        told = Told(json=json_)
        async with House().client() as bus, bus.serve("rfxtrx/+") as responder:

            async def serve() -> None:
                async for request in responder:
                    topic, body = request.message.topic, dict(request.message.body)
                    self.asked.append((topic, body))
                    if self._failure:
                        await request.fail(self._failure)
                    elif topic == "rfxtrx/status":
                        await request.reply(STATUS)
                    else:
                        await request.reply({"confirmed": True, "protocols": body.get("set")})

            serving = asyncio.create_task(serve())
            try:
                assert 0 == await work(bus, told)
            finally:
                serving.cancel()
        return told


def alter(**change: Any) -> Callable[[Bus, Told], Awaitable[int]]:
    """Return the work of `modes` with some options."""
    options: dict[str, Any] = {"wanted": None, "enable": [], "disable": [], "save": False, **change}
    return lambda bus, told: modes.alter(bus, told.output, **options)


async def test_info_is_a_table() -> None:
    """A line a fact."""
    told = await Service().run(lambda bus, told: info.show(bus, told.output))

    assert [
        "status     online",
        "receiver   433.92",
        "firmware   1044",
        "protocols  ac, oregon",
    ] == told.lines


async def test_info_for_programs() -> None:
    """As the service says it."""
    told = await Service().run(lambda bus, told: info.show(bus, told.output), json_=True)

    assert [STATUS] == [json.loads(line) for line in told.lines]


async def test_modes_shows_every_protocol() -> None:
    """Those that are on, those that are not, and what each is for."""
    told = await Service().run(lambda bus, told: modes.show(bus, told.output))
    shown = {line.split()[0]: line.split()[1] for line in told.lines}

    assert {"ac": "on", "oregon": "on", "x10": "-"}.items() <= shown.items()
    assert "davis_eu" not in shown
    assert [] == told.notes


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"wanted": ["x10", "AC"]}, ["ac", "x10"]),
        ({"enable": ["x10"]}, ["ac", "oregon", "x10"]),
        ({"disable": ["oregon"]}, ["ac"]),
        ({"enable": ["blyss"], "disable": ["ac", "oregon"]}, ["ae_blyss"]),
        ({"wanted": []}, []),
    ],
)
async def test_modes_sets_exactly_those(change: dict[str, Any], wanted: list[str]) -> None:
    """A change is made to what is on; the service is told all of it, and to save nothing."""
    service = Service()
    await service.run(alter(**change))

    assert ("rfxtrx/protocols", {"set": wanted, "save": False}) == service.asked[-1]


async def test_saving_warns_of_wear() -> None:
    """Only when asked for, and said each time."""
    service = Service()
    told = await service.run(alter(save=True))

    assert {"set": ["ac", "oregon"], "save": True} == service.asked[-1][1]
    assert "10,000" in told.notes[0]


async def test_too_many_protocols_are_warned_of() -> None:
    """The stick takes them, and hears worse."""
    many = ["ac", "arc", "x10", "oregon", "ati", "visonic", "rsl", "mertik", "lacrosse", "hideki", "keeloq", "funkbus"]
    told = await Service().run(alter(wanted=many))

    assert any("12 protocols are on" in note for note in told.notes)


async def test_a_protocol_of_another_band_is_refused() -> None:
    """The receiver decides, before anything is set."""
    service = Service()
    with pytest.raises(Invalid, match="has none of that name"):
        await service.run(alter(enable=["davis_eu"]))

    assert ["rfxtrx/status"] == [topic for topic, _ in service.asked]


@pytest.mark.parametrize("words", [["--set", "acc"], ["--set", "ac", "--enable", "x10"], ["--save=yes"]])
def test_a_mistake_in_modes_is_one_line(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """With exit code 64, before any broker is asked."""
    assert 64 == command(["rfxtrx", "modes", *words])
    assert 1 == capsys.readouterr().err.count("\n")


async def test_send() -> None:
    """The frame goes to the service in hex; its answer is printed."""
    service = Service()
    frame = bytes.fromhex("0B11000000ABCDEF05010F00")
    told = await service.run(lambda bus, told: send.send(bus, told.output, frame=frame))

    assert [("rfxtrx/send", {"hex": frame.hex()})] == service.asked
    assert "confirmed=true" in told.lines[0]


async def test_a_frame_that_is_not_sent_ends_with_1() -> None:
    """The reason is printed."""
    output = Told()
    async with House().client() as bus, bus.serve("rfxtrx/send") as responder:

        async def serve() -> None:
            async for request in responder:
                await request.reply({"confirmed": False, "fate": "nak", "reason": "no lock"})

        serving = asyncio.create_task(serve())
        code = await send.send(bus, output.output, frame=bytes.fromhex("0B11000000ABCDEF05010F00"))
        serving.cancel()

    assert send.NOT_SENT == code
    assert "no lock" in output.lines[0]


async def test_modes_of_a_stick_that_is_away_are_those_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are shown, and that it hears nothing now."""
    monkeypatch.setitem(STATUS, "status", "away")
    monkeypatch.setitem(STATUS, "reason", "there is no such port")
    told = await Service().run(lambda bus, told: modes.show(bus, told.output))

    assert ["the stick is away: there is no such port; this is what it listened to"] == told.notes


async def test_a_stick_that_never_answered_has_no_modes() -> None:
    """There is nothing to show, and the reason is said."""
    async with House().client() as bus, bus.serve("rfxtrx/status") as responder:

        async def serve() -> None:
            async for request in responder:
                await request.reply({"status": "away", "reason": "no such port"})

        serving = asyncio.create_task(serve())
        with pytest.raises(Unavailable, match="no such port"):
            await modes.show(bus, Told().output)
        serving.cancel()


async def test_what_the_stick_refuses_is_said() -> None:
    """In the service's own words."""
    with pytest.raises(HandlerError, match="the stick is away"):
        await Service("the stick is away").run(lambda bus, told: send.send(bus, told.output, frame=b"\x04\x11\0\0\0"))


@pytest.mark.parametrize("frame", ["0B11", "xyz", "00"])
def test_no_frame_is_refused_at_once(capsys: pytest.CaptureFixture[str], frame: str) -> None:
    """Before any broker is asked."""
    assert 64 == command(["rfxtrx", "send", frame])
    assert 1 == capsys.readouterr().err.count("\n")


async def test_protocols_that_do_not_last_are_said() -> None:
    """The service knows that the configuration names others."""
    told = Told()
    async with House().client() as bus, bus.serve("rfxtrx/+") as responder:

        async def serve() -> None:
            async for request in responder:
                late = {"protocols": ["ac"], "reason": "the configuration names protocols too"}
                await request.reply(STATUS if request.message.topic == "rfxtrx/status" else late)

        serving = asyncio.create_task(serve())
        await alter(wanted=["ac"])(bus, told)
        serving.cancel()

    assert ["the configuration names protocols too"] == told.notes
