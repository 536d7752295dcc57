"""The payloads of other people's sketches: JeeLib's roomNode and ledNode, a SlaveNode, emonTx and its kin.

None of them says what it is: which node sends which must be told. Sources: JeeLib's examples, the ancestor's
SlaveNode.ino and MasterNode.ino, and for OpenEnergyMonitor's the decoders emonHub ships. Knows no radio.
"""

import json
from dataclasses import dataclass
from typing import Final

from drivers.bits import CodecError, Reason
from drivers.fields import F32, I16, I32, U5, U7, U8, U32, CentiI16, DeciI10, DeciI16, Flag, Packet


class StockRoom(Packet):
    """roomNode: GCC's bit fields, lowest bit first.

    llllllll  hhhhhhhm  tttttttt  00000btt      l light 0..255 · h humidity, % · m moved · t 0.1 degC, signed, its low
       a2        c7        e1        00         byte first · b battery low     the node with nothing on port 1 says this

    A missing HYT131 reads as 22.6 degC and 99 %: a plausible lie.
    """

    light: U8
    motion: Flag
    humidity: U7
    temperature: DeciI10
    low_battery: Flag
    spare: U5 = 0


class StockLed(Packet):
    """ledNode, six bytes: fade to a colour, or keep it as a ramp for later.

    ss rr gg bb tt cc      s slot, 0 is now · r g b · t seconds · c slot to go on with, 0 is none
    """

    slot: U8 = 0
    red: U8
    green: U8
    blue: U8
    seconds: U8
    chain: U8 = 0


class StockLedRamp(Packet):
    """ledNode, one byte: run the ramp of a slot, 0..99."""

    slot: U8


class Slave(Packet):
    """SlaveNode, a packed struct: `byte nodeID; float temperature; int voltage; long counter`.

    nn  tt tt tt tt  vv vv  cc cc cc cc      n node · t degC, float · v mV · c packets sent
    """

    node: U8
    temperature: F32
    voltage_mv: I16
    counter: I32


Watt = I16
Volt = CentiI16
"""Hundredths of a volt."""


class EmonTx(Packet):
    """emonTx V2 and V3 before temperatures: power of four clamps in W, voltage in 0.01 V, temperature in 0.1 degC."""

    power1: Watt
    power2: Watt
    power3: Watt
    power4: Watt
    vrms: Volt
    temperature: DeciI16


class EmonTxShield(Packet):
    """emonTx Shield: power of four clamps in W, voltage in 0.01 V."""

    power1: Watt
    power2: Watt
    power3: Watt
    power4: Watt
    vrms: Volt


class EmonTxV3(Packet):
    """emonTx V3, discrete sampling: power in W, 0.01 V, six temperatures in 0.1 degC (300 is none), pulses."""

    power1: Watt
    power2: Watt
    power3: Watt
    power4: Watt
    vrms: Volt
    temperature1: DeciI16
    temperature2: DeciI16
    temperature3: DeciI16
    temperature4: DeciI16
    temperature5: DeciI16
    temperature6: DeciI16
    pulses: U32


class EmonTxV3Continuous(Packet):
    """emonTx V3, continuous monitoring: message number, 0.01 V, power in W, energy in Wh, 0.01 degC, pulses."""

    message: U32
    vrms: Volt
    power1: Watt
    power2: Watt
    power3: Watt
    power4: Watt
    energy1: I32
    energy2: I32
    energy3: I32
    energy4: I32
    temperature1: CentiI16
    temperature2: CentiI16
    temperature3: CentiI16
    pulses: U32


class EmonTh(Packet):
    """emonTH V1: inner and outer temperature in 0.1 degC, humidity in 0.1 %, battery in 0.1 V."""

    temperature: DeciI16
    outer_temperature: DeciI16
    humidity: DeciI16
    battery: DeciI16


class EmonThV2(EmonTh):
    """emonTH V2: the same, and pulses."""

    pulses: U32


EMONTX: Final[tuple[type[Packet], ...]] = (EmonTx, EmonTxShield, EmonTxV3, EmonTxV3Continuous)
"""Each of another length, which tells them apart."""
EMONTH: Final[tuple[type[Packet], ...]] = (EmonTh, EmonThV2)
"""As above; an `EmonThV2` is as long as an `EmonTx`, so the two families must be told apart by the node."""


def emontx(data: bytes) -> Packet:
    """Return the emonTx payload of `data`, by its length.

    Raises:
        CodecError: none has this length.
    """
    return _by_size(EMONTX, data)


def emonth(data: bytes) -> Packet:
    """Return the emonTH payload of `data`, by its length.

    Raises:
        CodecError: none has this length.
    """
    return _by_size(EMONTH, data)


def _by_size(kinds: tuple[type[Packet], ...], data: bytes) -> Packet:
    for kind in kinds:
        if kind.layout.size == len(data):
            return kind.decode(data)
    sizes = ", ".join(f"{kind.__name__} {kind.layout.size}" for kind in kinds)
    raise CodecError(Reason.LENGTH, f"{len(data)} bytes are none of: {sizes}; describe them with fields")


def stock_led(data: bytes) -> StockLed | StockLedRamp:
    """Return what `data` tells a ledNode: one byte runs a ramp, six make one.

    Raises:
        CodecError: it has another length.
    """
    return StockLedRamp.decode(data) if len(data) == 1 else StockLed.decode(data)


@dataclass(frozen=True, kw_only=True)
class Master:
    """A line of a MasterNode or a light sensor: `{"nodeid": 3, "temperature": 21.5, "voltage": 3120, "counter": 7}`.

    What a line does not name is None.
    """

    node: int
    temperature: float | None = None
    """degC."""
    voltage_mv: int | None = None
    light: int | None = None
    """0..1023."""
    counter: int | None = None

    @classmethod
    def decode(cls, text: str) -> "Master":
        """Return the reading of a line.

        Raises:
            CodecError: it is no JSON object, has no `nodeid`, or holds something else than numbers.
        """
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise CodecError(Reason.KIND, "the line is no JSON") from None
        if not isinstance(found, dict):
            raise CodecError(Reason.KIND, "the line is no JSON object")
        node = _whole(found, "nodeid")
        if node is None:
            raise CodecError(Reason.KIND, "the line has no nodeid")
        return cls(
            node=node,
            temperature=_number(found, "temperature"),
            voltage_mv=_whole(found, "voltage"),
            light=_whole(found, "light"),
            counter=_whole(found, "counter"),
        )

    def encode(self) -> str:
        """Return the line."""
        known = {
            "nodeid": self.node,
            "temperature": self.temperature,
            "voltage": self.voltage_mv,
            "light": self.light,
            "counter": self.counter,
        }
        return json.dumps({name: value for name, value in known.items() if value is not None})


def _number(found: dict[str, object], name: str) -> float | None:
    value = found.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:  # NaN fails this too
        raise CodecError(Reason.VALUE, f"{name} is no number")
    return float(value)


def _whole(found: dict[str, object], name: str) -> int | None:
    value = _number(found, name)
    if value is not None and not value.is_integer():
        raise CodecError(Reason.VALUE, f"{name} is no whole number")
    return None if value is None else int(value)
