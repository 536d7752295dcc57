"""Messages to people: what a request's body says, in either spelling, and who is meant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearthbus import Secret
from hearthbus.config.schema import build
from services.notify.note import MESSAGE_CHARS, TITLE_CHARS, Note, fit, read_note
from services.notify.settings import Target
from services.notify.whom import Whom

MAIL = build(Target, {"kind": "email", "host": "localhost", "sender": "a@b.test", "to": ["me@b.test"]})
PHONE = build(Target, {"kind": "ntfy", "topic": "house"})
PAGER = build(Target, {"kind": "prowl", "key": Secret("ab" * 20)})
WHOM = Whom({"mail": MAIL, "phone": PHONE, "pager": PAGER}, {"all": ("mail", "phone")})


def test_the_keys_are_title_message_and_priority() -> None:
    """As docs/topics.md has them."""
    note = read_note({"title": "Door", "message": "open", "priority": "high"})

    assert Note("Door", "open", "high") == note


def test_the_old_spelling_is_understood() -> None:
    """Subject and content; what said where it came from is passed over."""
    body = {"event": "notification", "timestamp": "2013", "subject": "Door", "content": "open", "action": "prowl"}

    assert Note("Door", "open", "normal") == read_note(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "the message is empty"),
        ({"message": " \n\t"}, "the message is empty"),
        ({"title": "only"}, "the message is empty"),
        ({"message": 5}, "message is '5' and no text"),
        ({"message": "x", "title": ["x"]}, "title is"),
        ({"message": "x", "priority": "hihg"}, "priority 'hihg' is none of low, normal, high, urgent"),
        ({"message": "x", "priority": 2}, "priority '2' is none of"),
        ({"mesage": "x"}, "'mesage' is no key of a message; did you mean message?"),
        ({"message": "x", "zzz": 1}, "'zzz' is no key of a message: write title, message, priority"),
    ],
)
def test_a_wrong_body_is_refused_in_words(body: dict[str, Any], said: str) -> None:
    """With the key and what belongs there."""
    with pytest.raises(ValueError, match=said.replace("?", r"\?")):
        read_note(body)


@settings(deadline=None)
@given(title=st.text(), message=st.text(min_size=1).filter(lambda text: bool(text.strip())))
def test_no_control_character_passes(title: str, message: str) -> None:
    """A title is one line, and a message has tabs and newlines only; none is above its length."""
    try:
        note = read_note({"title": title, "message": message})
    except ValueError:  # it was made of control characters
        return

    assert all(char.isprintable() or char == " " or ord(char) > 160 for char in note.title)
    assert not {*"\r\0\x1b\x7f\x85\u2028"} & {*note.message}
    assert len(note.title) <= TITLE_CHARS
    assert len(note.message) <= MESSAGE_CHARS
    assert "\n" not in note.subject


def test_a_mail_without_a_title_has_the_beginning_of_its_message() -> None:
    """Up to 60 characters of the first line."""
    assert ["short", "x" * 57 + "..."] == [read_note({"message": text}).subject for text in ("short\nmore", "x" * 80)]


@settings(deadline=None)
@given(text=st.text(), most=st.integers(min_value=10, max_value=60))
def test_what_is_cut_fits(text: str, most: int) -> None:
    """In bytes, at a whole character, and says that it is cut."""
    text = text.encode(errors="ignore").decode()
    short, cut = fit(text, most)

    assert len(short.encode()) <= most
    assert cut == (short != text)
    assert not cut or short.endswith("[...]")


@pytest.mark.parametrize(
    ("body", "labels"),
    [
        ({}, ["mail"]),
        ({"action": "email"}, ["mail"]),
        ({"action": "mail"}, ["mail"]),
        ({"action": "smoke signal"}, ["mail"]),
        ({"action": "push"}, ["phone", "pager"]),
        ({"action": "prowl"}, ["pager"]),
        ({"action": "ios"}, ["pager"]),
        ({"targets": "phone"}, ["phone"]),
        ({"targets": ["all", "phone"]}, ["mail", "phone"]),
        ({"targets": "you@b.test"}, ["you@b.test"]),
        ({"action": "email", "targets": ["you@b.test", "mail"]}, ["you@b.test", "mail"]),
    ],
)
def test_action_and_targets_say_who(body: dict[str, Any], labels: list[str]) -> None:
    """An unknown action is e-mail; nobody gets a message twice."""
    assert labels == [recipient.label for recipient in WHOM.asked(body)]


def test_an_address_takes_the_way_of_the_first_e_mail_target() -> None:
    """And each address has a mail of its own: they do not see one another."""
    found = WHOM.asked({"targets": ["a@b.test", "c@d.test"]})

    assert [("mail", "a@b.test"), ("mail", "c@d.test")] == [(each.target, each.address) for each in found]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"targets": "phnoe"}, "no target 'phnoe'; did you mean phone"),
        ({"targets": "x@y.test\r\nBcc: z@y.test"}, "is no e-mail address"),
        ({"targets": "<x@y.test>"}, "is no e-mail address"),
        ({"targets": "x@y.test,z@y.test"}, "is no e-mail address"),
        ({"targets": "tür@y.test"}, "other than a-z"),
        ({"targets": [f"u{n}@b.test" for n in range(21)]}, "at most 20"),
        ({"targets": [5]}, "write a name or a list of names"),
        ({"targets": {"a": 1}}, "write a name or a list of names"),
        ({"action": "push", "targets": "a@b.test"}, "no target 'a@b.test'"),
    ],
)
def test_nobody_known_is_refused_in_words(body: dict[str, Any], said: str) -> None:
    """Nothing that goes into a command of SMTP can be more than an address."""
    with pytest.raises(ValueError, match=said):
        WHOM.asked(body)


@pytest.mark.parametrize(("action", "said"), [("email", 'no target of kind = "email"'), ("push", "other than")])
def test_an_action_without_targets_of_its_kind_is_told(action: str, said: str) -> None:
    """With what to write."""
    with pytest.raises(ValueError, match=said):
        Whom({}, {}).asked({"action": action})
