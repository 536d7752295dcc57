"""The talk with a stick that is ready, as a state machine: no port, no clock; each test is a conversation."""

from __future__ import annotations

import pickle

import pytest
from rfxtrx_talk import GREETING, TH1, Talk, status

from drivers.rfxtrx import modes
from drivers.rfxtrx.interface import RECEIVERS
from drivers.rfxtrx.news import Fault, Notice, Reopen
from drivers.rfxtrx.transmissions import Fate


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


def test_a_stick_that_only_receives() -> None:
    """What is to be transmitted is refused at once; it is still asked how it is, and told its modes."""
    talk = Talk("oregon")
    talk.wait(0.6)
    talk.hear(status(code=0x52), status((0, 0, 0x20, 0), command=3, code=0x52), GREETING)
    made = talk.send()
    asked = talk.send(bytes.fromhex("0d00000002000000000000000000"))
    talk.hear(status((0, 0, 0x20, 0), code=0x52))

    assert made.outcome is not None
    assert (Fate.NAK, "this stick only receives") == (made.outcome.fate, made.outcome.reason)
    assert asked.outcome is not None
    assert Fate.SENT is asked.outcome.fate


def test_a_day_and_a_night_leave_nothing_behind() -> None:
    """Sensors, commands, lost answers, statuses, bytes too many: nothing grows with time."""
    talk = Talk("ac", "oregon")
    talk.become_ready()

    def an_hour() -> int:
        for minute in range(60):
            talk.hear(TH1, TH1[:7])
            talk.wait(1)
            talk.send()
            if minute % 7:
                talk.answer(sequence=minute)
            talk.wait(59)
            talk.hear(status(), bytes(5))
            for each in (talk.news, talk.wrote, talk.frames):
                each.clear()
        return len(pickle.dumps((talk.session.frames, vars(talk.session.transmissions))))

    early = an_hour()
    late = [an_hour() for _ in range(23)][-1]

    assert talk.session.ready
    assert late <= early + 64


def test_a_house_with_one_button() -> None:
    """Nothing to hear for days is no fault of the receiver: it is reset ever more seldom, until it hears."""
    talk = Talk()
    talk.become_ready()

    def a_day() -> int:
        before = talk.session.counts.resets
        for _ in range(1440):
            talk.wait(61)
            talk.hear(status(), GREETING)
            talk.wait(0.6)
            talk.hear(status(), GREETING)
        return talk.session.counts.resets - before

    talk.hear(TH1)
    days = [a_day() for _ in range(4)]
    talk.hear(TH1)

    assert days[0] <= 7
    assert days[-1] <= 1
    assert a_day() == days[0]
