"""What is asked of a device as the packet that says it, and the state it makes. Pure.

Which command a device has for what is asked is looked up in its packet's own table, and its limits are the codec's:
what a device cannot do is refused with the text that names the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hearthbus import Invalid
from hearthbus.config.problems import nearest
from services.rfxtrx import meanings, naming
from services.rfxtrx.meanings import CLOSE, OPEN, STOP
from services.rfxtrx.speech import STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.rfxtrx.packet import Packet
    from services.rfxtrx.known import Known

_ON: Final = ("on", "power_on", "light_on", "panic", "alarm")
_OFF: Final = ("off", "power_off", "light_off", "end_panic", "normal")
_ALL_ON: Final = ("all_on", "group_on")
_ALL_OFF: Final = ("all_off", "group_off")
_SET_LEVEL: Final = ("set_level",)
_SET_PERCENT: Final = ("set_percent",)
_COUNTS: Final = "command_sequence"
"""The field that counts commands: receivers take one that has not changed for a repeat."""
_PARTS: Final = ("red", "green", "blue")
COMMANDS: Final = ("command", "status", "mode", "sound")
"""Fields that say what to do; a packet has one of them."""


@dataclass(frozen=True)
class Order:
    """One thing to say to a device."""

    packet: Packet
    state: dict[str, Any]
    """What it is then, as its topic says it; without `confirmed`."""


def topics(known: Known) -> list[str]:
    """Return the requests that are served for a device."""
    found = [f"{known.kind}/{known.name}/set"] if known.kind in STATES else []
    if known.kind == "climate" and "set_temperature" in buttons(known):
        found.append(f"climate/{known.name}/set")
    if known.kind == "chime":
        found.append(f"notify/{known.name}")
    if _fields_of(known) or known.address.packet == "lighting4":
        found.append(f"remote/{known.name}/send")
    return found


def light(known: Known, request: Mapping[str, Any]) -> Order:
    """Return what switches or dims a light.

    Args:
        known: it.
        request: the body of `light/<name>/set`; how long a change takes is not up to us, `fade_s` changes nothing.

    Raises:
        Invalid: the request makes no sense, or the device cannot do it.
    """
    on, brightness = request.get("on"), request.get("brightness")
    rgb = request.get("rgb")
    if request.get("effect") is not None:
        raise Invalid(f"light {known.name} has no effects: leave effect out")
    if on is not None and not isinstance(on, bool):
        raise Invalid(f"on is {on!r}; write true or false")
    if brightness is None and rgb is None:
        if on is None:
            raise Invalid(f"light {known.name}: write on, brightness or rgb")
        return switch(known, {"on": on})
    share = 1.0 if brightness is None else brightness
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise Invalid(f"brightness is {share!r}; write a number from 0 to 1")
    if on is False or share == 0:
        return switch(known, {"on": False})
    if rgb is not None:
        return _coloured(known, rgb, float(share))
    fields, reached = _dimmed(known, float(share))
    return Order(_made(known, fields), {"on": True, "brightness": reached})


def switch(known: Known, request: Mapping[str, Any]) -> Order:
    """Return what switches a device.

    Raises:
        Invalid: the request makes no sense, or the device cannot do it.
    """
    on = request.get("on")
    if not isinstance(on, bool):
        raise Invalid(f"on is {on!r}; write true or false")
    if known.address.packet == "lighting4":
        return Order(_code(known, known.device.on_value if on else known.device.off_value, on=on), {"on": on})
    names: tuple[str, ...] = _ON if on else _OFF
    if known.address.fields.get("unit") == 0:
        names = (_ALL_ON if on else _ALL_OFF) + names
    return Order(_made(known, _command(known, names, "be switched")), {"on": on})


def cover(known: Known, request: Mapping[str, Any]) -> Order:
    """Return what moves a cover.

    Raises:
        Invalid: the request makes no sense, or the device cannot do it.
    """
    stop, ratio = request.get("stop", False), request.get("open_ratio")
    if not isinstance(stop, bool) or (stop and ratio is not None) or (not stop and ratio is None):
        raise Invalid(f"cover {known.name}: write either open_ratio, from 0 closed to 1 open, or stop=true")
    if stop:
        return Order(_made(known, _command(known, STOP, "stop")), {"moving": "stopped"})
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 <= ratio <= 1:
        raise Invalid(f"open_ratio is {ratio!r}; write a number from 0 closed to 1 open")
    if ratio not in {0, 1}:
        return Order(_made(known, _position(known, float(ratio))), {"open_ratio": float(ratio)})
    up = bool(ratio) != known.device.reversed
    if known.address.packet == "lighting4":
        return Order(
            _code(known, known.device.on_value if up else known.device.off_value, on=up), {"open_ratio": ratio}
        )
    names = (*OPEN, "on") if up else (*CLOSE, "off")
    return Order(_made(known, _command(known, names, "open" if ratio else "close")), {"open_ratio": float(ratio)})


def siren(known: Known, request: Mapping[str, Any]) -> Order:
    """Return what sounds or silences a siren.

    Raises:
        Invalid: the request makes no sense, or the device cannot do it.
    """
    if request.get("on") is True and not _fields_of(known):
        return Order(ring(known), {"on": True})
    return switch(known, request)


def climate(known: Known, request: Mapping[str, Any]) -> Order:
    """Return what sets a temperature.

    Raises:
        Invalid: the request makes no sense, or the device cannot do it.
    """
    target = request.get("target_celsius")
    if isinstance(target, bool) or not isinstance(target, int | float):
        raise Invalid(f"target_celsius is {target!r}; write a number, such as 20.5")
    fields = {"command": "set_temperature", "setpoint_celsius": float(target)}
    return Order(_made(known, fields), {"target_celsius": target})


ORDERS: Final = {"light": light, "switch": switch, "cover": cover, "siren": siren, "climate": climate}
"""By what begins the topic of a request."""


def ring(known: Known) -> Packet:
    """Return what rings a chime.

    Raises:
        Invalid: it cannot be rung, or has no such sound.
    """
    sound, has = known.device.sound, naming.columns(known.address.packet, known.address.subtype, sends=True)
    if sound is None and "sound" in has:
        sound = getattr(has["sound"], "low", None) or 1
    if sound is not None and has and "sound" not in has:
        raise Invalid(f"{known.key} has one sound; take sound out of its table")
    return _made(known, {} if sound is None else {"sound": sound})


def press(known: Known, button: object) -> Packet:
    """Return what a button of a remote control says: any command the device's packet has.

    Raises:
        Invalid: it has no such button.
    """
    names = buttons(known)
    if known.address.packet == "lighting4" and isinstance(button, str):
        return _code(known, _hex(button), on=True)
    for field in _fields_of(known):
        if button in names:
            return _made(known, {field: button})
    raise Invalid(f"button is {button!r}; {known.name} has {', '.join(names) or 'none'}{_near(button, names)}")


def buttons(known: Known) -> list[str]:
    """Return what can be pressed."""
    fields = _fields_of(known)
    return naming.choices(known.address.packet, known.address.subtype, fields[0]) if fields else []


def _fields_of(known: Known) -> list[str]:
    address = known.address
    return [field for field in COMMANDS if naming.choices(address.packet, address.subtype, field)][:1]


def _command(known: Known, names: tuple[str, ...], what: str) -> dict[str, Any]:
    """Return the field and the first of some names that a device has."""
    has = buttons(known)
    for name in names:
        if name in has:
            return {_fields_of(known)[0]: name}
    if not has:
        _made(known, {})  # it says better why it is sent nothing at all
    raise Invalid(f"{known.name} cannot {what}: {_product(known)} has {', '.join(has) or 'no commands'}")


def _dimmed(known: Known, brightness: float) -> tuple[dict[str, Any], float]:
    """Return the fields for a brightness, and the one the device's steps come to."""
    steps, rungs = meanings.levels(known.address, sends=True), meanings.RUNGS.get(known.address.packet)
    if rungs is not None:
        rung = max(1, round(brightness * rungs))
        if f"level_{rung}" in buttons(known):
            return {"command": f"level_{rung}"}, round(rung / rungs, 3)
        return _command(known, _ON, "be switched"), 1.0
    fields = _command(known, _SET_LEVEL, "be dimmed")
    if steps is None:
        raise Invalid(f"{known.name} cannot be dimmed: {_product(known)} has no level")
    step = steps.step(brightness)
    return {**fields, "level": step}, steps.ratio(step)


def _position(known: Known, ratio: float) -> dict[str, Any]:
    fields = _command(known, _SET_PERCENT, "go half way")
    percent = round(100 * ratio)
    return {**fields, "percent": percent if known.device.percent_open else 100 - percent}


def _code(known: Known, value: int | None, *, on: bool) -> Packet:
    """Return the code of a PT2262 with its data bits as they shall be."""
    if value is None:
        raise Invalid(f"{known.name}: say with data_mask and {'on' if on else 'off'}_value what its code is then")
    pulse = {} if known.device.pulse_us is None else {"pulse_us": known.device.pulse_us}
    return _made(known, {"code": known.address.fields["code"] & ~known.device.data_mask | value, **pulse})


def _made(known: Known, fields: Mapping[str, Any]) -> Packet:
    counts = naming.columns(known.address.packet, known.address.subtype, sends=True).get(_COUNTS)
    counted = {} if counts is None else {_COUNTS: known.next_number() % (getattr(counts, "high", 0) + 1)}
    return naming.make(known.address, {**counted, **fields})


def _coloured(known: Known, rgb: object, share: float) -> Order:
    """Return what sets a colour; it is darker by what the brightness is less than 1."""
    fields = _command(known, ("rgb",), "show colours: leave rgb out")
    parts = rgb if isinstance(rgb, list | tuple) else []
    if len(parts) != len(_PARTS) or any(type(part) is not int or not 0 <= part <= 255 for part in parts):
        raise Invalid(f"rgb is {rgb!r}; write three whole numbers from 0 to 255")
    scaled = {name: round(part * share) for name, part in zip(_PARTS, parts, strict=True)}
    return Order(_made(known, {**fields, **scaled}), {"on": True, "rgb": list(parts), "brightness": share})


def _product(known: Known) -> str:
    return f"{known.address.packet} {naming.subtype_name(known.address.packet, known.address.subtype)}"


def _hex(button: str) -> int:
    try:
        return int(button, 16)
    except ValueError:
        raise Invalid(f"button is {button!r}; write the data bits in hex") from None


def _near(button: object, names: list[str]) -> str:
    return nearest(button, names) if isinstance(button, str) and names else ""
