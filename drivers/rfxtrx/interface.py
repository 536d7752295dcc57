"""What host and stick say of the stick itself: types 0x00 to 0x02, and what it heard and could not decode, 0x03.

Sources: layouts of RFXCOM's interface messages as pyRFXtrx, node-rfxcom and Domoticz read them. Knows no sequence of
messages: that is `drivers.rfxtrx.session`.
"""

from typing import Annotated, Final

from drivers.bits import Bits
from drivers.rfxtrx.kinds import U8, Choice, Tail
from drivers.rfxtrx.packet import Packet, Variant

RECEIVERS: Final = {
    0x50: "310", 0x51: "315", 0x52: "433.92 receive-only", 0x53: "433.92", 0x54: "433.42", 0x55: "868.00",
    0x56: "868.00 FSK", 0x57: "868.30", 0x58: "868.30 FSK", 0x59: "868.35", 0x5A: "868.35 FSK", 0x5B: "868.95",
    0x5C: "433.92 IOT", 0x5D: "868 IOT", 0x5E: "434.15", 0x5F: "434.50",
}  # fmt: skip
"""MHz by receiver code. To set another code retunes the radio."""
IS_868: Final = frozenset(name for name in RECEIVERS.values() if name.startswith("868"))
FIRMWARE_TYPES: Final = {
    0x00: "type1_receive_only", 0x01: "type1", 0x02: "type2", 0x03: "ext", 0x04: "ext2", 0x05: "pro1", 0x06: "pro2",
    0x10: "proxl1", 0x13: "proxl2", 0x14: "rfx433", 0x15: "rfx868", 0x16: "proxl95", 0x17: "reserved", 0x18: "rfx310",
}  # fmt: skip
COMMANDS: Final = {0: "reset", 2: "status", 3: "set_mode", 6: "save_modes", 7: "start_receiver"}

Receiver = Annotated[str, Choice(width=8, names=RECEIVERS)]
Power = Annotated[int, Bits(width=8, plus=-18)]
"""Transmit power in dBm."""
Mask = Annotated[int, Bits(width=8)]
"""Eight protocols; which, see `drivers.rfxtrx.modes`."""


class Control(Packet, kind=0x00, name="interface_control"):
    """To the stick: what it shall do.

    0D 00 00 ss  CC RR PP  mm mm mm mm  xx xx xx      C command · R receiver code · P power, dBm + 18
                                                      m enabled protocols, msg3..msg6 · x msg7..msg9
    """

    command: Annotated[str, Choice(width=8, names=COMMANDS)]
    receiver: Annotated[str, Choice(width=8, names={0: "unchanged", **RECEIVERS})] = "unchanged"
    power: Annotated[int, Bits(width=8)] = 0
    msg3: Mask = 0
    msg4: Mask = 0
    msg5: Mask = 0
    msg6: Mask = 0
    msg7: Mask = 0
    msg8: Mask = 0
    msg9: Mask = 0

    variants = (Variant(0x00, "interface control", sends=True),)


class Status(Packet, kind=0x01, name="status"):
    """From the stick, 310 to 434 MHz, long form: how it is set.

    14 01 00 ss  CC RR FF  mm mm mm mm  MM NN PP TT NN  ...      C command answered · R receiver · F firmware
                                                                 M.N hardware · P power · T firmware type · N noise
    """

    command: Annotated[str, Choice(width=8, names=COMMANDS)]
    receiver: Receiver
    firmware_byte: U8
    msg3: Mask
    msg4: Mask
    msg5: Mask
    msg6: Mask
    hardware_major: U8
    hardware_minor: U8
    power_dbm: Power
    firmware_type: Annotated[str, Choice(width=8, names=FIRMWARE_TYPES)]
    noise: U8 = 0
    rest: Annotated[bytes, Tail(most=5)] = b"\0" * 5

    variants = (Variant(0x00, "status"),)


PACKETS: Final = (Control, Status)
