r"""RFXtrx packets as class bodies: one line a wire field, in wire order, and a table of the devices that speak so.

    class Temperature(Packet, kind=0x50, name="temperature"):
        '''08 50 ss nn  ii ii  tt tt  rb      i id · t sign and 0.1 degC · r signal · b battery'''

        id: Id16
        celsius: Celsius
        rssi_dbm: Rssi = NO_SIGNAL
        battery_level: Battery = 0

        variants = (Variant(0x01, "TEMP1", "THR128/138, THC138"), ...)

Every packet begins with the count of the bytes after it, its type (`kind`), subtype and sequence number; they are no
field lines. A variant is one subtype: what RFXCOM calls it, what is sold under it, the fields that differ in it. One
type may have several classes, where subtypes or lengths differ in shape.

Reading is total: see `drivers.rfxtrx.codec`. Knows neither stick nor I/O.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self, dataclass_transform, get_args, get_origin

from drivers.bits import CodecError, Reason
from drivers.rfxtrx.addresses import Gap
from drivers.rfxtrx.kinds import Head, Kind, Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

NO_SIGNAL: Final = -120
"""dBm of a packet that was not received: what is sent."""
_HEADER: Final = 4


@dataclass(frozen=True)
class Variant:
    """One subtype of a packet."""

    subtype: int
    name: str
    """What RFXCOM calls it."""
    products: str = ""
    """What is sold under it."""
    _: KW_ONLY
    sends: bool = False
    """Whether a stick transmits it."""
    fields: Mapping[str, Kind] = field(default_factory=dict)
    """The fields that are different from the class's: limits, commands; the width is the same."""


class Shape:
    """The fields of one variant as numbers: for each its name, place, mask and reader."""

    def __init__(self, columns: Iterable[tuple[str, Kind]], *, tail: tuple[str, Tail] | None, name: str) -> None:
        self.columns = tuple(columns)
        self.tail = tail
        self.name = name
        total = sum(kind.width for _, kind in self.columns)
        if total % 8:
            raise TypeError(f"{name}: {total} bits do not fill whole bytes; name the spare ones")
        self.size = _HEADER + total // 8
        """Bytes of a frame without its tail, counted with the length byte."""
        plan, left = [], total
        for column, kind in self.columns:
            left -= kind.width
            at, bits = (kind.at, kind.bits) if isinstance(kind, Gap) else (0, kind.width)
            plan.append((column, left + at, (1 << bits) - 1, kind.read))
        self._plan: tuple[tuple[str, int, int, Callable[[int], Any]], ...] = tuple(plan)

    def read(self, data: bytes) -> dict[str, Any]:
        """Return the fields of `data`, a whole frame of at least `size` bytes.

        Raises:
            CodecError: a field no value can have.
        """
        number = int.from_bytes(data[_HEADER : self.size], "big")
        values: dict[str, Any] = {}
        for name, shift, mask, read in self._plan:
            try:
                values[name] = read((number >> shift) & mask)
            except CodecError as error:
                raise CodecError(error.reason, f"{self.name}: {name} {error}") from None
        return values

    def write(self, values: Mapping[str, Any], *, zero: Container[str] = ()) -> bytes:
        """Return the bytes after the header; fields in `zero` have no value and are zeros.

        Raises:
            CodecError: a value does not fit its field.
        """
        number = 0
        for name, kind in self.columns:
            try:
                bits = 0 if name in zero else kind.write(values[name])
                number = number << kind.width | (bits << kind.at if isinstance(kind, Gap) else bits)
            except CodecError as error:
                raise CodecError(error.reason, f"{self.name}: {name}: {error}") from None
        return number.to_bytes(self.size - _HEADER, "big")


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Made:
    """A value made with keywords that cannot be changed, equal to one of equal fields.

    No dataclass: to make one took 0.4 ms on a PC, so that a hundred would slow each start of a service on a Pi.
    """

    defaults: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def field_names(cls) -> set[str]:
        """Return the names of all fields."""
        return set()

    @classmethod
    def made(cls, values: Mapping[str, Any]) -> Self:
        """Return one of fields that a program has gathered; as with keywords."""
        return cls(**values)

    def __init__(self, **values: Any) -> None:
        """Make it of its fields.

        Raises:
            TypeError: a field is missing, or there is none of that name.
        """
        mine = {**self.defaults, **values}
        if mine.keys() != (names := self.field_names()):
            wrong = sorted(mine.keys() - names) or sorted(names - mine.keys())
            raise TypeError(f"{type(self).__name__} {'has no' if mine.keys() - names else 'needs'} {', '.join(wrong)}")
        self.__dict__.update(mine)

    def __setattr__(self, name: str, _: object) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be changed; make another")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class Packet(Made):
    """Base of all packets; see the module."""

    name: ClassVar[str] = ""
    kind: ClassVar[int] = -1
    variants: ClassVar[tuple[Variant, ...]] = ()
    open: ClassVar[bool] = False
    told: ClassVar[frozenset[str]] = frozenset()
    """What `tells` may have."""
    """Whether a subtype that is not known yet is read as the others are: where all have had one shape so far."""
    only_when: ClassVar[Mapping[str, tuple[str, Any]]] = {}
    """Fields that mean something only while another has a value: {"watt_hours": ("count", 0)}; else they are None."""
    shapes: ClassVar[Mapping[int, Shape]] = {}
    """By subtype."""
    shape: ClassVar[Shape]
    """Without what variants change."""
    defaults: ClassVar[Mapping[str, Any]] = {"sequence": 0, "extra": b""}

    subtype: int
    sequence: int = 0
    extra: bytes = b""
    """Bytes a newer firmware has added; kept, and their meaning unknown."""

    def __init_subclass__(cls, *, kind: int | None = None, name: str | None = None, open: bool = False) -> None:  # noqa: A002 - a class keyword
        if kind is None or name is None:
            raise TypeError(f"{cls.__name__}: write its type and name: class X(Packet, kind=0x50, name='temperature')")
        cls.kind, cls.name, cls.open = kind, name, open
        kinds = {column: _kind(cls.__name__, column, hint) for column, hint in _own_fields(cls)}
        columns = {column: kind for column, kind in kinds.items() if not isinstance(kind, Tail | Head)}
        tails = [(column, kind) for column, kind in kinds.items() if isinstance(kind, Tail)]
        if tails and (len(tails) > 1 or tails[0][0] != list(kinds)[-1]):
            raise TypeError(f"{cls.__name__}: only the last field can be all the rest")
        tail = tails[0] if tails else None
        cls.defaults = {**Packet.defaults, **{column: vars(cls)[column] for column in kinds if column in vars(cls)}}
        cls.shape = Shape(columns.items(), tail=tail, name=name)
        cls.shapes = {each.subtype: _varied(cls, columns, each, tail) for each in cls.variants}

    @classmethod
    def field_names(cls) -> set[str]:
        """Return the names of all fields, those of the header too."""
        return {"subtype", "sequence", "extra", *(name for name, _ in _own_fields(cls))}

    @classmethod
    def variant(cls, subtype: int) -> Variant | None:
        """Return what is known of a subtype; None where nothing is."""
        return next((each for each in cls.variants if each.subtype == subtype), None)

    @classmethod
    def usual(cls, fields: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG003 - for those that ask
        """Return what goes into fields that a plain object leaves out, where that depends on the others."""
        return {}

    @classmethod
    def takes(cls, read: Self) -> bool:  # noqa: ARG003 - for those that ask
        """Return whether what was read is this packet after all, where length and subtype do not tell."""
        return True

    @classmethod
    def read(cls, data: bytes, shape: Shape) -> Self:
        """Return the packet of a whole frame, which has at least the shape's size.

        Raises:
            CodecError: a field no value can have.
        """
        values = shape.read(data)
        for name, (other, wanted) in cls.only_when.items():
            if values[other] != wanted:
                values[name] = None
        if shape.tail is None:
            values["extra"] = data[shape.size :]
        else:
            values["extra"] = b""
            values[shape.tail[0]] = data[shape.size :]
        values["subtype"], values["sequence"] = data[2], data[3]
        packet = cls.__new__(cls)
        packet.__dict__.update(values)
        return packet

    def encode(self) -> bytes:
        """Return the frame.

        Raises:
            CodecError: the device has no such unit, id, level or command; the text names the limit.
        """
        shape = self.shapes.get(self.subtype) or (self.shape if self.open or not self.variants else None)
        if shape is None:
            known = ", ".join(f"{each.subtype} {each.name}" for each in self.variants)
            raise CodecError(Reason.KIND, f"{self.name} has no subtype {self.subtype}; it has {known}")
        values = vars(self)
        senseless = {name for name, (other, wanted) in self.only_when.items() if values[other] != wanted}
        for name in senseless:
            if values[name] is not None:
                other, wanted = self.only_when[name]
                raise CodecError(Reason.VALUE, f"{self.name}: {name} means something only with {other} = {wanted}")
        body = shape.write(values, zero=senseless) + self._tail(shape) + self.extra
        self.check()  # of fields that are each what they should be
        if not 0 <= self.sequence <= 255 or not 0 <= self.subtype <= 255 or len(body) > 255 - _HEADER + 1:
            raise CodecError(Reason.VALUE, f"{self.name}: sequence, subtype or length is not within a byte")
        return bytes((len(body) + 3, self.kind, self.subtype, self.sequence)) + body

    def tells(self) -> dict[str, Any]:
        """Return what follows from the fields, by names of `told`: shown beside them, for people; never written."""
        return {}

    def check(self) -> None:
        """Refuse what each field alone could be, and all together cannot.

        Raises:
            CodecError: that; the text names the limit.
        """

    def _tail(self, shape: Shape) -> bytes:
        if shape.tail is None:
            return b""
        name, tail = shape.tail
        data = vars(self)[name]
        if not isinstance(data, bytes) or not tail.least <= len(data) <= tail.most:
            raise CodecError(Reason.LENGTH, f"{self.name}: {name} has from {tail.least} to {tail.most} bytes")
        return data


def _own_fields(cls: type) -> list[tuple[str, Any]]:
    hints = vars(cls).get("__annotations__", {})
    return [(name, hint) for name, hint in hints.items() if get_origin(hint) is not ClassVar]


def _kind(packet: str, column: str, hint: Any) -> Kind | Tail | Head:
    """Return the kind of an annotation; a mistake in a class body ends the import, not a decode years later."""
    if get_origin(hint) is not Annotated:
        raise TypeError(
            f"{packet}.{column}: annotate it with a field, such as U8, and without `annotations` of __future__"
        )
    kind: Kind | Tail | Head = get_args(hint)[1]
    return kind


def _varied(
    packet: type[Packet], columns: Mapping[str, Kind], variant: Variant, tail: tuple[str, Tail] | None
) -> Shape:
    for column, kind in variant.fields.items():
        if column not in columns or columns[column].width != kind.width:
            raise TypeError(f"{packet.__name__} {variant.name}: {column} is no field of the same width")
    return Shape({**columns, **variant.fields}.items(), tail=tail, name=f"{packet.name} {variant.name}")
