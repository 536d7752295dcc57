"""The serial port that some sticks have for a meter's data: types 0x61 and 0x62. No bus, no stick.

Sources: RFXCOM's layouts. What comes over the port, a P1 telegram or teleinfo, may be spread over several packets.
"""

from typing import Annotated, Any, Final

from drivers.rfxtrx.kinds import U8, Rest, Spare8
from drivers.rfxtrx.names import Choice
from drivers.rfxtrx.packet import Packet, Variant

BAUD: Final = dict(
    enumerate(("110", "300", "600", "1200", "2400", "4800", "9600", "14400", "19200", "38400", "57600", "115200"))
)


class AsyncConfig(Packet, kind=0x61, name="async_config"):
    """How the port is set, and to set it.

    0B 61 01 nn  cc  bb  pp  dd  ss  ii  .. ..      c command · b baud rate · p parity · d data bits · s stop bits
                                                    i 1 is inverse
    """

    command: Annotated[
        str, Choice(width=8, names={0: "off", 1: "p1", 2: "teleinfo", 0xFE: "raw", 0xFF: "get_settings"})
    ]
    baud: Annotated[str, Choice(width=8, names=BAUD)]
    parity: Annotated[str, Choice(width=8, names={0: "none", 1: "odd", 2: "even"})]
    data_bits: U8
    stop_bits: U8
    polarity: Annotated[str, Choice(width=8, names={0: "normal", 1: "inverse"})]
    spare: Spare8 = 0
    spare_last: Spare8 = 0

    variants = (Variant(0x01, "port settings", sends=True),)


class AsyncData(Packet, kind=0x62, name="async_data", open=True):
    """What the port received.

    .. 62 ss nn  tt tt tt ...      t characters
    """

    payload: Rest

    told = frozenset({"text"})
    variants = (
        Variant(0x01, "P1", "smart meters with a P1 port"),
        Variant(0x02, "teleinfo", "French meters"),
        Variant(0x03, "raw"),
        Variant(0xFE, "parity error"),
        Variant(0xFF, "overrun"),
    )

    def tells(self) -> dict[str, Any]:
        """Return the characters; what is none of ASCII's is a question mark in a box."""
        return {"text": self.payload.decode("ascii", "replace")}


PACKETS: Final = (AsyncConfig, AsyncData)
