"""Switches, dimmers and lamps: types 0x10 to 0x15. Knows their packets, ids, units and commands; no bus, no stick."""

from typing import Annotated, Final

from drivers.bits import Bits, CodecError, Reason
from drivers.rfxtrx.kinds import Choice, Command, Identity, Rssi, Spare, Spare4, Unit
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant

AC_COMMANDS: Final = Choice(
    width=8, names={0: "off", 1: "on", 2: "set_level", 3: "group_off", 4: "group_on", 5: "set_group_level"}
)


class Lighting2(Packet, kind=0x11, name="lighting2"):
    """AC: self-learning switches and dimmers.

    0B 11 ss nn  ii ii ii ii  uu cc ll  r.      i id, 26 bits · u unit 1..16 · c command · l level 0..15 · r signal
    """

    spare_id: Annotated[int, Spare(width=6)] = 0
    id: Annotated[int, Identity(width=26, low=1)]
    unit: Annotated[int, Unit(width=8)]
    command: Command
    level: Annotated[int, Bits(width=8, high=15)] = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x00, "AC", "KlikAanKlikUit, HomeEasy UK, Nexa, Chacon", sends=True, fields={"command": AC_COMMANDS}),
        Variant(0x01, "HOMEEASY EU", "HomeEasy EU", sends=True, fields={"command": AC_COMMANDS}),
        Variant(0x02, "ANSLUT", "ANSLUT", sends=True, fields={"command": AC_COMMANDS}),
    )

    def check(self) -> None:
        """Refuse a group command to one unit: receivers take it with unit 1."""
        if self.command in {"group_off", "group_on", "set_group_level"} and self.unit != 1:
            raise CodecError(Reason.VALUE, f"lighting2: {self.command} goes to unit 1, not {self.unit}")


PACKETS: Final = (Lighting2,)
