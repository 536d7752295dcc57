"""Radio signals as lengths of pulses: type 0x7F. Knows how a signal is cut into packets; not what it means.

What a stick has no packet for it can send so, to a switch of any make whose signal was recorded. Source: the layout as
node-rfxcom has it.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Final

from drivers.bits import Bits, CodecError, Reason
from drivers.rfxtrx.kinds import Rest
from drivers.rfxtrx.packet import Packet, Variant

IN_ONE: Final = 124
"""Pulses of one packet."""
IN_ALL: Final = 4 * IN_ONE
"""Pulses of a signal: a stick takes four packets."""


class Raw(Packet, kind=0x7F, name="raw"):
    """A part of a signal: the first to the fourth, which is the subtype.

    nn 7F ss nn  rr  pp pp  qq qq ...      r how often the signal is sent, in its last part; else 0
                                           p, q lengths of a pulse and of the pause after it, microseconds
    """

    repeats: Annotated[int, Bits(width=8, high=10)]
    payload: Rest

    variants = (
        Variant(0x00, "RAW", "first part", sends=True),
        Variant(0x01, "RAW PACKET 2", "second part", sends=True),
        Variant(0x02, "RAW PACKET 3", "third part", sends=True),
        Variant(0x03, "RAW PACKET 4", "fourth part", sends=True),
    )

    told = frozenset({"pulses_us"})

    def tells(self) -> dict[str, Any]:
        """Return the lengths of pulses and pauses."""
        return {"pulses_us": list(self.pulses)}

    @property
    def pulses(self) -> tuple[int, ...]:
        """Return the lengths in microseconds; a byte too many is none."""
        return tuple(int.from_bytes(self.payload[at : at + 2], "big") for at in range(0, len(self.payload) - 1, 2))

    def check(self) -> None:
        """Refuse what no stick takes: half a pulse, a pulse without its pause, too many."""
        if len(self.payload) % 4 or not 0 < len(self.payload) <= 2 * IN_ONE:
            count = len(self.payload) / 2
            raise CodecError(Reason.LENGTH, f"raw: {count:g} pulses and pauses, not an even number from 2 to {IN_ONE}")


def split(pulses: Iterable[int], *, repeats: int = 5) -> tuple[Raw, ...]:
    """Return the packets of a signal, in the order to send them.

    Args:
        pulses: microseconds of pulse, pause, pulse, pause, ...
        repeats: how often the stick sends the whole of it, 1..10.

    Raises:
        CodecError: there are none, an odd number, more than 496, one of no length or above 65535, or no such `repeats`.
    """
    lengths = tuple(pulses)
    if not lengths or len(lengths) % 2:
        raise CodecError(Reason.LENGTH, f"raw: {len(lengths)} lengths; each pulse needs the pause after it")
    if len(lengths) > IN_ALL:
        raise CodecError(Reason.LENGTH, f"raw: {len(lengths)} lengths; a stick takes {IN_ALL}")
    for length in lengths:
        if type(length) is not int or not 0 < length < 1 << 16:
            raise CodecError(Reason.VALUE, f"raw: a pulse of {length!r} microseconds is not from 1 to 65535")
    if not 1 <= repeats <= 10:
        raise CodecError(Reason.VALUE, f"raw: {repeats} repeats are not from 1 to 10")
    parts = [lengths[at : at + IN_ONE] for at in range(0, len(lengths), IN_ONE)]
    return tuple(
        Raw(
            subtype=number,
            sequence=number,
            repeats=repeats if number == len(parts) - 1 else 0,
            payload=b"".join(length.to_bytes(2, "big") for length in part),
        )
        for number, part in enumerate(parts)
    )


PACKETS: Final = (Raw,)
