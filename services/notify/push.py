"""Everything but e-mail: one delivery through a plugin of apprise, and what became of it.

Apprise says True or False; why is in its log and in the exception it swallows, so both are listened to, for the time of
a delivery and in its own thread. What was heard is told in our own words, without secrets. Blocking; a lane runs it.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from html import escape
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from services.notify import apprise_plugin
from services.notify.outcomes import NOT_LATER, Attempt, Receipt, Undelivered
from services.notify.settings import NTFY, revealed
from services.redact import in_a_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from services.notify.note import Note, Priority
    from services.notify.settings import Target

MOST_BYTES: Final = {"ntfy": 3_800, "pushover": 1_000, "prowl": 9_000, "telegram": 3_500}
"""Of a message's text; ntfy makes a file of more, Pushover, Prowl and Telegram refuse it."""
_OTHERS_BYTES: Final = 1_000
_PRIORITY: Final[Mapping[str, Mapping[Priority, Any]]] = {
    "ntfy": {"low": "low", "normal": "default", "high": "high", "urgent": "max"},
    "pover": {"low": -1, "normal": 0, "high": 1, "urgent": 2},
    "prowl": {"low": -1, "normal": 0, "high": 1, "urgent": 2},
}
"""What each service calls them."""
_OWN: Final = {
    "redirects": False,  # to a log-in page, say, which answers 200 to whoever comes
    "request_rate_per_sec": 0,  # the house has limits of its own, and a plugin waits in its thread
    "ntfy_json_upstream_size_limit": 60_000,  # ntfy: a longer message would become a file, measured escaped
    "interval": 60,  # Pushover: repeats an urgent message so often, in seconds,
    "expire": 3600,  # and so long, until it is acknowledged
}
"""What every plugin is told; those that know nothing of a name leave it alone."""
_TYPE: Final[Mapping[Priority, str]] = {"low": "info", "normal": "info", "high": "warning", "urgent": "failure"}
"""For services without priorities: the colour or picture apprise gives a message."""
_MEANINGS: Final = {
    400: "it does not understand the message or a key in it",
    401: "it refuses the login: token or key is wrong",
    403: "it does not allow that: the token may not, or the user has blocked it",
    404: "it knows no such topic, chat or user",
    406: "its own rate limit is reached",
    413: "the message is too long for it",
    429: "its own rate limit is reached",
}
_OTHER_MEANINGS: Final = {3: "it points to another address, and is not followed", 5: "it is in trouble"}
_AGAIN: Final = (406, 408, 425, 429)
"""Answers after which a later try may succeed; so are those from 500."""
_CODE: Final = re.compile(r"error=(\d{3})\d{0,2}\b")
"""How plugins write an HTTP status; ntfy adds two digits of its own."""
_WORDS: Final = re.compile(r":\s*(\S.*?),?\s*error=")
"""And what the server said of it, or they say of the status."""


class Push:
    """The sender of a target of any other kind.

    Args:
        target: its table.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._secrets = target.secrets()
        self.most_bytes = MOST_BYTES.get(target.kind, _OTHERS_BYTES)
        self._plugin: Any = None

    def prepare(self) -> None:
        """Load the plugin and give it the table; the first delivery does it otherwise.

        Raises:
            Undelivered: there is no such plugin, or it does not take what the table says.
        """
        apprise_plugin.silence()
        scheme, arguments = _ARGUMENTS[self._target.kind](self._target)
        kind = apprise_plugin.find(scheme)
        if kind is None:
            raise Undelivered(f"apprise knows no {scheme}://; see https://appriseit.com/services")
        if not kind.enabled:
            raise Undelivered(f"{kind.service_name} does not work here: it needs {_needs(kind)}")
        with _Ear() as ear:
            try:
                parsed = arguments if arguments is not None else kind.parse_url(revealed(self._target.url))
                self._plugin = kind(**parsed) if parsed else None
            except Exception as error:  # noqa: BLE001 - a plugin is somebody else's code
                heard = ear.warning or type(error).__name__
                raise Undelivered(f"{kind.service_name} does not take its table: {self._hidden(heard)}") from None
        if self._plugin is None:
            raise Undelivered(f"url is not how apprise writes {scheme}://; see {kind.setup_url}")
        for name, value in _OWN.items():
            setattr(self._plugin, name, value)

    def send(self, note: Note, to: Sequence[str], attempt: Attempt, *, at: float) -> Receipt:  # noqa: ARG002 - as Mail
        """Deliver one message.

        Args:
            note: what to say.
            to: nobody else than the table's.
            attempt: how long it may take, and whether anybody waits still.
            at: now.

        Raises:
            Undelivered: why not.
            GivenUp: nobody waits any more, nothing was sent.
        """
        if self._plugin is None:
            self.prepare()
        plugin = self._plugin
        self._say_priority(plugin, note.priority)
        plugin.socket_connect_timeout = plugin.socket_read_timeout = attempt.left() * 0.9
        attempt.commit()
        with _Ear() as ear:
            try:
                done = plugin.notify(notify_type=_TYPE[note.priority], **_as_text(plugin, note))
            except Exception as error:  # noqa: BLE001 - a plugin is somebody else's code
                raise Undelivered(f"{self._where()}: its plugin fails: {type(error).__name__}", "unknown") from None
        if done:
            return Receipt()
        reason, several = self._reason(ear), len(plugin)
        if several > 1:
            text = f"{reason}; some of its {several} addressees may have it, and it is not sent again"
            raise Undelivered(text, "unknown")
        raise reason

    def _say_priority(self, plugin: Any, priority: Priority) -> None:
        for scheme, values in _PRIORITY.items():
            if scheme in plugin.schemas():
                plugin.priority = values[priority]
        if self._target.kind == "telegram":
            plugin.silent = priority == "low"

    def _reason(self, ear: _Ear) -> Undelivered:
        """Tell what was heard in words."""
        where = self._where()
        if ear.error is not None:
            return _broken(ear.error, where)
        found = _CODE.search(ear.warning)
        if not found:
            return Undelivered(f"{where} has not got it: {self._hidden(ear.warning) or 'its plugin does not say why'}")
        status = int(found[1])
        meaning = _MEANINGS.get(status) or _OTHER_MEANINGS.get(status // 100, "it refuses the message")
        words = _WORDS.search(self._hidden(ear.warning))
        text = f"{where} answers {status}: {meaning}"
        return Undelivered(
            f"{text} ({words[1]})" if words else text, "again" if status in _AGAIN or status >= 500 else "server"
        )

    def _hidden(self, text: str) -> str:
        return in_a_line(text, self._secrets, most=160)

    def _where(self) -> str:
        """The service, for people: its host only where the table names one."""
        if self._target.kind == "ntfy":
            return urlsplit(self._target.server).netloc
        return str(getattr(self._plugin, "service_name", self._target.kind))


def _needs(kind: Any) -> str:
    """What a plugin lacks: packages, or a machine of another sort."""
    packages = kind.requirements.get("packages_required") or str(kind.requirements.get("details"))
    return packages if isinstance(packages, str) else ", ".join(packages)


def _as_text(plugin: Any, note: Note) -> dict[str, Any]:
    """Title and message in the markup a plugin sends, so that what is shown is what was written.

    Some plugins send nothing but HTML or Markdown, and pass on as markup what was said to be text.
    """
    from apprise.common import NotifyFormat
    from apprise.conversion import convert_between

    markup = plugin.resolve_format(NotifyFormat.TEXT)

    def written(text: str) -> str:
        if markup == NotifyFormat.HTML:
            return escape(text, quote=False).replace("\n", "<br/>")
        if markup == NotifyFormat.TEXT:
            return text
        return str(convert_between(NotifyFormat.TEXT, markup, text))  # type: ignore[no-untyped-call]  # apprise has no types

    title = note.title if plugin.title_maxlen > 0 else written(note.title)
    return {"title": title, "body": written(note.message), "body_format": markup}


class _Ear(logging.Handler):
    """What apprise logs in this thread while it is open, and the exception it handles meanwhile."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.warning = ""
        self.error: BaseException | None = None
        self._thread = threading.get_ident()
        self._logger = logging.getLogger("apprise")

    def __enter__(self) -> Self:
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Hear one line."""
        if record.thread != self._thread:
            return
        self.error = self.error or sys.exc_info()[1]
        if record.levelno >= logging.WARNING:
            self.warning = self.warning or record.getMessage()


def _broken(error: BaseException, where: str) -> Undelivered:
    """Say in words what the HTTP library raised, and whether the message can have got away."""
    import requests

    cause = getattr(error.args[0] if error.args else None, "reason", None)
    match error:
        case requests.exceptions.SSLError():
            return Undelivered(f"{where}: its certificate is not to be trusted, or it does not speak TLS")
        case requests.exceptions.ConnectTimeout():
            return Undelivered(f"{where} does not answer: nothing was sent, {NOT_LATER}")
        case requests.exceptions.ConnectionError() if type(cause).__name__ == "NameResolutionError":
            return Undelivered(f"{where} is not found: no such name, or no network", "again")
        case requests.exceptions.ConnectionError() if type(cause).__name__ == "NewConnectionError":
            return Undelivered(f"{where} cannot be reached", "again")
        case requests.exceptions.ProxyError() | requests.exceptions.InvalidURL():
            return Undelivered(f"{where} cannot be reached: {type(error).__name__}")
    return Undelivered(
        f"{where} did not say whether it took the message: it may arrive, and is not sent again", "unknown"
    )


def _ntfy(target: Target) -> tuple[str, dict[str, Any]]:
    parts = urlsplit(target.server)
    token = revealed(target.token) or None
    return "ntfy", {
        "targets": [revealed(target.topic)],
        "mode": "cloud" if target.server == NTFY else "private",
        "secure": parts.scheme == "https",
        "host": parts.hostname,
        "port": parts.port,
        "auth": "token" if token else None,
        "token": token,
        "include_image": False,
    }


def _pushover(target: Target) -> tuple[str, dict[str, Any]]:
    return "pover", {"user_key": revealed(target.user), "token": revealed(target.token)}


def _prowl(target: Target) -> tuple[str, dict[str, Any]]:
    return "prowl", {"apikey": revealed(target.key)}


def _telegram(target: Target) -> tuple[str, dict[str, Any]]:
    return "tgram", {"bot_token": revealed(target.bot), "targets": [revealed(target.chat)], "detect_owner": False}


def _address(target: Target) -> tuple[str, None]:
    return revealed(target.url).partition("://")[0], None


_ARGUMENTS: Final[Mapping[str, Callable[[Target], tuple[str, dict[str, Any] | None]]]] = {
    "ntfy": _ntfy,
    "pushover": _pushover,
    "prowl": _prowl,
    "telegram": _telegram,
    "apprise": _address,
}
"""The scheme of a kind's plugin, and what it is made with; None: what it reads from the address."""
