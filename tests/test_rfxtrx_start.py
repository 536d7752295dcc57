"""The start of a stick, from reset to greeting, as a state machine: each test is a conversation."""

from __future__ import annotations

import pytest
from rfxtrx_talk import GREETING, TH1, TOO_OLD, Talk, status

from drivers.rfxtrx.news import Fault, Heard, Notice, Ready, Reopen, Told


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


def test_a_stick_that_never_greets() -> None:
    """It is told three times to receive, is asked how it is, and is ready: what it hears is worth more than a word."""
    talk = Talk("ac", "oregon")
    talk.wait(0.6)
    talk.hear(status())
    talk.wait(6.1)
    talk.hear(status(), TH1)

    assert ["reset", "status", "start_receiver", "start_receiver", "start_receiver", "status"] == talk.wrote
    assert talk.session.ready
    assert [] == talk.said(Fault)


def test_a_stick_that_dies_before_it_greets() -> None:
    """It does not answer when it is asked how it is, and is reset."""
    talk = Talk()
    talk.wait(0.6)
    talk.hear(status())
    talk.wait(6.1 + 5)

    assert "reset" == talk.wrote[-1]
    assert "it has not answered for 5 s; resetting it" == talk.said(Fault)[0]


@pytest.mark.parametrize("wanted", [("ac", "oregon"), ("lacrosse", "visonic")])
def test_a_stick_that_calls_its_receiver_another_each_time(wanted: tuple[str, ...]) -> None:
    """It is told no modes any more, for those would retune it; that is said once, and it goes on receiving."""
    talk = Talk(*wanted)
    talk.wait(0.6)
    for turn in range(200):
        match talk.wrote[-1]:
            case "start_receiver" if talk.session.ready:
                talk.wrote.append("")
            case "start_receiver":
                talk.hear(GREETING)
            case "status" | "set_mode" as last:
                talk.hear(status((0, 0, 0, 0), command=2 if last == "status" else 3, code=(0x53, 0x55)[turn % 2]))
        talk.hear(status((0, 0, 0, 0), code=(0x53, 0x55)[turn % 2]))
    codes = [frame[5] for frame, name in zip(talk.frames, talk.wrote, strict=False) if name == "set_mode"]

    assert [0x53] == codes
    assert talk.session.ready
    assert 1 == sum("would retune it" in text for text in talk.said(Notice))
