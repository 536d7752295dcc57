"""Getting in: what a failed handshake says of keys, what a person is told of it, and when to try again.

ZeroMQ never tries again by itself where a key was refused, or where one end wants keys and the other has none: its
owner then needs new sockets. A broker for which the key was not made only cuts the connection, again and again; so may
one that does not want what we show, if it sees that before we see what it wants.
Knows the events of zmq_socket_monitor(3) and no sockets; time comes in as an argument.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import zmq

from hearthbus.errors import Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hearthbus.keys import Key

FIRST_S: Final = 0.5
LONGEST_S: Final = 10.0
"""Seconds between attempts at most: so long after its key is let in, a client is in."""
CUTS: Final = 5
"""Connections cut during the handshake, in a row, after which one more would end like them.

By a broker that has another key than ours is for. Where only one end wants keys, each notices and the quicker one cuts.
"""
CUTS_WITHIN_S: Final = 3.0
"""A broker that is busy, or about to end, cuts as well; never so fast, one after the other."""
HOW: Final = (
    "make one there with `hearthbus keys new NAME`, bring its file here and name it: [bus] key, or HEARTHBUS_KEY"
)
EVENTS: Final = (
    zmq.EVENT_CONNECTED
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)


class Entrance:
    """One socket's attempts to get in.

    Args:
        url: the broker's address.
        key: the key that is shown; None where none is.
    """

    def __init__(self, url: str, key: Key | None) -> None:
        self.key = key
        self.reached = False
        """Something listens there: a program has it from the kernel, be it frozen or no broker at all."""
        self._url = url
        self._wait = FIRST_S
        self._cuts: list[float] = []

    def heard(self, frames: Sequence[bytes], now: float) -> tuple[bool, Refused | None]:
        """Read one event of the socket's monitor at `now` (seconds).

        Returns whether there is a connection now, and why new sockets are needed, where they are.
        """
        event, value = (int.from_bytes(part, sys.byteorder) for part in (frames[0][:2], frames[0][2:6]))
        if event == zmq.EVENT_CONNECTED:
            self.reached = True
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._wait = FIRST_S
            self._cuts.clear()
            return True, None
        if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            return False, self._refused()
        if event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
            return False, self._mismatch(value)
        if event == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            self._cuts = [*(at for at in self._cuts if now - at < CUTS_WITHIN_S), now]
            if len(self._cuts) >= CUTS:
                return False, self._cut()
        return False, None

    def wait(self) -> float:
        """Return the seconds until the next attempt: longer each time, until one succeeds."""
        seconds = self._wait
        self._wait = min(LONGEST_S, 2 * self._wait)
        self._cuts.clear()
        return seconds

    def silent(self) -> Unavailable:
        """Return what is said where no handshake came to an end."""
        if not self.reached:
            return Unavailable(f"no broker answers at {self._url}; {_start(self._url)}")
        return Unavailable(
            f"what listens at {self._url} does not answer as a broker does: it is one that hangs (`systemctl status "
            "hearthbus-broker` on its machine tells, `kill -CONT PID` wakes one that was stopped), or another program "
            "(`ss -lntp` names it; give the broker another port)"
        )

    def _refused(self) -> Refused:
        if self.key is None:
            return Refused(f"the broker at {self._url} does not let this client in")
        return Refused(
            f"the broker at {self._url} refuses {_shown(self.key)}: it was revoked, or made anew since; "
            f"`hearthbus keys list` on the broker's machine tells"
        )

    def _mismatch(self, value: int) -> Refused:
        if value != zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
            return Refused(f"what answers at {self._url} is no broker of hearthbus (ZeroMQ says {value:#x})")
        if self.key is None:
            return Refused(f"the broker at {self._url} wants a key; {HOW}")
        return Refused(
            f"the broker at {self._url} takes no keys there, and {_shown(self.key)} wants to be checked: "
            f"use the address of its [broker] network, or take [bus] key and HEARTHBUS_KEY away"
        )

    def _cut(self) -> Refused:
        if self.key is None:
            return Refused(
                f"what answers at {self._url} cuts every connection: it is no broker of hearthbus, or one that wants a "
                f"key; {HOW}"
            )
        return Refused(
            f"what answers at {self._url} cuts every connection: it is another broker than {_shown(self.key)} is for, "
            f"or takes no keys there; use the address of its [broker] network; if that broker's own key was made anew, "
            f"make this one anew too: `hearthbus keys new {self.key.name}` on its machine"
        )


def _start(url: str) -> str:
    """Return what gets a broker to answer there: one of an installed house, of this machine, or of another."""
    if url.startswith("ipc:///run/hearthbus/"):
        return "start it: sudo systemctl start hearthbus.target"
    if url.startswith(("ipc:", "tcp://127.", "tcp://localhost:", "tcp://[::1]:")):
        return "start one with `hearthbus up`"
    return "is that its name, is that machine on, and its broker running? `hearthbus doctor` there tells"


def _shown(key: Key) -> str:
    return f"the key {key.name} ({key.path})" if key.path else f"the key {key.name}"
