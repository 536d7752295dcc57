"""E-mail: a message as RFC 5322 has it, and one delivery to a mail server by SMTP.

The message is only text: HTML in it is shown, not interpreted. Blocking; a lane runs it in a thread. Knows when it may
still be given up: up to the moment the text itself is sent, nothing arrives.
"""

from __future__ import annotations

import base64
import hmac
import re
import smtplib
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING, BinaryIO, Final

from services.notify.outcomes import NOT_LATER, Attempt, Fault, Receipt, Undelivered
from services.notify.settings import PORTS, revealed
from services.redact import in_a_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from services.notify.note import Note, Priority
    from services.notify.settings import Target

MOST_BYTES: Final = 60_000
"""Of a message's text."""
_POLICY: Final = SMTP.clone(cte_type="7bit")
"""Not every server on the way takes eight bits (RFC 6152)."""
_IMPORTANCE: Final[dict[Priority, tuple[str, str]]] = {
    "low": ("low", "5 (Lowest)"),
    "high": ("high", "2 (High)"),
    "urgent": ("high", "1 (Highest)"),
}
"""`Importance` and `X-Priority`: programs read one or the other; normal has neither."""
_MOST_LINES: Final = 100
"""Of one reply."""
_SAID: Final = 120
"""Characters of what a server said that are passed on."""


def compose(note: Note, *, sender: str, to: Sequence[str], at: float, number: str) -> EmailMessage:
    """Make the mail.

    Args:
        note: its title and message.
        sender: the address it comes from.
        to: those it goes to.
        at: now, seconds since 1970 UTC.
        number: its Message-ID.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address(addr_spec=sender)
    mail["To"] = tuple(Address(addr_spec=address) for address in to)
    if "=?" in note.subject:  # the library decodes what looks like RFC 2047, line breaks and further headers in it too
        mail.set_raw("Subject", Header(note.subject, "utf-8", header_name="Subject").encode(linesep="\r\n"))
    else:
        mail["Subject"] = note.subject
    mail["Date"] = format_datetime(datetime.fromtimestamp(at, UTC))
    mail["Message-ID"] = number
    mail["Auto-Submitted"] = "auto-generated"
    if note.priority in _IMPORTANCE:
        mail["Importance"], mail["X-Priority"] = _IMPORTANCE[note.priority]
    mail.set_content(note.message)
    return mail


class Mail:
    """The sender of a target of kind email.

    Args:
        target: its table.
    """

    most_bytes = MOST_BYTES

    def __init__(self, target: Target) -> None:
        self._target = target
        self._host = target.host or ""
        self._port = target.port or PORTS[target.tls]
        self._where = f"{self._host}:{self._port}"
        self._secrets = target.secrets()

    def prepare(self) -> None:
        """Nothing can be wrong that its table would not have said."""

    def send(self, note: Note, to: Sequence[str], attempt: Attempt, *, at: float) -> Receipt:
        """Deliver one mail.

        Args:
            note: what to say.
            to: recipients; none: those of the table.
            attempt: how long it may take, and whether anybody waits still.
            at: now, seconds since 1970 UTC.

        Raises:
            Undelivered: why not.
            GivenUp: nobody waits any more, nothing was sent.
        """
        sender = self._target.sender or ""
        to = to or self._target.to
        number = make_msgid(domain=sender.rpartition("@")[2])
        mail = compose(note, sender=sender, to=to, at=at, number=number)
        committed = False
        try:
            with self._connected(attempt) as smtp:
                self._step(smtp, attempt)
                refused = self._envelope(smtp, attempt, sender, to)
                self._reply(smtp, attempt, "DATA", expected=354, what="the mail")
                self._step(smtp, attempt)
                attempt.commit()
                committed = True
                smtp.send(_dotted(mail.as_bytes()))
                code, said = smtp.getreply()
                if code < 400 and code != 250:
                    raise smtplib.SMTPServerDisconnected  # no answer at all: it may have taken the mail
                if code != 250:
                    raise self._refusal(code, said, "the mail")
                with suppress(OSError):
                    smtp.putcmd("QUIT")  # its answer could take as long as all before
                return Receipt(refused=tuple(refused))
        except OSError as error:  # smtplib's own are such
            raise self._broken(error, committed=committed) from None

    def _connected(self, attempt: Attempt) -> smtplib.SMTP:
        """Connect, encrypt and log in."""
        name = socket.gethostname()
        name = name if "." in name else "[127.0.0.1]"
        smtp: smtplib.SMTP
        if self._target.tls == "tls":
            trust = ssl.create_default_context()
            smtp = _SmtpTls(self._host, self._port, local_hostname=name, timeout=attempt.left(), context=trust)
        else:
            smtp = _Smtp(self._host, self._port, local_hostname=name, timeout=attempt.left())
        try:
            self._greet(smtp, attempt)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _greet(self, smtp: smtplib.SMTP, attempt: Attempt) -> None:
        """Encrypt and log in, as the table says."""
        self._step(smtp, attempt)
        smtp.ehlo_or_helo_if_needed()
        if self._target.tls == "starttls":
            if not smtp.has_extn("starttls"):
                raise Undelivered(f'{self._where} offers no STARTTLS; tls = "tls" or another port may be right')
            self._step(smtp, attempt)
            smtp.starttls(context=ssl.create_default_context())
            self._step(smtp, attempt)
            smtp.ehlo_or_helo_if_needed()
        if self._target.password is not None:
            self._step(smtp, attempt)
            _log_in(smtp, revealed(self._target.user), self._target.password.reveal())

    def _envelope(self, smtp: smtplib.SMTP, attempt: Attempt, sender: str, to: Sequence[str]) -> list[str]:
        """Name the sender and the recipients; return those refused, as long as one is taken."""
        self._reply(smtp, attempt, f"MAIL FROM:<{sender}>", expected=250, what=f"the sender {sender}")
        refusals: list[Undelivered] = []
        for address in to:
            try:
                self._reply(smtp, attempt, f"RCPT TO:<{address}>", expected=250, what=address)
            except Undelivered as refusal:
                refusals.append(refusal)
        if len(refusals) == len(to):
            again = all(refusal.fault == "again" for refusal in refusals)
            raise Undelivered("; ".join(map(str, refusals)), "again" if again else "server")
        return [str(refusal) for refusal in refusals]

    def _reply(self, smtp: smtplib.SMTP, attempt: Attempt, command: str, *, expected: int, what: str) -> None:
        self._step(smtp, attempt)
        code, said = smtp.docmd(command)
        if code not in {expected, 251}:
            raise self._refusal(code, said, what)

    def _step(self, smtp: smtplib.SMTP, attempt: Attempt) -> None:
        if smtp.sock is None:
            raise smtplib.SMTPServerDisconnected
        smtp.sock.settimeout(attempt.left())

    def _refusal(self, code: int, said: bytes, what: str) -> Undelivered:
        words = in_a_line(said.decode(errors="replace"), self._secrets, most=_SAID)
        text = f"{self._where} refuses {what}: {code} {words}".rstrip()
        return Undelivered(text, "again" if 400 <= code < 500 else "server")

    def _broken(self, error: OSError, *, committed: bool) -> Exception:
        """Say in words what a library raised."""
        if committed:
            return Undelivered(
                f"{self._where} did not say whether it took the mail: it may arrive, and is not sent again", "unknown"
            )
        if isinstance(error, smtplib.SMTPResponseException):
            what = "the login" if isinstance(error, smtplib.SMTPAuthenticationError) else "the connection"
            said = error.smtp_error
            return self._refusal(error.smtp_code, said if isinstance(said, bytes) else said.encode(), what)
        if isinstance(error.__context__, TimeoutError | _Endless):
            error = error.__context__  # smtplib tells it as a server that hung up
        words, fault = next((words, fault) for kind, words, fault in _BROKEN if isinstance(error, kind))
        detail = getattr(error, "verify_message", None) or error.strerror or type(error).__name__
        return Undelivered(f"{self._where} {words.format(detail=detail, tls=self._target.tls)}", fault)


class _Endless(OSError):
    """A reply that does not stop."""


_BROKEN: Final[tuple[tuple[type[OSError], str, Fault], ...]] = (
    (smtplib.SMTPNotSupportedError, "takes no login here; leave user and password out, or see tls", "server"),
    (smtplib.SMTPServerDisconnected, "hung up", "again"),
    (smtplib.SMTPException, "does not speak SMTP: {detail}", "server"),
    (_Endless, "does not speak SMTP: it talks without end", "server"),
    (ssl.SSLCertVerificationError, "has a certificate that is not to be trusted: {detail}", "server"),
    (ssl.SSLError, 'does not speak TLS as expected; see tls = "{tls}" and port', "server"),
    (socket.gaierror, "is not found: no such name, or no network", "again"),
    (TimeoutError, f"does not answer: nothing was sent, {NOT_LATER}", "server"),
    (OSError, "cannot be reached: {detail}", "again"),
)
"""What a library raises before the text is sent, and how that is said; the first that fits."""


class _Smtp(smtplib.SMTP):
    """Closed without a word where it is left early: a QUIT could hang as long as the rest. Hears so much, no more."""

    def getreply(self) -> tuple[int, bytes]:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected
        if self.file is None:
            self.file = _File(self.sock.makefile("rb"))
        self.file.lines = 0
        return super().getreply()

    def __exit__(self, *_: object) -> None:
        self.close()


class _File:
    """What a server says, line by line; smtplib itself reads a reply as long as it goes on.

    Args:
        file: the connection's.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.lines = 0
        self.close = file.close
        self._file = file

    def readline(self, size: int) -> bytes:
        self.lines += 1
        if self.lines > _MOST_LINES:
            raise _Endless
        return self._file.readline(size)


class _SmtpTls(_Smtp, smtplib.SMTP_SSL):
    """As above."""


def _log_in(smtp: smtplib.SMTP, user: str, password: str) -> None:
    """Log in by the first way both know, once: smtplib tries all, and three wrong passwords close some accounts.

    Its own ways know no letter outside of ASCII.
    """

    def digest(challenge: bytes) -> str:
        return f"{user} {hmac.new(password.encode(), base64.b64decode(challenge), 'md5').hexdigest()}"

    offered = smtp.esmtp_features.get("auth", "").upper().split()
    ways: dict[str, tuple[Callable[[bytes], str], ...]] = {
        "PLAIN": (lambda _: f"\0{user}\0{password}",),
        "LOGIN": (lambda _: user, lambda _: password),
        "CRAM-MD5": (digest,),
    }
    way = next((way for way in ways if way in offered), None)
    if way is None:
        raise smtplib.SMTPNotSupportedError
    code, said = smtp.docmd(f"AUTH {way}")
    for answer in ways[way]:
        if code == 334:
            code, said = smtp.docmd(base64.b64encode(answer(said).encode()).decode())
    if code not in {235, 503}:
        raise smtplib.SMTPAuthenticationError(code, said)


def _dotted(mail: bytes) -> bytes:
    """A mail as DATA wants it: lines that begin with a dot have two, and a dot alone ends it."""
    return re.sub(rb"(?m)^\.", b"..", mail) + b".\r\n"
