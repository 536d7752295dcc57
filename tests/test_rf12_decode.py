"""`hearthbus jeenode decode`: every kind of line explained, for people and for programs, and mistakes in one line."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from drivers.rf12.air import crc8
from hearthbus.errors import Invalid
from services.jeenode.command import main

MOTION = "OK 37 49 5 9 1 0 2 128 12 0"


def decoded(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    """Return what the command prints for programs."""
    assert 0 == main(["decode", *words, "--json"])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_payload_of_ours_is_guessed_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a profile the first byte decides, and the output tells how."""
    (found,) = decoded(capsys, MOTION)

    assert {
        "kind": "motion", "header": 37, "node": 5, "to": "from node 5", "ack_wanted": True, "ack": False,
        "hex": "310509010002800c00", "sender": 5, "sequence": 9, "motion": True, "light": 512, "battery_mv": 3200,
        "given_up": 0, "how": "guessed by its first byte, 0x31",
    } == found  # fmt: skip


def test_a_line_without_its_quotes_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """As one types it at night."""
    assert decoded(capsys, MOTION) == decoded(capsys, *MOTION.split())


def test_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a value, with words for true, false and missing."""
    main(["decode", "OK 5 33 5 3 0 0 128 255 255 255 255 0 0 0"])
    printed = capsys.readouterr().out

    assert printed.startswith("room: header=5  node=5  to=from node 5  ")
    assert "motion=no  temperature=missing  humidity=missing  light=missing  battery_mv=missing" in printed
    assert printed.endswith("  (guessed by its first byte, 0x21)\n")


@pytest.mark.parametrize(
    ("profile", "line", "kind", "values"),
    [
        (
            "room",
            "OK 5 162 199 225 0",
            "stockroom",
            {"light": 162, "humidity": 99, "temperature": 22.5, "motion": True},
        ),
        ("led", "OK 65 0 255 128 64 2 0", "stockled", {"red": 255, "seconds": 2, "to": "to node 1"}),
        ("led", "OK 65 7", "stockledramp", {"slot": 7}),
        ("slave", "OK 3 3 102 102 170 65 48 12 7 0 0 0", "slave", {"temperature": 21.3, "voltage_mv": 3120}),
        ("emontx", "OK 10 4 0 146 4 150 4 226 93 0 0 (-40)", "emontxshield", {"power2": 1170, "rssi_dbm": -40.0}),
        ("emonth", "OK 23 198 0 224 255 43 2 29 0", "emonth", {"temperature": 19.8, "humidity": 55.5}),
        ("hearth", "OK 130 241 2 1 0", "ack", {"code": 0, "to": "ack from node 2"}),
        ("masternode", '{"nodeid": 3, "temperature": 21.5}', "masternode", {"node": 3, "temperature": 21.5}),
    ],
)
def test_every_profile(
    profile: str, line: str, kind: str, values: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """A profile says what the bytes are; nothing is guessed then."""
    (found,) = decoded(capsys, line, "--profile", profile)

    assert kind == found["kind"]
    assert values == {name: found[name] for name in values}
    assert "guessed" not in found.get("how", "")


def test_any_struct(capsys: pytest.CaptureFixture[str]) -> None:
    """Datacodes and scales read any other payload."""
    (found,) = decoded(capsys, "OK 10 38 0 226 93 205 0", "--fields", "h,h,h", "--scales", "1,0.01,0.1")

    assert (38, 240.34, 20.5) == (found["field 1"], found["field 2"], found["field 3"])


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("[RF12demo.12] B i2 g19 @ 868 MHz", "banner"),
        (" B i2* g19 @ 868 MHz c1", "config"),
        (" -> ack", "acked"),
        ("> 1,2s", "echo"),
        ("ACK 7 2 1 241 2 0 0", "delivered"),
        ("BAD 7 full", "rejected"),
        (" ? 5 1 2", "bad packet"),
        ("OK 194", "ack"),
        ("OK 5 250 1", "packet"),
        ('{"nodeid": 3}', "masternode"),
        ("Available commands:", "text"),
    ],
)
def test_every_kind_of_line(line: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever a gateway says has a name."""
    assert [kind] == [found["kind"] for found in decoded(capsys, line)]


def test_what_is_none_of_ours_asks_for_a_profile(capsys: pytest.CaptureFixture[str]) -> None:
    """A payload nobody can guess is no mistake: the output says what to add."""
    (found,) = decoded(capsys, "OK 5 162 199 225 0")

    assert "not one of ours (type 10 is none of ours); say what it is with --profile or --fields" == found["how"]


def test_a_stream_of_hearth_mode(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`-` reads standard input as one stream: its numbers show what is missing."""
    lines = [f"Q {tag} #{number:02X}" for tag, number in ((1, 7), (2, 9))]
    stream = "".join(f"{line}*{crc8(line.encode()):02X}\r\n" for line in lines)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stream.encode())))

    assert ["queued", "missing", "queued"] == [found["kind"] for found in decoded(capsys, "-")]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "decode"),
        (["decode"], "LINE"),
        (["encode", "OK 5"], "encode"),
        (["decode", "OK 300"], "'OK 300': begins as a packet and is none"),
        (["decode", "OK 5 \udcff"], "not printable ASCII"),
        (["decode", "OK 5 1 2", "--profile", "room"], "0102: stockroom has 4 bytes, not 2"),
        (["decode", "OK 5 1 2", "--profile", "hearth"], "0102: type 0 is none of ours"),
        (["decode", "OK 5 1 2", "--fields", "h,h"], "0102: the struct has 4 bytes, not 2"),
        (["decode", "{no json", "--profile", "masternode"], "'{no json': the line is no JSON"),
        (["decode", MOTION, "--profile", "kitchen"], "kitchen"),
        (["decode", MOTION, "--fields", "J"], "'J' is no code"),
        (["decode", MOTION, "--fields", "h", "--scales", "x"], "scale 'x'"),
        (["decode", MOTION, "--scales", "1"], "--scales goes with --fields"),
        (["decode", MOTION, "--fields", "h", "--profile", "room"], "one of the two"),
    ],
)
def test_mistakes(words: list[str], named: str) -> None:
    """A mistake is named, in one line, with exit code 64."""
    with pytest.raises(Invalid) as caught:
        main(words)

    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
    assert 64 == caught.value.exit_code
