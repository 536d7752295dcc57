"""What a gateway's lines say, as values: heard packets, settings, answers to commands. Knows no text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivers.rf12.air import Header


class Fault(Enum):
    """Why a line was dropped."""

    GARBAGE = "not printable ASCII: noise, or the wrong baud rate"
    OVERLONG = "longer than any line of a gateway"
    PACKET = "begins as a packet and is none"
    CHECK = "its check is wrong"
    UNCHECKED = "has no check, though the gateway is in hearth mode"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """`OK 37 1 2`: a packet off the air; ` ? ...`: one whose CRC was wrong, then at most 20 bytes of it."""

    header: Header
    payload: bytes
    good: bool = True
    group: int | None = None
    """The net group, where the gateway listens to all of them."""
    rssi_dbm: float | None = None
    """Signal strength, where the radio measures it (RFM69)."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """` B i2* g19 @ 868 MHz c1 o1620 q1 x1`: the gateway's settings."""

    node: int
    group: int
    band_mhz: int
    collect: bool = False
    """Whether it leaves packets that want an ack without one."""
    offset: int = 1600
    """Frequency within the band, 96..3903."""
    quiet: bool = False
    """Whether it keeps packets with a wrong CRC to itself."""
    hex_output: int = 0
    """0 decimal, 1 hex, 2 hex and ASCII."""


@dataclass(frozen=True, kw_only=True)
class Banner:
    """`[RF12demo.12] B i2 g19 @ 868 MHz`: the gateway has started, or was asked for its version."""

    firmware: str
    version: str
    hearth: str | None = None
    """Version of our own firmware, where it is that: it knows hearth mode."""
    config: Config | None = None


@dataclass(frozen=True, kw_only=True)
class Acked:
    """` -> ack`: the gateway has acked the packet before."""


@dataclass(frozen=True, kw_only=True)
class Echo:
    """`> 0,255,1s`: the command the gateway has understood."""

    command: str


@dataclass(frozen=True, kw_only=True)
class Sending:
    """` -> 6 b`: a packet of so many payload bytes goes out now."""

    size: int


@dataclass(frozen=True, kw_only=True)
class Letters:
    """`ASC <E a . b`: the packet before, as characters."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Ready:
    """`# hearth 1 fw=1.0 radio=rfm12b reset=2 queue=4`: hearth mode is on."""

    protocol: int
    """0 where the mode is off."""
    firmware: str = ""
    radio: str = ""
    reset: int = 0
    """What started the processor: its MCUSR."""
    queue: int = 0
    """How many packets can wait."""


@dataclass(frozen=True, kw_only=True)
class Queued:
    """`Q 7`: the gateway has taken the packet; `Delivered`, `Undelivered` or `Sent` follows."""

    tag: int


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """`ACK 7 2 1 241 2 0 0`: the node has acked; with what, if not with nothing."""

    tag: int
    node: int
    tries: int
    ack: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Undelivered:
    """`NAK 7 2 8`: no ack after so many tries."""

    tag: int
    node: int
    tries: int


@dataclass(frozen=True, kw_only=True)
class Sent:
    """`SENT 7`: a packet without ack has gone out."""

    tag: int


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """`BAD 7 full`: the gateway has not taken the packet: check, full, length, dest or duty."""

    tag: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Notice:
    """`! radio restarted silent`: something a person may want to know."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Missing:
    """So many lines were lost on the way here, by their numbers; stands before the line that showed it."""

    count: int


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A line that was dropped."""

    fault: Fault
    text: str
    """Its beginning, for people."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """Any other line: help, prompts, what another firmware says."""

    text: str


Line = (
    Heard | Config | Banner | Acked | Echo | Sending | Letters | Ready | Queued | Delivered | Undelivered | Sent
    | Rejected | Notice | Missing | Broken | Text
)  # fmt: skip
"""Every value a gateway's lines can have."""
