"""What methods of other RFXtrx libraries say in our packets' words: a table by their classes. Knows no test.

A family is the packet, the parts of its device's id, and by method what it says: a command, or a function of the call.
A command of several is the first that the device has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import floor
from typing import TYPE_CHECKING, Any, NamedTuple

from drivers.rfxtrx import keys, remotes, security, shutters

if TYPE_CHECKING:
    from rfxtrx_calls import Call

Fields = dict[str, Any]
Says = str | tuple[str, ...] | Callable[["Call"], "str | Fields"]


class Family(NamedTuple):
    """A class of the other library."""

    packet: str
    parts: tuple[str, ...]
    methods: Mapping[str, Says]
    field: str = "command"


def _argument(call: Call, number: int, default: Any = None) -> Any:
    return call.args[number] if len(call.args) > number else default


def _fan_speed(call: Call) -> str:
    speed = _argument(call, 1, -1)
    named = {
        2: ("off", "low", "med", "hi"), 8: ("power_off", "speed_1", "speed_2", "speed_3", "speed_4"),
        9: ("off",), 10: ("", "low", "medium", "high", "full"),
    }  # fmt: skip
    names = named.get(2 if call.subtype in {4, 6} else call.subtype, ())
    return names[speed] if 0 <= speed < len(names) else str(speed)


def _fan_timer(call: Call) -> str:
    if call.subtype in {0, 1}:
        return "timer"
    return f"{_argument(call, 1, 1)}h" if call.subtype == 7 else f"timer_{_argument(call, 1, 1)}"


def _position(call: Call) -> str:
    position = _argument(call, 1)
    if call.subtype == 9:
        return {
            "1": "intermediate_position_a",
            "2": "intermediate_position_centre",
            "3": "intermediate_position_b",
        }.get(str(2 if position is None else position), "no_position")
    return f"{position}_degrees" if call.subtype == 19 else "intermediate_position"


def _blinds(turned: str, plain: str) -> Callable[[Call], str]:
    """Return a command that is `turned` for the devices whose numbers mean up and down."""

    def say(call: Call) -> str:
        if call.subtype == 19:
            return f"{plain}_{str(_argument(call, 1)).lower()}"
        return turned if call.subtype in {5, 8, 10} else plain

    return say


def _motor(command: str, *fields: tuple[str, int]) -> Callable[[Call], Fields]:
    return lambda call: {
        "command": command,
        **{name: _argument(call, at, default) for at, (name, default) in enumerate(fields, start=1)},
    }


def _tilt(what: str) -> Callable[[Call], str]:
    return lambda call: shutters.tilt(subtype=call.subtype, what=what, mode=call.options["venetianBlindsMode"])


RFY = {
    "upstop": "up_stop", "downstop": "down_stop", "updown": "up_down", "listRemotes": "list_remotes",
    "program2sec": "program_2s", "program7sec": "program_7s", "stop2sec": "stop_2s", "stop5sec": "stop_5s",
    "updown5sec": "up_down_5s", "erasethis": "erase_this_remote", "eraseall": "erase_all_remotes", "up05sec": "up_05s",
    "down05sec": "down_05s", "up2sec": "up_2s", "down2sec": "down_2s", "sunwindenable": "enable_sun_and_wind",
    "sundisable": "disable_sun",
}  # fmt: skip


def _rfy(call: Call) -> str:
    told = call.args[1]
    return RFY.get(told, told) if isinstance(told, str) else shutters.RFY_COMMANDS.get(floor(told), str(told))


def _colour(call: Call) -> Fields:
    colour = call.args[1]
    return {"command": "rgb", **{name: colour.get(name[0].upper()) for name in ("red", "green", "blue")}}


FUNKBUS = {
    "Up": "channel_up", "+": "channel_up", "Down": "channel_down", "-": "channel_down", "All On": "all_on",
    "All Off": "all_off", "Master Up": "master_up", "Master +": "master_up", "Master Down": "master_down",
    "Master -": "master_down", "Scene": "scene",
}  # fmt: skip


def _funkbus(one: str, every: str, held: int = 0) -> Callable[[Call], Fields]:
    def say(call: Call) -> Fields:
        parts = call.args[0] if isinstance(call.args[0], list) else call.args[0].split("/")
        return {"command": every} if parts[-1] == "0" else {"command": one, "press": held}

    return say


def _press(call: Call) -> Fields:
    command = FUNKBUS[call.args[1]]
    unit = 0 if command in remotes.ALL else call.args[2]
    return {"command": command, "unit": unit, "press": remotes.press(call.args[3])}


def _key(call: Call) -> str:
    told = call.args[1]
    labels = {"vol+": "volume_up", "vol-": "volume_down", "chan+": "channel_up", "chan-": "channel_down"}
    if isinstance(told, str):
        return labels.get(told.lower(), told.lower())
    return (keys.WONDER, keys.WONDER_PLUS, keys.MEDION, keys.X10, keys.WONDER_2)[call.subtype].get(told, str(told))


def _named(value: Any, *names: str) -> str:
    if isinstance(value, str):
        return {"man": "manual"}.get(value.lower(), value.lower().replace(" ", "_"))
    return names[value] if 0 <= value < len(names) else str(value)


def _room(call: Call) -> Fields:
    told = call.args[1]
    return {
        "celsius": floor(told["temperature"] + 0.5),
        **({"setpoint_celsius": floor(told["setpoint"] + 0.5)} if call.subtype == 0 else {}),
        "status": _named(told["status"], "none", "demand", "no_demand", "initialising"),
        "mode": _named(told["mode"], "heating", "cooling"),
    }


def _stove(call: Call) -> Fields:
    told = _argument(call, 1, {})
    speeds = told.get("fanSpeed", [])
    speeds = [*(speeds if isinstance(speeds, list) else [speeds]), 6, 6, 6]
    named = ["auto" if speed == 6 else str(speed) for speed in speeds]
    fields: Fields = {f"fan_{fan}": named[fan - 1] for fan in range(1, call.subtype + 2)}
    fields["beep"] = int(bool(told.get("beep", True)))
    if "flamePower" in told:
        fields["flame_power"] = told["flamePower"]
    return fields | ({"mode": _named(told["mode"], "off", "manual", "auto", "eco")} if "mode" in told else {})


def _fire(call: Call) -> Fields:
    told = dict(_argument(call, 1, {}))
    mode = {"mode": _named(told.pop("mode"), "off", "led_only", "standby", "low", "high")} if "mode" in told else {}
    snake = {
        f"{part}{what}": f"{part}_{what.lower()}" for part in ("flame", "fuel") for what in ("Colour", "Brightness")
    }
    return mode | {snake[name]: value for name, value in told.items()}


def _radiator(call: Call) -> Fields:
    told = _argument(call, 1)
    return {"command": "set_temperature", "setpoint_celsius": told if told is None else max(5, float(told))}


def _status(call: Call) -> Fields:
    number = call.args["status"] if isinstance(call.args, dict) else _argument(call, 1, 0)
    return {"status": security.STATUSES.get(number, str(number))}


def _group(command: str) -> Callable[[Call], str]:
    return lambda call: f"group_{command}" if call.args[0].endswith("/0") else command


def _scene(call: Call) -> Fields:
    return {"command": "scene", "unit": _argument(call, 1, 1)}


def _direction(call: Call) -> str:
    return {"Natural": "natural_flow", "Reverse": "reverse"}.get(_argument(call, 1), "no_direction")


def _preset(zero: str, others: str) -> Callable[[Call], str]:
    return lambda call: zero if call.args[1] == 0 else f"{others}_{call.args[1]}"


def _alarm(status: str) -> Callable[[Call], Fields]:
    return lambda _: {"status": status}


def _alarm_lamp(what: str) -> Callable[[Call], Fields]:
    return lambda call: {"status": f"light_{_argument(call, 1, 1)}_{what}"}


FAMILIES: Mapping[str, Family] = {
    "Blinds1": Family("blinds1", ("id", "unit"), {
        "open": _blinds("down", "open"), "close": _blinds("up", "close"), "stop": "stop", "confirm": "confirm_pair",
        "down": "down", "up": "up", "setLimit": "set_limit", "setLowerLimit": "set_lower_limit",
        "reverse": "change_direction", "intermediatePosition": _position, "toggleLightOnOff": "light",
        "venetianDecreaseAngle": "venetian_change_angle_minus",
    }),
    "Blinds2": Family("blinds2", ("id", "unit"), {
        "open": "up", "up": "up", "confirm": "pair", "setAngle": _motor("set_angle", ("angle", 90)),
        "setPercentAndAngle": _motor("set_percent_and_angle", ("percent", 50), ("angle", 90)),
    }),
    "Camera1": Family("camera1", ("house",), {
        "panLeft": "left", "panRight": "right", "tiltUp": "up", "tiltDown": "down", "programSweep": "program_sweep",
        "goToPosition": _preset("center", "position"),
        "programPosition": _preset("program_center_position", "program_position"),
    }),
    "Curtain1": Family("curtain1", ("house", "unit"), {"open": "open", "close": "close", "stop": "stop"}),
    "Edisio": Family("edisio", ("id", "unit"), {
        "switchOff": "off", "increaseLevel": "bright", "decreaseLevel": "dim", "program": "learn",
        "stop": "shutter_stop", "sendContactNormal": "contact_normal", "sendContactAlert": "contact_alert",
        "setLevel": _motor("set_level", ("level", 0)), "setColour": _colour,
    }),
    "Fan": Family("fan", ("id",), {
        "setSpeed": _fan_speed, "startTimer": _fan_timer, "setFanDirection": _direction,
        "buttonPress": lambda call: str(_argument(call, 1)).lower() if _argument(call, 1) != 4 else "t4",
        "confirm": "confirm", "eraseAll": ("erase_all_remotes", "leave"), "increaseSpeed": "plus",
        "decreaseSpeed": "minus", "program": ("learn", "pair", "join"), "resetFilter": "reset_filter",
        "standby": "standby", "switchLightOn": "light_on", "switchLightOff": "light_off", "toggleLightOnOff": "light",
        "switchOff": ("off", "power_off"), "toggleOnOff": "power",
        "toggleFanDirection": lambda call: "reverse" if call.subtype == 9 else "toggle_direction",
    }),
    "FunkBus": Family("funkbus", ("id", "group", "unit"), {
        "switchOn": _funkbus("channel_up", "all_on"), "switchOff": _funkbus("channel_down", "all_off"),
        "increaseLevel": _funkbus("channel_up", "master_up", held=1),
        "decreaseLevel": _funkbus("channel_down", "master_down", held=1), "setScene": _scene, "buttonPress": _press,
    }),
    "HomeConfort": Family("homeconfort", ("id", "house", "unit"), {
        "switchOn": _group("on"), "switchOff": _group("off"),
    }),
    "HunterFan": Family("hunter_fan", ("id",), {
        "switchOff": "off", "toggleLightOnOff": "light", "setSpeed": _preset("off", "speed"),
    }),
    "Radiator1": Family("radiator1", ("id", "unit"), {
        "setDayMode": "day", "setNightMode": "night", "setTemperature": _radiator,
    }),
    "Remote": Family("remote", ("id",), {"buttonPress": _key}),
    "Rfy": Family("rfy", ("id", "unit"), {
        "stop": "stop", "up": "up", "down": "down", "listRemotes": "list_remotes", "program": "program",
        "erase": "erase_this_remote", "enableSunSensor": "enable_sun_and_wind", "disableSunSensor": "disable_sun",
        "venetianOpen": _tilt("open"), "venetianClose": _tilt("close"), "venetianIncreaseAngle": _tilt("more"),
        "venetianDecreaseAngle": _tilt("less"), "doCommand": _rfy,
    }),
    "Security1": Family("security1", ("id",), {
        "sendStatus": _status, "set_transmit": _status, "sendPanic": _alarm("panic"),
        "cancelPanic": _alarm("end_panic"), "armSystemAway": _alarm("arm_away"),
        "armSystemAwayWithDelay": _alarm("arm_away_delayed"), "armSystemHome": _alarm("arm_home"),
        "armSystemHomeWithDelay": _alarm("arm_home_delayed"), "disarmSystem": _alarm("disarm"),
        "switchLightOn": _alarm_lamp("on"), "switchOnLight": _alarm_lamp("on"), "switchLightOff": _alarm_lamp("off"),
        "switchOffLight": _alarm_lamp("off"),
    }),
    "Thermostat1": Family("thermostat1", ("id",), {"sendMessage": _room}),
    "Thermostat2": Family("thermostat2", ("unit",), {"switchOn": "on", "switchOff": "off", "program": "program"}),
    "Thermostat3": Family("thermostat3", ("id",), {
        "switchOn": "on", "switchOff": "off", "switchOn2": "2nd_on", "switchOff2": "2nd_off", "up": "up",
        "down": "down", "stop": "stop", "runUp": "run_up", "runDown": "run_down",
    }),
    "Thermostat4": Family("thermostat4", ("id",), {"sendMessage": _stove}),
    "Thermostat5": Family("thermostat5", ("id",), {"sendMessage": _fire}),
}  # fmt: skip
