"""1-wire sensors as a computer's files show them: names to addresses, the text of a file to a reading.

A 1-wire address is eight bytes: family, six of a serial number, and a CRC over these seven. They are written in two
ways, and the serial number runs the other way round in each:

    kernel   28-0316a2794bff     family, then the serial number as the number it is: its last byte first
    owfs     28.FF4B79A21603     family, then the serial number byte by byte as on the wire; a CRC may follow

(Linux, drivers/w1/w1.h, struct w1_reg_num; owfs(1), `address` and `r_address`.) What the kernel's thermometer driver
writes into `w1_slave` (drivers/w1/slaves/w1_therm.c), one reading:

    4b 01 4b 46 7f ff 05 10 e1 : crc=e1 YES        the nine bytes just read; are they whole?
    4b 01 4b 46 7f ff 05 10 e1 t=20687             the last whole ones; 1/1000 °C of those above

Nothing at all is how it says that it could not read. Its file `temperature` holds the number alone and says nothing
of the CRC, so `w1_slave` is the one to read. Knows no files, only what is in them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["crc", "power_on", "power", "silent", "thermocouple", "empty", "format", "range", "read", "hanging"]
"""Why there is no reading:

crc           the bytes were damaged on the wire
power_on      85 °C, what a sensor says that has measured nothing since it got power
power         127.94 or -127 °C, what a sensor without enough power, or a program without a sensor, says
silent        all zero: the wire is shorted, or the sensor has no power; the CRC of zeros is right
thermocouple  a MAX31850 whose thermocouple is open or shorted
empty         the driver says nothing: it could not read
format        text that is no reading
range         a number the sensor cannot measure
read          the operating system refuses the file
hanging       it did not answer in time
"""

POWER_ON: Final = 85.0
"""°C: the data sheets of DS18B20 and DS18S20, table "power-on reset value"."""
NO_POWER: Final = (127.875, 128.0)
"""°C, from and below: 127.94 is 0x07FF, what a conversion starved of power makes; w1_therm can refuse it too."""
NO_SENSOR: Final = -127.0
"""°C: what the Arduino libraries, and bridges made with them, say for a sensor that is not there."""
NEAR: Final = 5.0
"""°C: a sensor that was as near to 85 may say 85."""

Quantity = Literal["temperature", "humidity", "voltage", "count", "contact"]

_RANGES: Final[dict[Quantity, tuple[float, float]]] = {
    "temperature": (-55.0, 125.0),
    "humidity": (0.0, 100.0),
    "voltage": (0.0, 10.23),
    "count": (0, 2**32 - 1),
    "contact": (0, 1),
}
UNITS: Final[dict[Quantity, str]] = {"temperature": "°C", "humidity": "%", "voltage": "V", "count": "", "contact": ""}


class Fault(Exception):
    """There is no reading.

    Args:
        kind: as `Kind` lists.
        text: for people.
    """

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True)
class Channel:
    """One thing a sensor measures.

    Attributes:
        quantity: what.
        file: where owfs shows it.
        part: what the place's name gets behind it, where a sensor has several of a kind.
        limits: the least and the most it can be, where that is not the quantity's.
    """

    quantity: Quantity
    file: str
    part: str = ""
    limits: tuple[float, float] | None = None

    @property
    def range(self) -> tuple[float, float]:
        """Return the least and the most it can be."""
        return self.limits or _RANGES[self.quantity]


@dataclass(frozen=True)
class Family:
    """What a family code says about a sensor; `in_kernel`: w1_therm reads it."""

    name: str
    channels: tuple[Channel, ...]
    in_kernel: bool = False


_WARM: Final = (Channel("temperature", "temperature"),)
_COUPLE: Final = (Channel("temperature", "temperature", limits=(-90.0, 400.0)),)
"""A thermocouple itself goes further; a house's temperatures do not (docs/topics.md)."""
_ROOM: Final = (Channel("temperature", "temperature"), Channel("humidity", "humidity"), Channel("voltage", "VDD"))
_COUNTS: Final = (Channel("count", "counters.A", "-a"), Channel("count", "counters.B", "-b"))
_TWO: Final = (Channel("contact", "sensed.A", "-a"), Channel("contact", "sensed.B", "-b"))
_EIGHT: Final = tuple(Channel("contact", f"sensed.{pin}", f"-{pin}") for pin in range(8))

FAMILIES: Final = {
    0x10: Family("DS18S20", _WARM, in_kernel=True),
    0x12: Family("DS2406", _TWO),
    0x1D: Family("DS2423", _COUNTS),
    0x22: Family("DS1822", _WARM, in_kernel=True),
    0x26: Family("DS2438", _ROOM),
    0x28: Family("DS18B20", _WARM, in_kernel=True),
    0x29: Family("DS2408", _EIGHT),
    0x3A: Family("DS2413", _TWO),
    0x3B: Family("DS1825", _COUPLE, in_kernel=True),  # and the MAX31850, for a thermocouple
    0x42: Family("DS28EA00", _WARM, in_kernel=True),
}
"""By family code, what is read."""

_KERNEL: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{12})", re.ASCII | re.IGNORECASE)
_OWFS: Final = re.compile(r"([0-9a-f]{2})(\.?)([0-9a-f]{12})(?:\.?([0-9a-f]{2}))?", re.ASCII | re.IGNORECASE)
_SCRATCHPAD: Final = re.compile(r"((?:[0-9a-f]{2} ){9}): crc=[0-9a-f]{2} (YES|NO)", re.ASCII)
_MILLI: Final = re.compile(r".*\bt=(-?\d{1,7})", re.ASCII)
_NUMBER: Final = re.compile(r"\s*(-?\d{1,10}(?:\.\d{1,10})?)\s*", re.ASCII)
_STARVED: Final = 0x0C
"""Byte 6 of a scratchpad that no conversion has written to since power came; after one it is 0x10 less four bits."""
_DS1825: Final = 0x3B
_MAX31850: Final = 0xF0
"""The upper half of byte 4 of a MAX31850, which has the family of the DS1825."""


@dataclass(frozen=True, order=True)
class Address:
    """A sensor's address; as text it is written as the kernel does."""

    family: int
    serial: bytes
    """As on the wire."""

    def __str__(self) -> str:
        return f"{self.family:02x}-{self.serial[::-1].hex()}"

    @property
    def crc(self) -> int:
        """The eighth byte."""
        return crc8(bytes((self.family,)) + self.serial)


def crc8(data: bytes) -> int:
    """Return Maxim's CRC-8, x^8 + x^5 + x^4 + 1, low bit first: application note 27."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc


def parse_address(text: str) -> Address:
    """Return the address `text` names, in the kernel's or in owfs' spelling.

    Raises:
        ValueError: it is neither, or its CRC is wrong.
    """
    if found := _KERNEL.fullmatch(text):
        return Address(int(found[1], 16), bytes.fromhex(found[2])[::-1])
    found = _OWFS.fullmatch(text)
    if found is None or not (found[2] or found[4]):
        raise ValueError(f"{text[:40]!r} is no 1-wire address; write 28-0316a2794bff, or 28.FF4B79A21603 as owfs does")
    address = Address(int(found[1], 16), bytes.fromhex(found[3]))
    if found[4] and int(found[4], 16) != address.crc:
        raise ValueError(f"{text[:40]!r} is no 1-wire address: its last byte, the CRC, ought to be {address.crc:02X}")
    return address


def parse_w1_slave(text: str, family: int) -> float:
    """Return the °C of a `w1_slave` file of the kernel.

    Args:
        text: the file.
        family: the sensor's family code: the bytes of one kind mean something else in another.

    Raises:
        Fault: it holds no reading.
    """
    lines = text.splitlines()
    if not text.strip():
        raise Fault("empty", "the kernel could not read it")
    found = _SCRATCHPAD.fullmatch(lines[0].strip())
    milli = _MILLI.fullmatch(lines[1].strip()) if len(lines) > 1 else None
    if found is None or milli is None:
        raise Fault("format", f"the kernel says {text[:40]!r}")
    scratchpad = bytes.fromhex(found[1])
    if found[2] == "NO":
        raise Fault("crc", "damaged on the wire: the CRC is wrong")
    if not any(scratchpad):
        raise Fault("silent", "only zeros on the wire: shorted, or without power")
    celsius = int(milli[1]) / 1000
    if family == _DS1825 and scratchpad[4] & 0xF0 == _MAX31850:
        return _thermocouple(scratchpad)
    if celsius == POWER_ON and scratchpad[6] == _STARVED:
        raise Fault("power_on", "85 °C: it has measured nothing since it got power")
    return celsius


def parse_temperature(text: str) -> float:
    """Return the °C of a `temperature` file of the kernel, which holds 1/1000.

    Raises:
        Fault: it holds no reading.
    """
    if not text.strip():
        raise Fault("empty", "the kernel could not read it")
    found = _NUMBER.fullmatch(text)
    if found is None or "." in found[1]:
        raise Fault("format", f"the kernel says {text[:40]!r}")
    return int(found[1]) / 1000


def parse_owfs(text: str) -> float:
    """Return the number of a file of owfs.

    Raises:
        Fault: it holds none.
    """
    if not text.strip():
        raise Fault("empty", "owfs could not read it")
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise Fault("format", f"owfs says {text[:40]!r}")
    return float(found[1])


TO_CELSIUS: Final = {
    "C": (1.0, 0.0),
    "F": (5 / 9, -160 / 9),
    "K": (1.0, -273.15),
    "R": (5 / 9, -273.15),
}
"""By what owfs' `settings/units/temperature_scale` says: factor, and what is added after."""


def checked(channel: Channel, value: float, *, before: float | None = None) -> float:
    """Return `value` if the sensor can mean it.

    Args:
        channel: what it measures.
        value: what it says.
        before: what it said the time before, if it did lately.

    Raises:
        Fault: it says what sensors say that have not measured.
    """
    low, high = channel.range
    if channel.quantity == "temperature":
        if value == POWER_ON and (before is None or abs(before - value) > NEAR):
            raise Fault("power_on", "85 °C, what it says when it has measured nothing since it got power")
        if value == NO_SENSOR or (high < NO_POWER[0] <= value < NO_POWER[1]):
            raise Fault("power", f"{value:g} °C, what it says without enough power")
    if not low <= value <= high:
        raise Fault("range", f"{value:g} {UNITS[channel.quantity]} is outside {low:g}..{high:g}".replace("  ", " "))
    return value


def _thermocouple(scratchpad: bytes) -> float:
    """Return the °C of a MAX31850: the two low bits of its number are no part of it, the lowest tells a fault.

    Raises:
        Fault: the thermocouple is open or shorted.
    """
    raw = int.from_bytes(scratchpad[:2], "little", signed=True)
    if raw & 1:
        raise Fault("thermocouple", "its thermocouple is open, or shorted to ground or supply")
    return (raw & ~3) / 16
