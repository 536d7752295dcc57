"""The talk with a stick as a state machine: no port, no clock; each test is a conversation."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from drivers.rfxtrx import modes
from drivers.rfxtrx.interface import COMMANDS, RECEIVERS
from drivers.rfxtrx.news import Fault, Heard, Notice, Phase, Ready, Reopen, Times, Told
from drivers.rfxtrx.session import Session
from drivers.rfxtrx.transmissions import Fate, Transmission

if TYPE_CHECKING:
    from drivers.rfxtrx.news import News

TH1 = bytes.fromhex("0a520100ab0100d7290189")
ON = bytes.fromhex("0b11000000d5a0e201010f00")
GREETING = bytes((0x14, 1, 7, 3, 7)) + b"Copyright RFXCOM"
TOO_OLD = bytes((0x14, 1, 0xFF, 3)) + bytes(17)
OREGON_AC = (0, 0, 0x24, 0, 0)


def status(
    mask: tuple[int, ...] = OREGON_AC, *, command: int = 2, code: int = 0x53, power: int = 0x1C, kind: int = 3
) -> bytes:
    """Return a long status of a 433 MHz stick."""
    return bytes((0x14, 1, 0, 1, command, code, 0x2B, *mask[:4], 1, 2, power, kind, 0, 0, 0, 0, 0, 0))


class Talk:
    """A session, its clock, and what was said both ways."""

    def __init__(self, *wanted: str, times: Times | None = None) -> None:
        self.at = 100.0
        self.session = Session(Random(1), wanted=frozenset(wanted) or None, times=times)
        self.news: list[News] = []
        self.wrote: list[str] = []
        """Commands by name, frames to transmit in hex."""
        self.frames: list[bytes] = []
        self.session.opened(at=self.at)
        self._look([])

    def hear(self, *frames: bytes) -> None:
        """The stick says something."""
        for frame in frames:
            self._look(self.session.feed(frame, at=self.at))

    def wait(self, seconds: float) -> None:
        """Let time pass, whatever falls due meanwhile."""
        until = self.at + seconds
        while (due := self.session.due()) is not None and due <= until:
            self.at = max(self.at, due)
            self._look(self.session.tick(at=self.at))
        self.at = until
        self._look(self.session.tick(at=self.at))

    def send(self, frame: bytes = ON, *, repeats: int = 1) -> Transmission:
        """Offer a frame."""
        made = Transmission(frame, repeats)
        self.session.offer(made, at=self.at)
        self._look([])
        return made

    def answer(self, code: int = 0, *, sequence: int | None = None) -> None:
        """Answer what was written last; its number is an echo, unless given."""
        self.hear(bytes((4, 2, 1, self.frames[-1][3] if sequence is None else sequence, code)))

    def become_ready(self) -> None:
        """Go through the start."""
        self.wait(0.6)
        self.hear(status())
        if self.session.setup.phase is Phase.SETTING:
            self.hear(status(self.session.setup._told or (), command=3))
        self.hear(GREETING)
        assert self.session.ready
        self.wrote.clear()
        self.news.clear()

    def said(self, kind: type[News]) -> list[str]:
        """Return the texts of news of a kind."""
        return [getattr(each, "text", "") for each in self.news if isinstance(each, kind)]

    def _look(self, news: list[News]) -> None:
        self.news += news
        data = self.session.take()
        while data:
            frame, data = data[: data[0] + 1], data[data[0] + 1 :]
            self.frames.append(frame)
            self.wrote.append(COMMANDS.get(frame[4], "?") if frame[1] == 0 else frame.hex())


def test_the_start_of_a_stick_that_is_set_right() -> None:
    """Reset, half a second, status, start, greeting: nothing is set, and nothing saved."""
    talk = Talk("ac", "oregon")
    talk.wait(0.4)
    early = list(talk.wrote)
    talk.wait(0.2)
    talk.hear(status(), GREETING)

    assert ["reset"] == early
    assert ["reset", "status", "start_receiver"] == talk.wrote
    assert [Told, Ready] == [type(each) for each in talk.news]
    assert talk.session.ready


@pytest.mark.parametrize(
    ("code", "power", "kind"), [(0x53, 0x1C, 3), (0x52, 0x00, 1), (0x5F, 0x1F, 0x42), (0x51, 0xFF, 0)]
)
def test_modes_are_set_and_the_radio_never_retuned(code: int, power: int, kind: int) -> None:
    """Receiver and power go back as the status had them, whatever they are."""
    talk = Talk("ac", "lighting4")
    talk.wait(0.6)
    talk.hear(status(code=code, power=power, kind=kind))
    frame = talk.frames[-1]
    talk.hear(status((8, 0, 4, 0), command=3, code=code), GREETING)

    assert ["reset", "status", "set_mode", "start_receiver"] == talk.wrote
    assert bytes((3, code, power, 8, 0, 4, 0, 0, 0, 0)) == frame[4:]
    assert talk.session.ready


def test_msg7_of_an_868_stick_goes_back() -> None:
    """Its fifth byte of modes is set with the others."""
    talk = Talk("edisio", "davis_id_1")
    talk.wait(0.6)
    talk.hear(bytes((0x14, 1, 0, 1, 2, 0x55, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0x1C, 0x15, 0)))

    assert bytes((3, 0x55, 0x1C, 0, 1, 0, 0, 2, 0, 0)) == talk.frames[-1][4:]


def test_a_stick_too_old_for_the_start_command() -> None:
    """It has always received: "not understood" is as good as the greeting."""
    talk = Talk()
    talk.wait(0.6)
    talk.hear(bytes.fromhex("0d010001025345100c2f01010000"), TOO_OLD)

    assert talk.session.ready
    assert 69 == getattr(talk.session.status, "firmware", 0)


def test_a_packet_before_the_status_is_not_the_status() -> None:
    """What is heard meanwhile is a packet, and the status is still waited for."""
    talk = Talk()
    talk.wait(0.6)
    talk.hear(TH1, status(), TH1, GREETING)

    assert [Heard, Told, Heard, Ready] == [type(each) for each in talk.news]


def test_what_comes_just_after_the_reset_is_left_from_before() -> None:
    """For half a second nothing is believed."""
    talk = Talk()
    talk.hear(status(), TH1)

    assert [] == talk.news


def test_a_stick_in_its_boot_loader() -> None:
    """Its zeros mean: leave it alone for 5.5 s after the last of them, then reset it again."""
    talk = Talk()
    talk.wait(0.6)
    talk.hear(bytes(46))
    talk.wait(1.0)
    talk.hear(bytes(46))
    talk.wait(5.4)
    quiet = list(talk.wrote)
    talk.wait(0.8)
    talk.hear(status(), GREETING)

    assert ["reset", "status"] == quiet
    assert ["reset", "status", "start_receiver"] == talk.wrote[2:]
    assert talk.session.ready
    assert "boot loader" in talk.said(Fault)[0]


def test_a_status_that_takes_fifteen_seconds() -> None:
    """It is waited for; asked again meanwhile, and the first answer counts."""
    talk = Talk()
    talk.wait(0.5 + 2 + 5.5 + 0.5 + 15)
    talk.hear(status(), GREETING)

    assert talk.session.ready
    assert ["reset", "status", "reset", "status", "status", "status", "start_receiver"] == talk.wrote


def test_a_late_status_while_the_boot_loader_is_waited_for() -> None:
    """It was no boot loader: the start goes on without another reset."""
    talk = Talk()
    talk.wait(4)
    talk.hear(status(), GREETING)

    assert ["reset", "status", "start_receiver"] == talk.wrote


def test_nobody_there() -> None:
    """The port is to be opened again, later each time and for ever; the second time the text says what to do."""
    talk = Talk()
    delays = []
    for _ in range(8):
        talk.wait(24.6)
        began = talk.at
        while not any(isinstance(each, Reopen) for each in talk.news):
            talk.wait(0.1)
        delays.append(talk.at - began)
        talk.news = [each for each in talk.news if not isinstance(each, Reopen)]
        talk.session.closed("dropped")
        talk.session.opened(at=talk.at)

    assert sorted(delays[:6]) == delays[:6]
    assert 47 < delays[-1] < 73
    assert len(set(delays[-3:])) == 3
    assert "pull it out" in talk.said(Fault)[-1]


def test_a_command_lost_at_each_step() -> None:
    """Modes and start are told again when nothing is answered."""
    talk = Talk("ac")
    talk.wait(0.6)
    talk.hear(status())
    talk.wait(2.1)
    talk.hear(status((0, 0, 4, 0), command=3))
    talk.wait(2.1)
    talk.hear(GREETING)

    assert ["reset", "status", "set_mode", "set_mode", "start_receiver", "start_receiver"] == talk.wrote
    assert talk.session.ready


def test_a_protocol_the_firmware_does_not_hold() -> None:
    """It is said once, and not told for ever."""
    talk = Talk("ac", "funkbus")
    talk.wait(0.6)
    talk.hear(status(), status((0, 0, 4, 0), command=3), GREETING, status((0, 0, 4, 0)), TH1)

    assert ["firmware ext 1043 does not hold funkbus"] == talk.said(Notice)
    assert 1 == talk.wrote.count("set_mode")


def test_a_protocol_of_the_other_band() -> None:
    """The stick starts with what it has, and the text names those it could have."""
    talk = Talk("orcon")
    talk.wait(0.6)
    talk.hear(status(), GREETING)

    assert talk.session.ready
    assert "set_mode" not in talk.wrote
    assert "has none of that name" in talk.said(Notice)[0]


def test_modes_that_vanish() -> None:
    """Whenever a status shows others than wanted they are set again, and that is said; here the stick lost power."""
    talk = Talk("ac", "oregon")
    talk.become_ready()
    talk.wait(61)
    talk.hear(status((0, 0, 0x2F, 0)), status(command=3), GREETING)

    assert ["status", "set_mode", "start_receiver"] == talk.wrote
    assert "not those wanted any more" in talk.said(Notice)[0]
    assert 1 == talk.session.counts.modes_restored
    assert talk.session.ready


def test_modes_after_a_reset() -> None:
    """A reset stick has what it has saved: the wanted modes are told again."""
    talk = Talk("lighting4")
    talk.become_ready()
    talk.wait(60 + 5 + 0.6)
    talk.hear(status())

    assert ["status", "reset", "status", "set_mode"] == talk.wrote


def test_other_protocols_while_it_is_ready() -> None:
    """They are set when the air is free; what waits is transmitted behind them."""
    talk = Talk("ac")
    talk.become_ready()
    first, second = talk.send(), talk.send()
    talk.session.want(frozenset({"oregon"}), at=talk.at)
    before = len(talk.wrote)
    talk.answer()
    talk.hear(status((0, 0, 0x20, 0), command=3))
    between = second.outcome
    talk.hear(GREETING)
    talk.answer()

    assert 1 == before
    assert ["set_mode", "start_receiver"] == talk.wrote[1:3]
    assert between is None
    assert [Fate.SENT, Fate.SENT] == [each.outcome.fate for each in (first, second) if each.outcome]
    assert frozenset({"oregon"}) == talk.session.protocols
    assert 0 == talk.session.counts.modes_restored


def test_a_protocol_it_cannot_have_is_refused_while_it_is_ready() -> None:
    """What is wanted stays as it was."""
    talk = Talk("ac")
    talk.become_ready()

    with pytest.raises(ValueError, match="orcon"):
        talk.session.want(frozenset({"orcon"}), at=talk.at)
    assert frozenset({"ac"}) == talk.session.setup.wanted


def test_the_watchdog_and_a_stick_that_is_there() -> None:
    """After a minute of silence it is asked; its answer is enough, and is asked for again a minute later."""
    talk = Talk()
    talk.become_ready()
    talk.wait(61)
    talk.hear(status())
    talk.wait(50)
    quiet = list(talk.wrote)
    talk.wait(11)

    assert ["status"] == quiet
    assert ["status"] * 2 == talk.wrote
    assert talk.session.ready


def test_the_watchdog_and_a_stick_that_hangs() -> None:
    """Asked, reset, left alone, reset, then the port is opened again."""
    talk = Talk()
    talk.become_ready()
    talk.wait(60 + 5 + 25 + 2)

    assert ["status", "reset", "status", "reset", "status", "status", "status"] == talk.wrote
    assert 1 == len([each for each in talk.news if isinstance(each, Reopen)])
    assert "it has not answered for 65 s; resetting it" == talk.said(Fault)[0]


def test_a_stick_that_answers_and_hears_nothing() -> None:
    """One that has heard packets, and has heard none for a quarter of an hour, is reset."""
    talk = Talk()
    talk.become_ready()
    talk.hear(TH1)
    for _ in range(15):
        talk.wait(61)
        talk.hear(status())

    assert "reset" in talk.wrote
    assert "it answers, and has heard nothing for" in talk.said(Fault)[0]


def test_a_stick_that_has_never_heard_anything_is_left_alone() -> None:
    """There may be nothing to hear."""
    talk = Talk()
    talk.become_ready()
    for _ in range(60):
        talk.wait(61)
        talk.hear(status())

    assert {"status"} == set(talk.wrote)


def test_two_transmissions_without_an_answer() -> None:
    """Then the stick is asked; while it says nothing nothing is sent, and then it is reset."""
    talk = Talk()
    talk.become_ready()
    made = [talk.send() for _ in range(3)]
    talk.wait(8.1)
    one = len(talk.wrote)
    talk.wait(8)
    asked = talk.wrote[-1]
    talk.wait(5)

    assert (2, "status", "reset") == (one, asked, talk.wrote[-1])
    assert [Fate.TIMEOUT, Fate.TIMEOUT, Fate.AWAY] == [each.outcome.fate for each in made if each.outcome]


def test_a_stick_that_is_there_and_acknowledges_nothing() -> None:
    """After four it is reset, though it answers when asked."""
    talk = Talk()
    talk.become_ready()
    for _ in range(4):
        talk.send()
        talk.wait(8.1)
        if talk.wrote[-1] == "status":
            talk.hear(status())

    assert 1 == talk.wrote.count("reset")
    assert "has not acknowledged 4 transmissions" in talk.said(Fault)[0]


def test_a_port_that_closes() -> None:
    """What was under way and what waits is told so at once; what comes then is refused."""
    talk = Talk()
    talk.become_ready()
    made = [talk.send(), talk.send()]
    talk.session.closed("pulled out")
    late = talk.send()

    assert [(Fate.AWAY, "pulled out")] * 2 == [
        (each.outcome.fate, each.outcome.reason) for each in made if each.outcome
    ]
    assert late.outcome is not None
    assert Fate.AWAY is late.outcome.fate


def test_every_receiver_s_modes_come_back() -> None:
    """Whatever bits are on have names, and the names give the same bits."""
    for receiver in (*RECEIVERS.values(), "unknown_254"):
        for bit in range(40):
            mask = tuple(1 << (bit % 8) if row == bit // 8 else 0 for row in range(5))
            named = modes.names((mask[0], mask[1], mask[2], mask[3], mask[4]), receiver)

            assert 1 == len(named)
            assert mask == modes.mask(named, receiver)
