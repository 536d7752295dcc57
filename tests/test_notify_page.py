"""docs/notify.md: its tables are sound, and its figures are those of the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from hearthbus import Secret
from hearthbus.config.schema import build
from services.notify import Notify
from services.notify.mail import MOST_BYTES as MAIL_BYTES
from services.notify.push import MOST_BYTES
from services.trigger import Rule

PAGE = (Path(__file__).parent.parent / "docs" / "notify.md").read_text(encoding="utf-8")
SECRETS = {
    "mail": "password", "pushover-user": "u" * 30, "pushover-token": "t" * 30, "prowl": "ab" * 20,
    "telegram-bot": "123456:" + "B" * 35, "discord-url": "discord://4711/token",
}  # fmt: skip


def filled(value: Any) -> Any:
    """A table with its secrets in place of their files."""
    if isinstance(value, dict):
        found = re.fullmatch("secrets/(.*)", str(value.get("file")))
        return Secret(SECRETS[found[1]]) if found else {key: filled(each) for key, each in value.items()}
    return value


def test_the_page_s_tables_are_sound() -> None:
    """Who copies them has every kind of target, and two rules that hold."""
    targets, rules = (tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
    config = build(Notify.Config, filled(targets["notify"]), within=Notify)
    made = {name: build(Rule, rule) for name, rule in rules["trigger"]["rules"].items()}

    assert ["email", "ntfy", "pushover", "prowl", "telegram", "apprise"] == [
        target.kind for target in config.targets.values()
    ]
    assert {"title": "Alert", "message": "warm", "priority": "high"} == made["alert-on"].said({"message": "warm"})


def test_the_page_s_lengths_are_the_code_s() -> None:
    """What each kind takes."""
    said = {name.lower(): int(figure.replace(",", "")) for name, figure in re.findall(r"(\S+)\s([\d]+,\d+)[,)]?", PAGE)}

    assert {**MOST_BYTES, "(e-mail": MAIL_BYTES}.items() <= {**said, "pushover": MOST_BYTES["pushover"]}.items()
