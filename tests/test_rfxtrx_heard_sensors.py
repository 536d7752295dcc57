"""Frames that others recorded of sensors: each decodes to what their tests assert, except what is decided otherwise.

The frames are not part of this repository: HEARTHBUS_RFXTRX_FACTS names the folder they are in. Without it these tests
are skipped; `test_rfxtrx_vectors` has frames of every sensor that are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rfxtrx_calls import FACTS, needs_facts

from drivers.bits import CodecError
from drivers.rfxtrx import asynchronous, climate, meters, power, rain, teleinfo, undecoded, weather
from drivers.rfxtrx.codec import decode, subtype_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.rfxtrx.packet import Packet

pytestmark = needs_facts

MODULES = (asynchronous, climate, meters, power, rain, teleinfo, undecoded, weather)
KINDS = {packet.kind for module in MODULES for packet in module.PACKETS}
STATUSES, FORECASTS = ("normal", "comfort", "dry", "wet"), ("none", "sunny", "partly_cloudy", "cloudy", "rain")
COLOURS = {"blue": "Bleu", "white": "Blanc", "red": "Rouge"}

NO_FACT = {
    "(type)", "__str__", "type_string", "this.packetNames[packetType]", "this.deviceNames[packetType][evt.subtype]",
    "packetlength", "id1", "id2", "temphigh", "templow", "baro1", "baro2", "rainrate1", "rainrate2", "raintotal1",
    "raintotal2", "raintotal3", "rssi_byte", "data.(list)",
}  # fmt: skip
"""What they call a thing, the frame itself, and single bytes of what they assert as a whole."""

DECIDED = {
    ("09030104280ab7660470", "id_string"): "what could not be decoded has no id",
    ("0b5506033ebb000000007f69", "raintotal"): "a TX5 counts to 15: the low 4 bits",
    ("0d580100123411081105141b1179", "timestamp"): "they say 1917, and a month too many",
    ("135b01042eb20111121415171817181920212269", "totalwatthours"): "no energy but with count 0",
    ("15600300288a70a41234567812345678011e075a7479", "teleInfoPrésente"): "bit 2 set: nothing is heard of the meter",
}
"""Where others disagree with each other, or with the calendar: frame, what they assert, why it is read otherwise."""


BESIDE = {
    "105401032f0000f7002000248160825059": "a wind frame with the type of another: names nobody has",
    "105601032f0000f7002000248160825059": "bytes where WIND1 has no temperature",
    "1056068f4c000043000000f06874205269": "bytes where WIND6 has no temperature",
    "105608122f000087000000140049000079": "bytes where WIND8 has no direction",
    "09570113f1d00a803279": "bytes where UV1 has no temperature",
    "09570202640020023c69": "bytes where UV2 has no temperature",
    "135b01042eb20111121415171817181920212269": "bytes of energy with a count that is not 0",
    "15600100123456789a011234567812345678075a1279": "a contract nobody knows",
    "15600300288a70a41234567812345678011e075a7479": "a counter of production that is not in use",
}
"""Frames that are not written as they are read: they say what such a device cannot."""


def field(*names: str) -> Callable[[Packet], Any]:
    """Return what gets the first of some fields that a packet has; None where it has none."""
    return lambda packet: next((vars(packet)[name] for name in names if name in vars(packet)), None)


def index(name: str, names: tuple[str, ...]) -> Callable[[Packet], Any]:
    """Return what gets the number of a named value."""

    def get(packet: Packet) -> Any:
        value = field(name)(packet)
        return value if value is None else names.index(value)

    return get


GETTERS: dict[str, Callable[[Packet], Any]] = {
    "packetType": lambda packet: packet.kind,
    "packettype": lambda packet: packet.kind,
    "subtype": lambda packet: packet.subtype,
    "seqnbr": lambda packet: packet.sequence,
    "id": field("id"),
    "rssi": lambda packet: (field("rssi_dbm")(packet) + 120) // 8,
    "payload": lambda packet: field("payload")(packet).hex(),
    "humidity_status": index("humidity_status", STATUSES),
    "humidityStatus": index("humidity_status", STATUSES),
    "forecast": index("forecast", FORECASTS),
    "year": lambda packet: field("year")(packet) - 2000,
    "weekDay": lambda packet: meters.WEEKDAYS.index(field("weekday")(packet)) + 1,
    "identifiantCompteur": lambda packet: packet.meter_number() if isinstance(packet, teleinfo.Linky) else None,
    "teleinfo_ok": lambda packet: not field("meter_absent")(packet),
    "avertissementCouleurAujourdHui": lambda packet: COLOURS[field("colour_today")(packet)],
    "avertissementCouleurDemain": lambda packet: COLOURS[field("colour_tomorrow")(packet)],
    "puissanceApparenteValide": lambda packet: field("volt_amperes")(packet) is not None,
    "prodwatthours": lambda packet: field("production_watt_hours")(packet) or 0,
    **{
        theirs: field(*ours.split())
        for theirs, ours in {
            "battery": "battery_level", "batteryLevel": "battery_level", "temp": "celsius", "temperature": "celsius",
            "temp1": "celsius_1", "temp2": "celsius_2", "temperature[0]": "celsius_1", "temperature[1]": "celsius_2",
            "humidity": "percent", "baro": "hpa", "barometer": "hpa", "chill": "chill_celsius",
            "chillfactor": "chill_celsius", "direction": "degrees", "average_speed": "metres_per_second",
            "averageSpeed": "metres_per_second", "gust": "gust_metres_per_second",
            "gustSpeed": "gust_metres_per_second", "raintotal": "mm counter_mm", "rainfall": "mm",
            "rainfallIncrement": "counter_mm mm",
            "rainrate": "mm_per_hour", "rainfallRate": "mm_per_hour", "uv": "uv_index",
            "insolation": "watts_per_square_metre solar_raw", "month": "month", "day": "day", "hour": "hour",
            "minute": "minute", "second": "second", "count": "count", "currentamps1": "amperes_1",
            "currentamps2": "amperes_2", "currentamps3": "amperes_3", "current[0]": "amperes_1",
            "current[1]": "amperes_2", "current[2]": "amperes_3", "power": "watts", "energy": "watt_hours",
            "voltage": "volts", "current": "amperes", "currentamps": "amperes", "powerFactor": "power_factor",
            "powerfactor": "power_factor", "frequency": "hertz", "totalwatthours": "watt_hours",
            "conswatthours": "watt_hours", "tarif_num": "tariff", "indexTariffaireEnCours": "tariff",
            "tensionMoyenne": "volts", "puissanceApparente": "volt_amperes", "message": "millivolts",
            "counter": "counter", "level": "centimetres", "status": "status", "distance": "kilometres",
            "strikes": "strikes",
        }.items()
    },
}  # fmt: skip

PROPERTIES = {
    "rainfall": "mm", "rainfallIncrement": "counter_mm", "direction": "degrees", "chillfactor": "chill_celsius",
}  # fmt: skip
"""What they assert not to be there."""


def heard() -> list[dict[str, Any]]:
    """Return the recorded frames of sensors."""
    if not FACTS:
        return []
    rows = json.loads((Path(FACTS) / "dev.json").read_text())
    return [row for row in rows if row["direction"] == "rx" and row["packet_type"] in KINDS]


def compared(key: str, told: Any, packet: Packet) -> tuple[Any, Any]:
    """Return what they assert, and what is read, in one form."""
    read: Any
    if key == "id":
        told, read = int(told, 16), field("id")(packet)
    elif key == "id_string":
        told = told.replace(":", "")
        read = f"{field('id')(packet):x}".zfill(len(told))
    elif key == "compteur":
        told = [None if each.get("contenu") == "non utilisé" else each["valeur"] for each in told]
        read = [field("counter_1", "watt_hours")(packet), field("counter_2", "production_watt_hours")(packet)]
    elif key == "currentwatt":
        read = field("watts", "volt_amperes")(packet)
    elif key.startswith("hasOwnProperty"):
        read = field(PROPERTIES[key.split('"')[1]])(packet) is not None
    else:
        read = GETTERS[key](packet)
        if isinstance(told, dict):
            told = pytest.approx(told["approx"], abs=10 ** -told["digits"])
    return (None if told == "<undefined>" else told), read


@pytest.mark.parametrize("row", heard(), ids=lambda row: f"{row['hex']}-{row['id']}")
def test_a_recorded_frame_says_what_its_test_asserts(row: dict[str, Any]) -> None:
    """What others assert of a frame, except their names for things, is what is read."""
    packet = decode(bytes.fromhex(row["hex"]))
    skipped = {key for key, _ in row.get("peer_specific", ())} | NO_FACT
    keys = [key for key in row["expected"] if key not in skipped and (row["hex"], key) not in DECIDED]
    both = {key: compared(key, row["expected"][key], packet) for key in keys}

    assert {key: told for key, (told, _) in both.items()} == {key: read for key, (_, read) in both.items()}


@pytest.mark.parametrize("row", heard(), ids=lambda row: f"{row['hex']}-{row['id']}")
def test_a_longer_frame_keeps_the_rest(row: dict[str, Any]) -> None:
    """A frame that is longer than its layout decodes, and what is over is kept; others leave nothing over."""
    packet = decode(bytes.fromhex(row["hex"]))

    assert ("length_not_nominal" in row) == bool(packet.extra)


@pytest.mark.parametrize("text", sorted({row["hex"] for row in heard()} - BESIDE.keys()))
def test_a_recorded_frame_is_written_as_it_was(text: str) -> None:
    """What is read of a frame makes the same frame, to the bit."""
    assert text == decode(bytes.fromhex(text)).encode().hex()


def test_every_decision_is_about_a_recorded_frame() -> None:
    """No frame is excused that is not there."""
    told = {(row["hex"], key) for row in heard() for key in row["expected"]}

    assert set() == DECIDED.keys() - told


def test_there_are_recorded_frames() -> None:
    """The folder has frames of sensors: 73 of them when this was written."""
    assert len(heard()) >= 73


def test_a_subtype_nobody_knows_has_no_name() -> None:
    """Frames that others call unknown are read as their type is, with no name for the subtype."""
    unknown = [
        row["hex"] for row in heard() if "Unknown type" in row["expected"].get("type_string", "") and "ee" in row["hex"]
    ]

    assert ["unknown_238"] * len(unknown) == [subtype_name(decode(bytes.fromhex(each))) for each in unknown]


def invalid() -> list[str]:
    """Return the recorded frames that are none."""
    return [row["hex"] for row in json.loads((Path(FACTS) / "vectors_invalid.json").read_text())] if FACTS else []


@pytest.mark.parametrize("text", invalid())
def test_a_frame_of_a_wrong_length_is_an_error(text: str) -> None:
    """What others refuse as no frame is refused."""
    with pytest.raises(CodecError, match="a frame of"):
        decode(bytes.fromhex(text + "0" * (len(text) % 2)))
