"""What the reason codes of MQTT v5 mean for a batch. Pure; from the OASIS standard of 2019, section 2.4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from services.telemetry.outcomes import Held, Later, Outcome, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURE: Final = 0x80
"""Codes from here on are failures."""
PACKET_TOO_LARGE: Final = 0x95

_CODES: Final[dict[int, tuple[Callable[[str], Outcome], str]]] = {
    0x80: (Later, "unspecified error"),
    0x81: (Held, "malformed packet"),
    0x82: (Held, "protocol error"),
    0x83: (Later, "implementation specific error"),
    0x84: (Held, "it does not speak MQTT v5"),
    0x85: (Held, "it does not accept the client_id"),
    0x86: (Held, "wrong user or password"),
    0x87: (Held, "not authorised"),
    0x88: (Later, "server unavailable"),
    0x89: (Later, "server busy"),
    0x8A: (Held, "banned"),
    0x8B: (Later, "it shuts down"),
    0x8C: (Held, "it wants another way to log in"),
    0x8D: (Later, "it heard nothing in time"),
    0x8E: (Held, "another client has the same client_id"),
    0x90: (Refused, "it does not accept the topic"),
    0x91: (Later, "packet identifier in use"),
    0x93: (Later, "more in flight than it allows"),
    0x94: (Later, "topic alias invalid"),
    PACKET_TOO_LARGE: (Refused, "packet too large"),
    0x96: (Later, "more messages than it allows"),
    0x97: (Later, "quota exceeded"),
    0x98: (Held, "closed by its administrator"),
    0x99: (Refused, "it does not accept the payload's format"),
    0x9A: (Held, "it does not retain; set retain = false and state = false"),
    0x9B: (Held, "it does not take QoS 1"),
    0x9C: (Later, "it asks to use another server"),
    0x9D: (Held, "it has moved"),
    0x9F: (Later, "connections come too fast"),
}


def judge(code: int, where: str) -> Outcome:
    """Return the outcome of a failure.

    Args:
        code: a reason code of CONNACK, PUBACK or DISCONNECT, 0x80 and above.
        where: the server, or the topic.
    """
    outcome, words = _CODES.get(code, (Later, "unknown reason"))
    return outcome(f"{where}: {words} (0x{code:02x})")
