"""`hearthbus rfxtrx decode`, `encode` and `packets`: frames explained and written, mistakes in one line."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from rfxtrx_calls import FACTS, needs_facts

from drivers.rfxtrx.codec import PACKETS
from hearthbus.cli.main import main as command
from hearthbus.errors import Invalid
from services.rfxtrx.command import ACTIONS, main

ON = "0B11000000ABCDEF05010F70"
FRAME = bytes.fromhex(ON)
OFF = "0B11000100ABCDEF05000070"
MEANING = {
    "packet": "lighting2", "packet_type": 17, "subtype": 0, "subtype_name": "AC", "sequence": 0, "id": "0x0ABCDEF",
    "unit": 5, "command": "on", "level": 15, "rssi_dbm": -64,
}  # fmt: skip


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    """Return what an action prints for programs; a mistake in what it was given is part of that."""
    with suppress(Invalid):
        main([*words, "--json"])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let standard input be a text."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_a_frame_is_an_object_with_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    """Packet, type, subtype, its name, and each field by its own."""
    assert [MEANING] == printed(capsys, "decode", ON)


@pytest.mark.parametrize(
    "words",
    [
        (ON.lower(),),
        ("0B 11 00 00 00 AB CD EF 05 01 0F 70",),
        ("0B:11:00:00:00:AB:CD:EF:05:01:0F:70",),
        ("0x0B, 0x11, 0x00, 0x00, 0x00, 0xAB, 0xCD, 0xEF, 0x05, 0x01, 0x0F, 0x70",),
        ("0x0B11000000ABCDEF05010F70",),
        tuple(ON[at : at + 2] for at in range(0, len(ON), 2)),
        ("[0x0b, 0x11, 0x00, 0x00, 0x00, 0xab, 0xcd, 0xef, 0x05, 0x01, 0x0f, 0x70]",),
        (f"\ufeff{ON}",),
        (f"2026-06-21 04:43:10.123 DEBUG (Thread-5) [RFXtrx] Recv: {' '.join(f'0x{each:02x}' for each in FRAME)}",),
        (f"[rfxcom] on /dev/ttyUSB0 - Received: {','.join(f'{each:02X}' for each in FRAME)}",),
    ],
)
def test_hex_comes_in_many_forms(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    """Spaces, colons, commas, 0x, quotes or none, and a log's words before it: it is the same frame."""
    assert [MEANING] == printed(capsys, "decode", *words)


@pytest.mark.parametrize("text", ["0B 11 0G 04 50 01 00 12 34", "0B 11 00 0x0G, 04 50 01 00 12", "hall 0450010012"])
def test_a_slip_is_not_taken_for_a_log(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """What is left of a frame behind a wrong digit could mean something else."""
    (found,) = printed(capsys, "decode", text)

    assert "is no hex digit" in found["error"]


def test_the_name_of_a_file_is_met_with_what_reads_it(tmp_path: Path) -> None:
    """Frames are arguments; a file is standard input."""
    log = tmp_path / "frames.log"
    log.write_text(f"{ON}\n")
    with pytest.raises(Invalid, match="that is a file; write `hearthbus rfxtrx decode - < "):
        main(["decode", str(log)])


def test_a_stream_is_explained_as_it_comes() -> None:
    """A frame is explained before the next is there."""
    words = [sys.executable, "-m", "hearthbus", "rfxtrx", "decode", "-"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as decoder:
        assert decoder.stdin is not None
        assert decoder.stdout is not None
        told = []
        for frame in (ON, OFF):
            decoder.stdin.write(f"{frame}\n".encode())
            decoder.stdin.flush()
            told.append(decoder.stdout.readline().split(b"command=")[1].split()[0])
        decoder.stdin.close()
        code = decoder.wait(10)

    assert ([b"on", b"off"], 0) == (told, code)


def test_frames_without_a_gap_are_taken_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """Each begins with its length; a boot loader's zeros between them are passed over."""
    found = printed(capsys, "decode", f"0000{ON}{OFF}0000{ON}")

    assert ["on", "off", "on"] == [each["command"] for each in found]


def test_standard_input_is_read_line_by_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad line, even one that is no text, does not spoil the next."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{ON}\n\xff\xfe\n\n0a\n{OFF}\n".encode("latin-1"))))
    found = printed(capsys, "decode", "-")

    assert ["on", None, None, "off"] == [each.get("command") for each in found]
    assert ["hex" in each and "error" in each for each in found] == [False, True, True, False]


@pytest.mark.parametrize("frame", ["0a", "00", "", "0g", "0B1", "105401032f0000f70020002481608250", "0B1100"])
def test_a_bad_frame_is_an_object_with_its_error(capsys: pytest.CaptureFixture[str], frame: str) -> None:
    """One object, the bytes and why; exit code 64, and one line on standard error."""
    assert 64 == command(["rfxtrx", "decode", frame, "--json"])
    told = capsys.readouterr()
    (found,) = map(json.loads, told.out.splitlines())

    assert {"hex", "error"} == found.keys()
    assert 1 == told.err.count("\n")


def test_what_is_behind_a_wrong_length_belongs_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody knows where the next frame begins: the good frame before it stands, the rest is one error."""
    good, bad = printed(capsys, "decode", f"{ON}051100{OFF}")

    assert MEANING == good
    assert f"051100{OFF}".lower() == bad["hex"]


def test_a_type_nobody_knows_is_its_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    """It is no error: a newer stick may say it."""
    (found,) = printed(capsys, "decode", "05EE010203AA")

    assert ("unknown", 0xEE, "03aa") == (found["packet"], found["packet_type"], found["payload"])

    main(["decode", "05EE010203AA"])

    assert "unknown, type 0xEE subtype 0x01: payload=03aa\n" == capsys.readouterr().out


def test_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a frame."""
    main(["decode", ON])

    assert "lighting2 AC: id=0x0ABCDEF  unit=5  command=on  level=15  rssi_dbm=-64\n" == capsys.readouterr().out


def test_encode_takes_what_decode_prints(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """There and back it is the same frame."""
    main(["decode", ON, OFF, "--json"])
    piped(monkeypatch, capsys.readouterr().out)
    main(["encode", "-"])

    assert f"{ON}\n{OFF}\n".lower() == capsys.readouterr().out


def test_encode_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """The subtype's name is enough, in whatever case; what is left out is as it usually is: full, with `on`."""
    text = '{"packet": "lighting2", "subtype_name": "HomeEasy EU", "id": "0xABCDEF", "unit": 5, "command": "on"}'
    main(["encode", text])

    assert "0b11010000abcdef05010f00" == capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unit": 17}, "17 is not from 1 to 16"),
        ({"unit": "5"}, "'5' is no whole number"),
        ({"unit": False}, "False is no whole number"),
        ({"packet": "lighting5", "subtype_name": "LIGHTWAVERF", "subtype": 0, "unit": False}, "no whole number"),
        ({"rssi_dbm": "-64"}, "'-64' is no whole number"),
        ({"command": "dim"}, "there is off, on, set_level"),
        ({"packet": "lighting_2"}, "did you mean 'lighting2'?"),
        ({"subtype": None, "subtype_name": "ANSLUTT"}, "did you mean 'ANSLUT'?"),
        ({"comand": "on"}, "did you mean 'command'?"),
        ({"id": "garage"}, "write a number"),
        ({"subtype": 99}, "has no subtype 99"),
        ({"subtype": 1, "subtype_name": "AC"}, "subtype 1 of lighting2 is HOMEEASY EU, not AC"),
        ({"packet": None}, "packet is missing; `hearthbus rfxtrx packets` lists them"),
        ({"error": "it is short"}, "a bad frame cannot be written again"),
    ],
)
def test_encode_names_the_limit(change: dict[str, Any], said: str) -> None:
    """What is refused is refused with what would be right."""
    plain = {key: value for key, value in (MEANING | change).items() if value is not None}
    with pytest.raises(Invalid) as refused:
        main(["encode", json.dumps(plain)])

    assert said in str(refused.value)


def test_a_key_that_stands_there_twice_is_refused() -> None:
    """JSON takes the last one in silence; here it would be transmitted."""
    with pytest.raises(Invalid, match="'unit' stands there twice"):
        main(["encode", '{"packet": "lighting2", "unit": 1, "unit": 2, "id": 1, "command": "on"}'])


def test_a_list_is_met_with_how_to_take_it_apart() -> None:
    """`jq -s` makes lists; the action wants one object a line."""
    with pytest.raises(Invalid, match=r"is a list; write one object a line: jq -c '\.\[\]'"):
        main(["encode", f"[{json.dumps(MEANING)}]"])


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", '{"packet": 5}', '{"packet": "lighting2", "id": []}'])
def test_what_is_no_object_is_refused(text: str) -> None:
    """JSON or not, it ends in one line."""
    with pytest.raises(Invalid):
        main(["encode", text])


def test_encode_writes_the_good_ones_too(capsys: pytest.CaptureFixture[str]) -> None:
    """One refused object does not keep the others; for programs each has its line."""
    found = printed(capsys, "encode", json.dumps(MEANING), "{}", json.dumps(MEANING))

    assert [True, False, True] == ["hex" in each for each in found]


def test_every_packet_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each subtype of each packet, with the words for its fields."""
    found = printed(capsys, "packets")

    assert {(packet.kind, each.subtype) for packet in PACKETS for each in packet.variants} == {
        (each["packet_type"], each["subtype"]) for each in found
    }
    for each in found:
        assert all(isinstance(words, str) and words for words in each["fields"].values())


@pytest.mark.parametrize("packet", sorted({packet.name for packet in PACKETS}))
def test_a_packet_tells_its_fields(capsys: pytest.CaptureFixture[str], packet: str) -> None:
    """For people: subtypes, then what can be written."""
    main(["packets", packet])
    told = capsys.readouterr().out

    assert f"{packet} " in told
    assert not told.endswith("\n\n")


def test_a_packet_that_is_not_there() -> None:
    """The nearest is offered."""
    with pytest.raises(Invalid, match="did you mean 'lighting2'"):
        main(["packets", "lighting_2"])


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_has_its_help(capsys: pytest.CaptureFixture[str], action: str) -> None:
    """`--help` prints it and ends with 0."""
    assert 0 == command(["rfxtrx", action, "--help"])
    assert f"usage: hearthbus rfxtrx {action}" in capsys.readouterr().out


def test_the_actions_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """`hearthbus rfxtrx` alone says what there is, and a slip is met with what was meant."""
    assert 64 == command(["rfxtrx"])
    assert set(ACTIONS) <= set(capsys.readouterr().out.split())
    assert 64 == command(["rfxtrx", "decod"])
    assert "did you mean `hearthbus rfxtrx decode`?" in capsys.readouterr().err


@needs_facts
def test_recorded_frames_come_back(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every recorded frame that is not refused as noise is an object, in one run; the invalid ones are errors."""
    folder = Path(FACTS)
    good, bad = (
        [each["hex"] for each in json.loads((folder / name).read_text())]
        for name in ("dev.json", "vectors_invalid.json")
    )
    piped(monkeypatch, "\n".join(good))
    found = printed(capsys, "decode", "-")

    assert [] == [each for each in found if "error" in each]
    assert len(good) == len(found)
    assert all("error" in each for each in printed(capsys, "decode", *bad))
