"""Curtains, Somfy shutters and HomeConfort: types 0x18, 0x1A and 0x1B. Knows their packets and limits; no bus.

Sources: layouts as pyRFXtrx, node-rfxcom and Domoticz have them. That an RFY remote must be programmed into the stick
and into the shutter before it can send is the stick's affair.
"""

from typing import Annotated, Final

from drivers.bits import CodecError, Reason
from drivers.rfxtrx.addresses import Identity, Unit
from drivers.rfxtrx.kinds import Command, Id24, Rssi, Spare, Spare4, Spare8, Spare16
from drivers.rfxtrx.names import Choice, letters
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant

RFY_COMMANDS: Final = {
    0x00: "stop", 0x01: "up", 0x02: "up_stop", 0x03: "down", 0x04: "down_stop", 0x05: "up_down", 0x06: "list_remotes",
    0x07: "program", 0x08: "program_2s", 0x09: "program_7s", 0x0A: "stop_2s", 0x0B: "stop_5s", 0x0C: "up_down_5s",
    0x0D: "erase_this_remote", 0x0E: "erase_all_remotes", 0x0F: "up_05s", 0x10: "down_05s", 0x11: "up_2s",
    0x12: "down_2s", 0x13: "enable_sun_and_wind", 0x14: "disable_sun", 0x15: "down_stop_2s",
}  # fmt: skip
"""What each number is for; venetian blinds also have `tilt`."""
SENT: Final = frozenset(RFY_COMMANDS.values()) - {"down_stop_2s"}
"""Only the newest firmware's header has the last one."""
TILTS: Final = {
    "EU": {"open": "up_2s", "close": "down_2s", "more": "up_05s", "less": "down_05s"},
    "US": {"open": "up_05s", "close": "down_05s", "more": "up_2s", "less": "down_2s"},
}
"""The commands of venetian blinds: to open and close them, and to tilt their slats one step."""
RFY: Final = Choice(width=8, names=RFY_COMMANDS, sends=SENT)
RFY_ID: Final = Identity(width=24, low=1, high=0xFFFFF)
REMOTES: Final = (
    Variant(0x00, "RFY", "Somfy RTS", sends=True,
            fields={"id": RFY_ID, "unit": Unit(width=8, low=0, high=4), "command": RFY}),
    Variant(0x01, "RFYEXT", "Somfy RTS, 16 units", sends=True,
            fields={"id": RFY_ID, "unit": Unit(width=8, low=0, high=15), "command": RFY}),
    Variant(0x03, "ASA", "ASA", sends=True,
            fields={"id": RFY_ID, "unit": Unit(width=8, low=1, high=5), "command": RFY}),
)  # fmt: skip


class Curtain1(Packet, kind=0x18, name="curtain1"):
    """Harrison curtain motors.

    07 18 00 nn  hh  uu  cc  ..      h house 'A'..'P' · u unit 1..16 · c command
    """

    house: Annotated[str, letters("P")]
    unit: Annotated[int, Unit(width=8)]
    command: Annotated[str, Choice(width=8, names={0: "open", 1: "close", 2: "stop", 3: "program"})]
    spare: Spare8 = 0

    variants = (Variant(0x00, "HARRISON", "Harrison", sends=True),)


class Rfy(Packet, kind=0x1A, name="rfy"):
    """Somfy RTS and ASA.

    0C 1A ss nn  ii ii ii  uu  cc  .. .. ..  r.      i id, 20 bits · u unit · c command · r signal
    """

    id: Id24
    unit: Annotated[int, Unit(width=8, low=0)]
    command: Command
    spare_rfu: Annotated[int, Spare(width=24)] = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = REMOTES


class RfyShort(Packet, kind=0x1A, name="rfy"):
    """As older programs wrote it; sticks take it no longer, so it is read and the long one sent.

    08 1A ss nn  ii ii ii  uu  cc
    """

    id: Id24
    unit: Annotated[int, Unit(width=8, low=0)]
    command: Command

    variants = REMOTES

    def check(self) -> None:
        """Refuse to be sent."""
        raise CodecError(Reason.LENGTH, f"{self.name}: the short form is only read; make a Rfy of its fields")


class RfyShortest(Packet, kind=0x1A, name="rfy"):
    """An older one still, without a command.

    07 1A ss nn  ii ii ii  uu
    """

    id: Id24
    unit: Annotated[int, Unit(width=8, low=0)]

    variants = tuple(
        Variant(each.subtype, each.name, each.products, fields={key: each.fields[key] for key in ("id", "unit")})
        for each in REMOTES
    )

    def check(self) -> None:
        """Refuse to be sent."""
        raise CodecError(Reason.VALUE, f"{self.name} needs command; one without is only read")


class HomeConfort(Packet, kind=0x1B, name="homeconfort"):
    """HomeConfort, Tel-010: remote switches.

    0C 1B 00 nn  ii ii ii  hh  uu  cc  .. ..  r.      i id, 19 bits · h house 'A'..'D' · u unit 1..4 or 0 for all
                                                      c command · r signal
    """

    spare_id: Annotated[int, Spare(width=5)] = 0
    id: Annotated[int, Identity(width=19, low=1)]
    house: Annotated[str, letters("D")]
    unit: Annotated[int, Unit(width=8, low=1, high=4, group=0)]
    command: Annotated[str, Choice(width=8, names={0: "off", 1: "on", 2: "group_off", 3: "group_on"})]
    spare_rfu: Spare16 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (Variant(0x00, "TEL 010", "HomeConfort Tel-010", sends=True),)

    def check(self) -> None:
        """Refuse a group command to one unit, and one unit's command to all."""
        if self.command.startswith("group_") != (self.unit == 0):
            raise CodecError(Reason.VALUE, f"homeconfort: {self.command} does not go to unit {self.unit}; 0 is all")


def tilt(*, subtype: int, what: str, mode: str) -> str:
    """Return the command that does `what` (a key of `TILTS`) to venetian blinds set to `mode`, EU or US.

    Raises:
        CodecError: ASA has no such blinds, or there is no such mode or deed.
    """
    if subtype == 0x03:
        raise CodecError(Reason.VALUE, "rfy: ASA has no venetian blinds; RFY and RFYEXT have")
    if mode not in TILTS or what not in TILTS[mode]:
        raise CodecError(Reason.VALUE, f"rfy: venetian blinds open, close, more or less, EU or US; not {what}, {mode}")
    return TILTS[mode][what]


PACKETS: Final = (Curtain1, Rfy, RfyShort, RfyShortest, HomeConfort)
