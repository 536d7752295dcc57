"""The tables of notify: what is wrong with one is said before anything runs, in words and without its secrets."""

from __future__ import annotations

from typing import Any

import pytest

from hearthbus import Invalid, Secret
from hearthbus.config.schema import build
from services.notify import Notify
from services.notify import settings as module
from services.notify.settings import Target

MAIL: dict[str, Any] = {"kind": "email", "host": "mail.test", "sender": "a@b.test", "to": ["c@d.test"]}
PASSWORD = Secret("not-to-be-seen")
LOGIN: dict[str, Any] = {"user": "me", "password": PASSWORD}
NTFY: dict[str, Any] = {"kind": "ntfy", "topic": "house-5"}


def without(table: dict[str, Any], key: str) -> dict[str, Any]:
    """The table less one key."""
    return {name: value for name, value in table.items() if name != key}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"kind": "sms"}, '"sms" is none of the choices'),
        (without(MAIL, "host"), 'host is missing; kind = "email" needs host, sender, to'),
        (without(MAIL, "to"), "to is missing"),
        ({**MAIL, "to": ["not an address"]}, "to: 'not an address' is no e-mail address"),
        ({**MAIL, "to": ["a@b.test\nBcc: c@d.test"]}, "is no e-mail address"),
        ({**MAIL, "sender": "grüße@b.test"}, "characters other than a-z"),
        ({**MAIL, "to": ["=?utf-8?q?a=0ABcc?=@b.test"]}, "is no e-mail address"),
        ({**MAIL, "host": "mail test"}, "is no name of a machine"),
        ({**MAIL, "host": "mail..test"}, "is no name of a machine"),
        ({**MAIL, "host": "mail.test:587"}, 'write host = "mail.test" and port = 587'),
        ({**MAIL, "port": 0}, "port 0 is none of 1 to 65535"),
        ({**MAIL, "user": "me"}, "user and password belong together"),
        ({**MAIL, "tls": "ssl"}, '"ssl" is none of the choices'),
        ({**MAIL, **LOGIN, "tls": "none"}, "password would cross the network for all to read"),
        ({**MAIL, "password": "plain"}, "a secret is not written here"),
        ({**MAIL, "topic": "x"}, 'topic is for kind = "ntfy", not for email'),
        ({**MAIL, "quiet": "late"}, "quiet 'late' is no time of day"),
        ({**MAIL, "per_hour": -1}, "per_hour -1 is below 0"),
        ({**NTFY, "topic": "a/b"}, "topic is not what it should be: 1 to 64 of"),
        ({**NTFY, "server": "ntfy.sh"}, 'write server = "https://ntfy.sh"'),
        ({**NTFY, "server": "https://ntfy.test:99999"}, "https://ntfy.test is no address"),
        ({**NTFY, "server": "https://ntfy.test:tls"}, "https://ntfy.test is no address"),
        ({**NTFY, "server": "https://[::1"}, "server is no address"),
        ({**NTFY, "server": "https://u:p@ntfy.sh"}, "server holds a password"),
        ({**NTFY, "server": "http://ntfy.test", "token": PASSWORD}, "token would cross the network"),
        ({"kind": "pushover", "user": "short", "token": PASSWORD}, "token is not what it should be: 30 letters"),
        ({"kind": "prowl", "key": PASSWORD}, "key is not what it should be: 40 hexadecimal digits"),
        ({"kind": "telegram", "bot": PASSWORD, "chat": 5}, "bot is not what it should be: what @BotFather gave"),
        ({"kind": "telegram", "bot": Secret("1:" + "x" * 35), "chat": "me"}, "chat is not what it should be"),
        ({"kind": "apprise", "url": PASSWORD}, "url is not what it should be: an address of apprise"),
        ({"kind": "apprise", "url": "discord://a/b"}, "a secret is not written here"),
    ],
)
def test_a_wrong_table_is_refused(table: dict[str, Any], said: str) -> None:
    """With the key, and without any secret."""
    with pytest.raises(Invalid) as caught:
        build(Target, table)

    assert said in str(caught.value)
    assert "not-to-be-seen" not in str(caught.value)


def test_every_fault_is_told_at_once() -> None:
    """Not the first only."""
    with pytest.raises(Invalid) as caught:
        build(Target, {**MAIL, "port": 0, "quiet": "late", "topic": "x"})

    assert 3 == len(caught.value.problems)


def test_a_package_that_is_not_installed_is_told_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to type; e-mail needs none."""
    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    build(Target, MAIL)

    with pytest.raises(Invalid, match=r"type: \S*pip install 'hearthbus\[notify\]'"):
        build(Target, NTFY)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"targets": {"Phone": NTFY}}, "targets.Phone: a name is one part of a topic"),
        ({"targets": {"send": NTFY}}, "targets.send: notify/send is taken"),
        ({"targets": {"phone": NTFY}, "groups": {"phone": ["phone"]}}, "groups.phone: a target has that name"),
        ({"targets": {"phone": NTFY}, "groups": {"all": ["phone", "mail"]}}, "groups.all: mail is none of the targets"),
        ({"groups": {"all": []}}, "groups.all is empty"),
        ({"timezone": "Mars/Olympus"}, "timezone 'Mars/Olympus' is not known"),
    ],
)
def test_wrong_names_are_refused(config: dict[str, Any], said: str) -> None:
    """Of targets, of groups, of a zone."""
    with pytest.raises(Invalid) as caught:
        build(Notify.Config, config, within=Notify)

    assert said in str(caught.value)


def test_a_wrong_target_is_not_said_to_be_missing() -> None:
    """One fault is told once, where it is: the groups that name the good targets are not at fault."""
    config = {"targets": {"phone": NTFY, "mail": {"kind": "sms"}}, "groups": {"all": ["phone", "mail"]}}
    with pytest.raises(Invalid) as caught:
        build(Notify.Config, config, within=Notify)

    assert "none of the choices" in str(caught.value)
    assert "groups" not in str(caught.value)


def test_a_target_shows_no_secret() -> None:
    """Nor does what is logged of it."""
    target = build(Target, {**MAIL, **LOGIN})

    assert "not-to-be-seen" not in repr(target)
    assert ("not-to-be-seen",) == target.secrets()


def test_each_part_of_an_address_is_a_secret() -> None:
    """Services and plugins repeat a part of it, not the whole."""
    target = build(Target, {"kind": "apprise", "url": Secret("discord://4711000/tokentoken?tts=yes&key=abcd")})

    assert {"4711000", "tokentoken", "abcd"} < set(target.secrets())
    assert "discord" not in target.secrets()


def test_the_first_part_of_an_address_is_one_too() -> None:
    """However short the name of the service before it is; quoted characters are what the plugin makes of them."""
    target = build(Target, {"kind": "apprise", "url": Secret("sns://AKIAEXAMPLE/s3cr%2Fet%20key/us-east-1/+1555")})

    assert {"AKIAEXAMPLE", "s3cr%2Fet%20key", "s3cr/et key"} < set(target.secrets())
