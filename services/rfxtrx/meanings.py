"""What a device says beyond numbers: on, off, up, pressed, moving; and what kind of device says so. Tables.

They go by the names of packets, fields and commands, so that a new packet that uses them needs nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from services.rfxtrx import naming

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.rfxtrx.naming import Address
    from services.rfxtrx.settings import Device

ON: Final = frozenset({
    "on", "group_on", "all_on", "set_level", "set_group_level", "alarm", "alarm_delayed", "motion", "panic",
    "light_1_on", "light_2_on", "contact_alert", "2nd_on", "newer_2nd_on", "lock", "all_lock", "power_on", "light_on",
})  # fmt: skip
"""Commands and states that switch on, open a contact, see somebody."""
OFF: Final = frozenset({
    "off", "group_off", "all_off", "normal", "normal_delayed", "no_motion", "end_panic", "light_1_off", "light_2_off",
    "contact_normal", "2nd_off", "newer_2nd_off", "unlock", "power_off", "light_off",
})  # fmt: skip
OPEN: Final = ("open", "up", "shutter_open", "run_up", "fully_open")
"""What moves a cover up, by whatever name; the first that a device has is what it is sent."""
CLOSE: Final = ("close", "down", "shutter_close", "run_down", "fully_close")
STOP: Final = ("stop", "shutter_stop")
GROUP: Final = frozenset({
    "group_on", "group_off", "set_group_level", "all_on", "all_off", "all_lock",
})  # fmt: skip
"""Commands to every unit of an id or house."""
KINDS: Final = {
    "lighting1": "switch", "lighting2": "switch", "lighting3": "light", "lighting4": "remote", "lighting5": "switch",
    "lighting6": "switch", "chime": "chime", "fan": "remote", "hunter_fan": "remote",
    "curtain1": "cover", "blinds1": "cover", "blinds2": "cover", "rfy": "cover", "homeconfort": "switch",
    "funkbus": "remote", "security2": "remote", "camera1": "remote", "remote": "remote",
    "thermostat1": "climate", "thermostat2": "switch", "thermostat3": "switch", "thermostat4": "remote",
    "thermostat5": "remote", "radiator1": "climate",
}  # fmt: skip
"""What sends a packet, unless the configuration says otherwise; whatever is not here is a sensor."""
SECURITY: Final = (
    ("PIR", "motion"), ("MOTION", "motion"), ("MEIANTECH", "motion"), ("DOOR", "contact"), ("AUX", "contact"),
    ("KD101", "smoke"), ("SA30", "smoke"), ("RM174RF", "smoke"), ("", "remote"),
)  # fmt: skip
"""What speaks security1, by a word of its subtype's name."""
BINARY: Final = frozenset({"motion", "contact", "smoke", "water"})
"""Kinds that are a quantity, true or false."""
EDISIO: Final = (
    ("EMITTER", "remote"), ("MOTION", "motion"), ("DOOR", "contact"), ("DIMMER", "light"), ("LIGHTING", "light"),
    ("SHUTTER", "cover"), ("TEMPERATURE", "sensor"), ("", "switch"),
)  # fmt: skip
"""What speaks edisio, by a word of its subtype's name."""
_BY_NAME: Final = {
    "security1": SECURITY,
    "edisio": EDISIO,
    "activlink": (("PIR", "motion"), ("", "chime")),
    "fs20": (("FHT80", "contact"), ("FHT8V", "remote"), ("", "switch")),
}
RUNGS: Final = {"lighting3": 10, "fs20": 16}
"""Of packets that have a command for each brightness, `level_7`: how many there are to full."""
_WORDS: Final = ("command", "status", "alert", "sound", "mode")
"""Fields that say what was done, the most telling first."""


@dataclass(frozen=True)
class Event:
    """What a device has said, as far as a house cares."""

    word: str
    """Its own word for it: `group_on`, `up`, `panic`."""
    on: bool | None = None
    open_ratio: float | None = None
    stopped: bool = False
    brightness: float | None = None
    group: bool = False
    """Whether it is said to all units of its id or house."""


def kind(address: Address) -> str:
    """Return what a device is, as far as its packets tell."""
    if address.packet in _BY_NAME:
        name = naming.subtype_name(address.packet, address.subtype).upper()
        return next(found for word, found in _BY_NAME[address.packet] if word in name)
    return KINDS.get(address.packet, "sensor")


def only_measures(address: Address) -> bool:
    """Whether its packets never say that something was done: a thermometer is no light, whatever it is called."""
    return kind(address) == "sensor" and naming.columns(address.packet, address.subtype).keys().isdisjoint(_WORDS)


def event(packet: str, fields: Mapping[str, Any], device: Device | None, levels: Levels | None) -> Event | None:
    """Return what a packet says was done; None: it only measures.

    Args:
        packet: its name.
        fields: its fields by name.
        device: its table.
        levels: the steps of its brightness.
    """
    if packet == "lighting4":
        return _of_code(int(fields["code"]), device)
    name = next((each for each in _WORDS if fields.get(each) is not None), None)
    if name is None:
        return Event("ring") if packet in {"chime", "activlink"} else None
    word = str(fields[name]) if isinstance(fields[name], str) else f"{name}_{fields[name]}"
    if packet == "activlink" and word == "normal":
        word = "ring"
    return Event(
        word,
        on=_is_on(packet, word),
        open_ratio=_open_ratio(word, fields, device),
        stopped=word in STOP,
        brightness=_brightness(packet, word, fields, levels),
        group=word in GROUP,
    )


@dataclass(frozen=True)
class Levels:
    """The steps a dimmer has: from `low` to `high`.

    16 or 32 steps begin at 0, which is dim and not dark; a percentage or steps from 1 are what they say.
    """

    low: int
    high: int

    @property
    def _plus(self) -> int:
        return 0 if self.low or self.high == 100 else 1

    def ratio(self, level: int) -> float:
        """Return the brightness of a step."""
        return round(min(1.0, (level + self._plus) / (self.high + self._plus)), 3)

    def step(self, brightness: float) -> int:
        """Return the step nearest to a brightness above 0; the lowest is not off."""
        lowest = self.low if self._plus else max(1, self.low)
        return max(lowest, round(brightness * (self.high + self._plus)) - self._plus)


def levels(address: Address, *, sends: bool = False) -> Levels | None:
    """Return the steps of a device's brightness; None: it has none."""
    bits = naming.columns(address.packet, address.subtype, sends=sends).get("level")
    if bits is None:
        return None
    high = getattr(bits, "high", None)
    return Levels(getattr(bits, "low", None) or 0, (1 << bits.width) - 1 if high is None else high)


def _is_on(packet: str, word: str) -> bool | None:
    if word in ON or packet == "activlink" or (packet in RUNGS and word.startswith("level_")):
        return True
    return False if word in OFF else None


def _brightness(packet: str, word: str, fields: Mapping[str, Any], steps: Levels | None) -> float | None:
    level = fields.get("level")
    if word in {"set_level", "set_group_level"} and steps is not None and isinstance(level, int):
        return steps.ratio(level)
    number = word.removeprefix("level_")
    return round(int(number) / RUNGS[packet], 3) if number != word and packet in RUNGS else None


def _open_ratio(word: str, fields: Mapping[str, Any], device: Device | None) -> float | None:
    turned = device is not None and device.reversed
    percent = fields.get("percent")
    if word in {"set_percent", "set_percent_and_angle"} and isinstance(percent, int):
        share = min(1.0, percent / 100)
        return share if device is not None and device.percent_open else round(1 - share, 2)
    if word in OPEN or word in {"on", "group_on", "all_on"}:
        return 0.0 if turned else 1.0
    if word in CLOSE or word in {"off", "group_off", "all_off"}:
        return 1.0 if turned else 0.0
    return None


def _of_code(code: int, device: Device | None) -> Event:
    """Read a PT2262: its bits mean what the table says."""
    if device is None or not device.data_mask:
        return Event(f"{code:06x}", on=True)
    value = code & device.data_mask
    on = True if value == device.on_value or device.on_value is None else None
    if value == device.off_value:
        on = False
    return Event(f"{value:x}", on=on, open_ratio=None if on is None else float(on != device.reversed))
