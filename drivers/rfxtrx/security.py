"""Detectors, alarms and their remotes: types 0x1D, 0x20 and 0x21. Knows their packets, ids and statuses; no bus.

Sources: layouts as pyRFXtrx, node-rfxcom and Domoticz have them. Where they differ: the tamper bit is a field of its
own, and an X10 id has 16 bits, since the byte between is a check.
"""

from typing import Annotated, Final

from drivers.bits import Switch
from drivers.rfxtrx.addresses import Gap, Identity, Split
from drivers.rfxtrx.kinds import U8, Battery, Id24, Kind, Rssi, Spare, Spare4
from drivers.rfxtrx.names import Choice
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant

STATUSES: Final = {
    0x00: "normal", 0x01: "normal_delayed", 0x02: "alarm", 0x03: "alarm_delayed", 0x04: "motion", 0x05: "no_motion",
    0x06: "panic", 0x07: "end_panic", 0x08: "ir", 0x09: "arm_away", 0x0A: "arm_away_delayed", 0x0B: "arm_home",
    0x0C: "arm_home_delayed", 0x0D: "disarm", 0x10: "light_1_off", 0x11: "light_1_on", 0x12: "light_2_off",
    0x13: "light_2_on", 0x14: "dark", 0x15: "light", 0x16: "battery_low", 0x17: "pair_kd101",
}  # fmt: skip
REMOTE_ONLY: Final = frozenset(
    STATUSES[number] for number in (*range(0x06, 0x08), *range(0x09, 0x0E), *range(0x10, 0x14))
)
"""What a keyfob says and a detector does not."""
DETECTOR: Final = Choice(width=7, names=STATUSES, sends=frozenset(STATUSES.values()) - REMOTE_ONLY - {"pair_kd101"})
SMOKE: Final = Choice(
    width=7, names=STATUSES, sends=frozenset(STATUSES.values()) - REMOTE_ONLY | {"panic", "end_panic"}
)
"""Smoke detectors all sound on one's panic; that is how a house's others are made to."""
REMOTE: Final = Choice(width=7, names=STATUSES)
X10: Final = Split(width=24, gap=8, low_width=8, low=0)
TWO_BYTES: Final[dict[str, Kind]] = {"id": Split(width=24, gap=8, low_width=0, low=0), "spare_id": Gap(bits=8)}


class X10Alarm(Packet, kind=0x20, name="security1"):
    """X10's detectors and keyfobs.

    08 20 ss nn  ii cc ii  ts  rb      i id · c check of its first byte, which only who hears it needs
                                       t tamper, highest bit · s status, 7 bits · r signal · b battery
    """

    id: Annotated[int, X10]
    check_byte: Annotated[int, Gap(bits=8, at=8)] = 0
    tamper: Annotated[bool, Switch(width=1)] = False
    status: Annotated[str, DETECTOR]
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(0x00, "X10 DOOR", "X10 door and window sensors", sends=True),
        Variant(0x01, "X10 PIR", "X10 motion detectors", sends=True),
        Variant(0x02, "X10 SECURITY", "X10 security remotes", sends=True, fields={"status": REMOTE}),
    )


class Security1(Packet, kind=0x20, name="security1"):
    """Detectors and keyfobs of other alarm systems.

    08 20 ss nn  ii ii ii  ts  rb      i id · t tamper, highest bit · s status, 7 bits · r signal · b battery
    """

    id: Id24
    tamper: Annotated[bool, Switch(width=1)] = False
    status: Annotated[str, DETECTOR]
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(0x04, "POWERCODE DOOR", "Visonic PowerCode doors and windows, primary contact", sends=True),
        Variant(0x05, "POWERCODE PIR", "Visonic PowerCode motion detectors", sends=True),
        Variant(0x06, "CODE SECURE", "Visonic CodeSecure", sends=True),
        Variant(0x07, "POWERCODE AUX", "Visonic PowerCode doors and windows, auxiliary contact", sends=True),
        Variant(0x08, "MEIANTECH", "Meiantech, Atlantic", sends=True),
        Variant(0x0B, "FERPORT TAC", "Ferport TAC", sends=True),
    )


class SmokeDetector(Packet, kind=0x20, name="security1"):
    """Smoke detectors, which do not tell how their battery is.

    08 20 ss nn  ii ii ii  ts  r.      i id, of KD101 and SA30 without the third byte; else as above
    """

    id: Id24
    spare_id: Annotated[int, Gap(bits=0)] = 0
    tamper: Annotated[bool, Switch(width=1)] = False
    status: Annotated[str, SMOKE]
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x03, "KD101", "KD101 smoke detectors", sends=True, fields=TWO_BYTES),
        Variant(0x09, "SA30", "Alecto SA30 smoke detectors", sends=True, fields=TWO_BYTES),
        Variant(0x0A, "RM174RF", "RM174RF smoke detectors", sends=True, fields={"id": Identity(width=24, low=1)}),
    )


class Security2(Packet, kind=0x21, name="security2"):
    """KeeLoq: a code that changes with each press. Only who has the maker's key can read it.

    1C 21 00 nn  ii ... ii  rb      i 24 bytes of code · r signal · b battery
    """

    id: Annotated[int, Identity(width=192)]
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x00, "KeeLoq classic", "KeeLoq"),)


ALERTS: Final = Choice(width=8, names={0: "normal", 1: "right_halo", 2: "left_halo", 3: "full_volume"})
HONEYWELL_ID: Final = Identity(width=20, low=1)


class ActivLinkChime(Packet, kind=0x1D, name="activlink"):
    """Honeywell's door bell buttons.

    0A 1D 00 nn  .i ii ii  aa kk ll  rb      i id, 20 bits · a alert · k secret knock · l relay
                                             r signal · b battery
    """

    spare_id: Annotated[int, Spare(width=4)] = 0
    id: Annotated[int, HONEYWELL_ID]
    alert: Annotated[str, ALERTS] = "normal"
    command: Annotated[str, Choice(width=8, names={0: "normal", 1: "secret_knock"})] = "normal"
    relay: U8 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x00, "ACTIV LINK CHIME", "Honeywell ActivLink bells", sends=True),)


class ActivLinkPir(Packet, kind=0x1D, name="activlink"):
    """Honeywell's motion detectors and door contacts.

    0A 1D 01 nn  .i ii ii  aa ss ll  rb      s status, a number; else as the bells
    """

    spare_id: Annotated[int, Spare(width=4)] = 0
    id: Annotated[int, HONEYWELL_ID]
    alert: Annotated[str, ALERTS] = "normal"
    status: U8 = 0
    relay: U8 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x01, "ACTIV LINK PIR", "Honeywell ActivLink motion detectors", sends=True),)


PACKETS: Final = (X10Alarm, Security1, SmokeDetector, Security2, ActivLinkChime, ActivLinkPir)
