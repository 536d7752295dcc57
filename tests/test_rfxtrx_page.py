"""docs/rfxtrx.md: its tables are the declarations', its examples print what they show, its claims are so."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from drivers.rfxtrx import peers
from drivers.rfxtrx.reference import DECODES, ENCODES, refreshed
from hearthbus.cli.main import main as command
from services.rfxtrx.command import ACTIONS
from services.rfxtrx.settings import Settings

PAGE = (Path(__file__).parent.parent / "docs" / "rfxtrx.md").read_text(encoding="utf-8")
TYPED = re.findall(r"^(?:\$ )?hearthbus (rfxtrx .*?)(?: +#.*)?$", PAGE, re.MULTILINE)


def test_the_tables_are_the_declarations() -> None:
    """The page is up to date; `python -m drivers.rfxtrx.reference docs/rfxtrx.md` renews it."""
    assert refreshed(PAGE) == PAGE


def test_everything_others_read_is_read() -> None:
    """Every type and subtype of both other programs."""
    others = peers.PYRFXTRX_DECODES | peers.NODE_DECODES

    assert (234, frozenset()) == (len(others), others - DECODES)


def test_everything_others_send_is_sent() -> None:
    """And all that is sent is read too."""
    others = peers.PYRFXTRX_ENCODES | peers.NODE_ENCODES

    assert (128, frozenset(), frozenset()) == (len(others), others - ENCODES, ENCODES - DECODES)


@pytest.mark.parametrize(("typed", "shown"), re.findall(r"^\$ hearthbus (.*)\n(.*)\n```", PAGE, re.MULTILINE))
def test_the_examples_show_what_is_printed(capsys: pytest.CaptureFixture[str], typed: str, shown: str) -> None:
    """Each command with its output."""
    assert 0 == command(shlex.split(typed))
    assert f"{shown}\n" == capsys.readouterr().out


def test_every_action_that_is_typed_is_there() -> None:
    """And each action is on the page."""
    assert set(ACTIONS) <= {words.split()[1] for words in [*TYPED, *re.findall(r"`hearthbus (rfxtrx [^`]*)`", PAGE)]}


def test_the_example_table_is_sound() -> None:
    """The configuration on the page is accepted."""
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)

    assert "/dev/serial" in Settings(**tomllib.loads(text)["rfxtrx"]).port


def test_the_frames_that_are_sent_can_be() -> None:
    """What the page encodes to send is accepted by the codec."""
    encodes = re.findall(r"\$\(hearthbus (rfxtrx encode '.*?')\)", PAGE)

    assert encodes
    for typed in encodes:
        assert 0 == command(shlex.split(typed))
