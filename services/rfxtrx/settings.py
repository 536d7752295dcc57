"""The table `[rfxtrx]`: the stick, and what its devices are called. Knows names and numbers, no port and no bus."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from hearthbus import Invalid
from hearthbus.config.problems import nearest
from services.checks import check_all, is_segment, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.rfxtrx.naming import Address

OFF_DELAY_S: Final = 900.0
"""Seconds after which motion is over where nobody has said so: many sensors never do."""
Kind = Literal[
    "light", "switch", "cover", "motion", "contact", "smoke", "water", "remote", "chime", "siren", "climate", "sensor"
]
_CODE_BITS: Final = 24


@dataclass(frozen=True)
class Device:
    """A device; the name of its table is its place, and its light, switch or cover.

    [rfxtrx.devices.desk]
    id = "lighting2.ac.123abcd.5"   # as `hearthbus devices` shows it
    kind = "light"                   # default: what its packets suggest
    """

    id: str
    """Which one: `<packet>.<subtype>.<id>[.<unit>]`, as `hearthbus devices` shows it."""
    place: str | None = None
    """Where it is; default: the table's name."""
    kind: Kind | None = None
    """What it is; default: what its packets suggest."""
    off_delay_s: float | None = None
    """Seconds after which it is off, or motion over, unless said again; default: 900 for motion and smoke."""
    data_mask: int = 0
    """PT2262: which of its 24 bits are data, for example 0x00000f; the others are its address."""
    on_value: int | None = None
    """PT2262: what the data bits are when it is on, open or moving."""
    off_value: int | None = None
    """PT2262: what they are when it is off; default: anything else says nothing."""
    pulse_us: int | None = None
    """PT2262: its pulse length in microseconds, where it is sent to; default: the codec's."""
    mm_per_count: float | None = None
    """Rain gauges: millimetres a tip of the bucket, where it is not what RFXCOM says."""
    offset: dict[str, float] = field(default_factory=dict)
    """By quantity, what is added to what it measures: `{ temperature = -0.4 }`."""
    repeats: int = 1
    """How often a command is sent."""
    reversed: bool = False
    """Covers: whether up is down, or on is down."""
    percent_open: bool = False
    """Covers with a percentage: whether 100 % is open; most count how far it is closed."""
    sound: int | str | None = None
    """Chimes: what it plays."""

    def __post_init__(self) -> None:
        from services.rfxtrx import naming

        check_all(lambda: naming.read(self.id), lambda: refuse(self._faults()))

    def _faults(self) -> Iterator[str]:
        from services.rfxtrx import naming
        from services.rfxtrx.quantities import QUANTITIES

        if self.place is not None and not is_segment(self.place):
            yield f"place {self.place!r} is not one part of a topic, of a-z 0-9 _ . -"
        with suppress(Invalid):  # of its id, which is said already
            if self.kind is not None and (fault := fault_of_kind(naming.read(self.id), self.kind)):
                yield fault
        if self.off_delay_s is not None and not self.off_delay_s > 0:
            yield f"off_delay_s {self.off_delay_s} is not above 0"
        if self.mm_per_count is not None and not 0 < self.mm_per_count <= 10:
            yield f"mm_per_count {self.mm_per_count} is not above 0 and at most 10"
        if not 1 <= self.repeats <= 10:
            yield f"repeats {self.repeats} is not from 1 to 10"
        for quantity in self.offset:
            if quantity not in QUANTITIES:
                yield f"offset: {quantity!r} is no quantity of a radio sensor{nearest(quantity, QUANTITIES)}"
        yield from self._faults_of_code()

    def _faults_of_code(self) -> Iterator[str]:
        is_code = self.id.strip().lower().startswith("lighting4.")
        if not 0 <= self.data_mask < 1 << _CODE_BITS:
            yield f"data_mask {self.data_mask:#x} has more than 24 bits"
        if not is_code and (self.data_mask or (self.on_value, self.off_value, self.pulse_us) != (None, None, None)):
            yield "data_mask, on_value, off_value and pulse_us go with lighting4 (PT2262), and with no other"
        for name, value in (("on_value", self.on_value), ("off_value", self.off_value)):
            if is_code and value is not None and value & ~self.data_mask:
                yield f"{name} {value:#x} has bits that data_mask {self.data_mask:#x} has not"


@dataclass(frozen=True)
class Settings:
    """The whole table.

    [rfxtrx]
    port = "/dev/serial/by-id/usb-RFXCOM_RFXtrx433XL_DO3K0XYZ-if00-port0"
    """

    port: str
    """The stick's serial port, or `socket://host:port`."""
    baud: int = 38400
    """Its speed."""
    protocols: tuple[str, ...] | None = None
    """What the stick shall receive, as `hearthbus rfxtrx modes` names them; default: what it was set to."""
    silence_s: float = 60.0
    """Seconds without a byte after which the stick is asked whether it still hears."""
    heard_times: int = 3
    """How often a device without a name must be heard before it is listed: noise looks like one."""
    heard_within_s: float = 3600.0
    """Within how many seconds."""
    devices: dict[str, Device] = field(default_factory=dict)
    """By name, what is known of each; a table of its own."""

    def __post_init__(self) -> None:
        check_all(lambda: check_port(self.port, self.baud), lambda: refuse(self._faults()))

    def _faults(self) -> Iterator[str]:
        from drivers.rfxtrx import modes

        yield from (f"protocols: {fault}" for fault in modes.check(self.protocols or ()))
        if not self.silence_s >= 5:
            yield f"silence_s {self.silence_s} is less than 5 seconds"
        if not 1 <= self.heard_times <= 100:
            yield f"heard_times {self.heard_times} is not from 1 to 100"
        if not self.heard_within_s > 0:
            yield f"heard_within_s {self.heard_within_s} is not above 0"
        yield from self._faults_of_devices()

    def _faults_of_devices(self) -> Iterator[str]:
        from services.rfxtrx import naming

        known: dict[str, str] = {}
        for name, device in self.devices.items():
            if not is_segment(name):
                yield f"devices.{name}: a name is one part of a topic, of a-z 0-9 _ . -"
            key = naming.masked(naming.read(device.id), device.data_mask).key
            if known.setdefault(key, name) != name:
                yield f"devices.{name}: {key} is {known[key]} already"

    def place(self, name: str) -> str:
        """Return where a device is."""
        return self.devices[name].place or name


def fault_of_kind(address: Address, kind: str) -> str:
    """Return why a device cannot be of a kind; empty where it can."""
    from services.rfxtrx.meanings import only_measures

    if kind in {"sensor", "climate"} or not only_measures(address):
        return ""
    return f"{address.key} only measures: its kind is sensor, not {kind}"


def check_port(address: str, baud: int) -> None:
    """Refuse a port that cannot be.

    Raises:
        Invalid: the address or the speed.
    """
    from drivers.wire import check

    try:
        check(address, baud)
    except ValueError as error:
        raise Invalid(str(error)) from None
