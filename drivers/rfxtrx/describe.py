"""What each field of a packet can be, in words: for those who write a frame by hand. Knows kinds, and no packet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.bits import Bits, Sign, Switch, Text
from drivers.rfxtrx.addresses import Gap, Identity, Split, Unit
from drivers.rfxtrx.kinds import Absent, Rung, Spare
from drivers.rfxtrx.names import Choice

if TYPE_CHECKING:
    from drivers.rfxtrx.kinds import Kind
    from drivers.rfxtrx.packet import Packet, Variant


def fields(packet: type[Packet], variant: Variant | None) -> dict[str, str]:
    """Return what may be written into each field of a packet, in the order of the wire; spare bits are left out.

    Without a variant the fields are the class's own, where subtypes do not matter.
    """
    shape = packet.shape if variant is None else packet.shapes[variant.subtype]
    told = {name: kind_in_words(kind) for name, kind in shape.columns if not isinstance(kind, Spare | Gap | Absent)}
    if shape.tail is not None:
        name, tail = shape.tail
        told[name] = f"{tail.least} to {tail.most} bytes in hex"
    for name, (other, wanted) in packet.only_when.items():
        if name in told:
            told[name] += f"; only with {other} = {wanted}"
    return told


def kind_in_words(kind: Kind) -> str:  # noqa: PLR0911 - one return for each kind
    """Return what may be written into a field of a kind."""
    match kind:
        case Choice(names=names, sends=sends, also=also):
            allowed = (name for name in names.values() if sends is None or name in sends)
            known = ", ".join(dict.fromkeys(allowed)) or "none known"
            return known + (f"; in other firmware {', '.join(also)}" if also else "")
        case Unit(low=low, high=high, group=group):
            return f"{low} to {high}{'' if group is None else ', 0 for all'}"
        case Split(width=width, gap=gap, low=low):
            return f"{low:#x} to {(1 << (width - gap)) - 1:#x}"
        case Identity():
            low, high = _limits(kind)
            return f"{low:#x} to {high:#x}"
        case Rung(width=width, step=step, plus=plus):
            return f"{plus} to {((1 << width) - 1) * step + plus}, in steps of {step}"
        case Bits():
            return _number(kind)
        case Switch():
            return "true or false"
        case Text(width=width):
            return f"a text of up to {width // 8} characters"
        case _:
            return "a number"


def _limits(kind: Bits) -> tuple[int, int]:
    """Return the least and the greatest whole value of an id."""
    return kind.low or 0, (1 << kind.width) - 1 if kind.high is None else kind.high


def _number(kind: Bits) -> str:
    top = 1 << (kind.width - 1)
    low, high = {
        Sign.NONE: (0, 2 * top - 1),
        Sign.TWOS: (-top, top - 1),
        Sign.MAGNITUDE: (1 - top, top - 1),
    }[kind.sign]
    scaled = [float(limit * kind.scale + kind.plus) for limit in (low, high)]
    least = scaled[0] if kind.low is None else max(scaled[0], kind.low)
    most = scaled[1] if kind.high is None else min(scaled[1], kind.high)
    step = "" if kind.scale == 1 else f", in steps of {float(kind.scale):.6g}"
    nothing = "" if kind.missing is None else ", or null"
    return f"{_say(least)} to {_say(most)}{step}{nothing}"


def _say(number: float) -> str:
    return f"{number:.0f}" if number == int(number) else f"{number:.6g}"
