"""What is transmitted: one at a time, what each answer means, how long it may take."""

from __future__ import annotations

import pytest
from rfxtrx_talk import Talk

from drivers.rfxtrx import rawrf
from drivers.rfxtrx.transmissions import LATE_S, MOST, Fate, Transmission, Transmissions

ON = bytes.fromhex("0b11000000d5a0e201010f00")
RFY_UP = bytes.fromhex("0c1a0000010203010100000000")
RFY_LIST = bytes.fromhex("0c1a0000010203010600000000")
BLIND = bytes.fromhex("09190000001234010000")
STATUS = bytes.fromhex("0d00000002000000000000000000")


def response(code: int, *, number: int = 1, subtype: int = 1) -> bytes:
    """Return a transmitter response."""
    return bytes((4, 2, subtype, number, code))


def message(subtype: int, *, command: int = 0) -> bytes:
    """Return a message of the stick about itself."""
    return bytes((0x14, 1, subtype, 0, command)) + bytes(16)


@pytest.mark.parametrize(
    ("frame", "answer", "fate", "said"),
    [
        (ON, response(0), Fate.SENT, ""),
        (ON, response(1), Fate.DELAYED, "busy"),
        (ON, response(2), Fate.NAK, "did not lock"),
        (ON, response(3), Fate.NAK, "zero"),
        (ON, response(9), Fate.NAK, "9"),
        (ON, response(0, subtype=0), Fate.NAK, "receiver did not lock"),
        (RFY_UP, message(1), Fate.UNKNOWN_REMOTE, "does not know this remote"),
        (ON, message(2), Fate.NAK, "hardware"),
        (ON, message(0xFF), Fate.NAK, "packet type 0x11"),
        (STATUS, message(0, command=2), Fate.SENT, ""),
        (STATUS, message(0xFF), Fate.NAK, "command"),
    ],
)
def test_what_an_answer_means(frame: bytes, answer: bytes, fate: Fate, said: str) -> None:
    """Delayed is success; an unknown remote and a NAK are final, and say why."""
    queue, made = Transmissions(), Transmission(frame, repeats=1)
    queue.offer(made, at=0)

    assert queue.is_answer(answer)
    assert b"" == queue.answered(answer, at=0.3)
    assert made.outcome is not None
    assert fate is made.outcome.fate
    assert said in made.outcome.reason


@pytest.mark.parametrize(("frame", "seconds"), [(ON, 8), (RFY_UP, 15), (BLIND, 15), (STATUS, 16)])
def test_how_long_an_answer_may_take(frame: bytes, seconds: float) -> None:
    """Covers queue in the stick; a switch does not."""
    queue, made = Transmissions(), Transmission(frame)
    queue.offer(made, at=100.0)
    queue.tick(at=99.9 + seconds)
    before = made.outcome
    queue.tick(at=100.0 + seconds)

    assert before is None
    assert made.outcome is not None
    assert (Fate.TIMEOUT, 1) == (made.outcome.fate, queue.timeouts)


def test_a_list_has_no_end() -> None:
    """After twenty seconds it has said all remotes: that is success."""
    queue, made = Transmissions(), Transmission(RFY_LIST)
    queue.offer(made, at=0)
    queue.tick(at=20)

    assert made.outcome is not None
    assert (Fate.SENT, 0) == (made.outcome.fate, queue.timeouts)


def test_one_at_a_time_in_order() -> None:
    """The next leaves with the answer to the last; sequence numbers count on."""
    queue = Transmissions()
    made = [Transmission(ON), Transmission(BLIND)]
    first = queue.offer(made[0], at=0)
    held = queue.offer(made[1], at=0)
    second = queue.answered(response(0, number=first[3]), at=0.5)

    assert (b"", ON[4:], BLIND[4:]) == (held, first[4:], second[4:])
    assert first[3] + 1 == second[3]


def test_repeats() -> None:
    """Each goes behind the answer to the last; one delayed makes the whole delayed; a NAK ends it."""
    queue, made, other = Transmissions(), Transmission(ON, repeats=3), Transmission(ON, repeats=3)
    written = [queue.offer(made, at=0)]
    written += [queue.answered(response(code, number=written[-1][3]), at=1) for code in (0, 1, 0)]
    queue.offer(other, at=2)
    queue.answered(response(2), at=2)

    assert [ON[4:]] * 3 == [each[4:] for each in written[:3]]
    assert made.outcome is not None
    assert (Fate.DELAYED, 3) == (made.outcome.fate, made.sent)
    assert other.outcome is not None
    assert (Fate.NAK, 1) == (other.outcome.fate, other.sent)


def test_the_queue_has_a_bound() -> None:
    """One more than it holds is refused at once."""
    queue = Transmissions()
    made = [Transmission(ON) for _ in range(MOST + 2)]
    for each in made:
        queue.offer(each, at=0)

    assert [Fate.FULL] == [each.outcome.fate for each in made if each.outcome]
    assert MOST == queue.waiting


def test_what_has_waited_too_long_is_not_sent() -> None:
    """A light should not go on out of the blue."""
    queue, late = Transmissions(), Transmission(BLIND)
    queue.offer(Transmission(ON), at=0)
    queue.offer(late, at=0)
    written = queue.tick(at=LATE_S + 1)

    assert b"" == written
    assert late.outcome is not None
    assert (Fate.TIMEOUT, 0) == (late.outcome.fate, late.sent)


def test_another_sequence_number_is_an_answer_too() -> None:
    """Some firmware counts for itself."""
    queue, made = Transmissions(), Transmission(ON)
    queue.offer(made, at=0)
    queue.answered(response(0, number=200), at=1)

    assert made.outcome is not None
    assert Fate.SENT is made.outcome.fate


@pytest.mark.parametrize("echoes", [True, False])
def test_a_late_answer(*, echoes: bool) -> None:
    """A stick that echoes numbers names what was given up: that is not taken for what is in flight."""
    queue = Transmissions()
    if echoes:
        written = queue.offer(Transmission(ON), at=0)
        queue.answered(response(0, number=written[3]), at=0)
    lost = queue.offer(Transmission(ON), at=1)
    queue.tick(at=9)
    made = Transmission(ON)
    queue.offer(made, at=9)
    queue.answered(response(0, number=lost[3]), at=9.1)

    assert (made.outcome is None) == echoes
    assert echoes == queue.tally.answers_late


def test_answers_nobody_waits_for() -> None:
    """They are counted, and mean nothing."""
    queue = Transmissions()
    queue.answered(response(0), at=0)

    assert 1 == queue.tally.answers_stray


def test_a_complaint_about_nothing_is_no_answer() -> None:
    """The stick's "not understood" belongs to the session while nothing is in flight."""
    assert not Transmissions().is_answer(message(0xFF))


ENTRY = bytes.fromhex("140103010001012345020099880000000000000000")


def test_the_remotes_a_stick_knows() -> None:
    """They come one after the other; an acknowledgement does not end the list, five seconds without one more do."""
    talk = Talk()
    talk.become_ready()
    made, behind = talk.send(RFY_LIST), talk.send()
    talk.wait(9)
    talk.hear(ENTRY)
    talk.answer()
    talk.wait(4)
    talk.hear(ENTRY)
    talk.wait(4.9)
    open_, waiting = made.outcome, len(talk.wrote)
    talk.wait(0.2)

    assert (None, 1) == (open_, waiting)
    assert made.outcome is not None
    assert (Fate.SENT, (ENTRY, ENTRY)) == (made.outcome.fate, made.outcome.remotes)
    assert behind.outcome is None
    assert 2 == len(talk.wrote)


def test_an_empty_list_of_remotes() -> None:
    """Nothing comes for twenty seconds."""
    talk = Talk()
    talk.become_ready()
    made = talk.send(RFY_LIST)
    talk.wait(20.1)

    assert made.outcome is not None
    assert (Fate.SENT, ()) == (made.outcome.fate, made.outcome.remotes)
    assert 0 == talk.session.transmissions.timeouts


def test_frames_that_belong_together() -> None:
    """In their order, each behind the answer to the last and with its own number; nothing is sent between them."""
    talk = Talk()
    talk.become_ready()
    parts = [part.encode() for part in rawrf.split([400, 800] * 150)]
    made = Transmission(parts[0], 1, tuple(parts[1:]))
    talk.session.offer(made, at=talk.at)
    talk._look([])
    talk.send()
    for _ in range(3):
        talk.answer()

    assert [(0x7F, 0, 0), (0x7F, 1, 0), (0x7F, 2, 5), (0x11, 0, 0)] == [
        (frame[1], frame[2], frame[4]) for frame in talk.frames[-4:]
    ]
    assert 4 == len({frame[3] for frame in talk.frames[-4:]})
    assert made.outcome is not None
    assert Fate.SENT is made.outcome.fate


def test_nothing_follows_a_part_that_fails() -> None:
    """Half a signal is no signal."""
    talk = Talk()
    talk.become_ready()
    parts = [part.encode() for part in rawrf.split([400, 800] * 150)]
    made = Transmission(parts[0], 1, tuple(parts[1:]))
    talk.session.offer(made, at=talk.at)
    talk._look([])
    talk.answer(2)

    assert made.outcome is not None
    assert Fate.NAK is made.outcome.fate
    assert 1 == len(talk.wrote)
