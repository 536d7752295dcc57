"""What host and stick say of the stick itself: types 0x00 to 0x02.

Sources: layouts of RFXCOM's interface messages as pyRFXtrx, node-rfxcom and Domoticz read them; the long status of 868
MHz sticks is Domoticz's, where node-rfxcom reads the one of 433. Knows no sequence of messages: that is
`drivers.rfxtrx.session`.
"""

from typing import Annotated, Any, ClassVar, Final

from drivers.bits import Bits, CodecError, Reason, Text, Value
from drivers.rfxtrx.kinds import U8, U16, Id24, Spare, Tail
from drivers.rfxtrx.names import Echo
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
RESPONSES: Final = {0: "ack", 1: "ack_delayed", 2: "nak_no_lock", 3: "nak_ac_id_zero"}
"""`ack_delayed`: sent, after the channel had been busy. `nak_ac_id_zero`: AC knows no id 0."""
_SECOND_THOUSAND: Final = frozenset({"rfx433", "rfx868", "rfx310"})
_MOST_DBM: Final = 13


class Loose(Text):
    """A text that may hold anything: old firmware leaves remnants."""

    def read(self, raw: int) -> Value:
        """Return the text of `raw`, characters beyond ASCII as Latin-1 has them."""
        return raw.to_bytes(self.width // 8, "big").rstrip(b"\0").decode("latin-1")

    def write(self, value: Value) -> int:
        """Return the bits of `value`."""
        if not isinstance(value, str) or len(value) > self.width // 8 or any(ord(each) > 255 for each in value):
            raise CodecError(Reason.VALUE, f"{value!r} is not at most {self.width // 8} characters of Latin-1")
        if value.endswith("\0"):
            raise CodecError(Reason.VALUE, f"{value!r} ends in a zero byte, which fills up a shorter text")
        return int.from_bytes(value.encode("latin-1").ljust(self.width // 8, b"\0"), "big")


Answered = Annotated[str, Echo(width=8, names=COMMANDS)]
Receiver = Annotated[str, Echo(width=8, names=RECEIVERS)]
Power = Annotated[int | None, Bits(width=8, plus=-18, missing=0)]
"""Transmit power in dBm; None: not said."""
Mask = Annotated[int, Bits(width=8)]
"""Eight protocols; which, see `drivers.rfxtrx.modes`."""
FirmwareType = Annotated[str, Echo(width=8, names=FIRMWARE_TYPES)]


class Control(Packet, kind=0x00, name="interface_control"):
    """To the stick: what it shall do.

    0D 00 00 ss  CC RR PP  mm mm mm mm  xx xx xx      C command · R receiver code · P power, dBm + 18
                                                      m enabled protocols, msg3..msg6 · x msg7..msg9
    """

    command: Answered
    receiver: Annotated[str, Echo(width=8, names={0: "unchanged", **RECEIVERS})] = "unchanged"
    power_dbm: Power = None
    msg3: Mask = 0
    msg4: Mask = 0
    msg5: Mask = 0
    msg6: Mask = 0
    msg7: Mask = 0
    msg8: Mask = 0
    msg9: Mask = 0

    variants = (Variant(0x00, "interface control", sends=True),)


class _Status(Packet, kind=0x01, name="status"):
    """What every status says, in whatever layout."""

    told: ClassVar[frozenset[str]] = frozenset({"firmware", "firmware_kind", "protocols"})

    def tells(self) -> dict[str, Any]:
        """Return version and type of the firmware, and the enabled protocols by name."""
        from drivers.rfxtrx.modes import names  # which needs the receivers of this module

        protocols = sorted(names(self.mask, vars(self)["receiver"]))
        return {"firmware": self.firmware, "firmware_kind": self.firmware_kind, "protocols": protocols}

    @property
    def firmware(self) -> int:
        """The firmware's version, such as 94, 1025 or 2009."""
        byte: int = vars(self)["firmware_byte"]
        return byte + (2000 if self.firmware_kind in _SECOND_THOUSAND else 1000)

    @property
    def firmware_kind(self) -> str:
        """Its type, which says what protocols it holds: type1, type2, ext, pro1 ..."""
        kind: str = vars(self)["firmware_type"]
        return kind

    @property
    def mask(self) -> tuple[int, int, int, int, int]:
        """The enabled protocols: msg3 to msg7."""
        own = vars(self)
        return own["msg3"], own["msg4"], own["msg5"], own["msg6"], own.get("msg7", 0)

    @property
    def transmit_dbm(self) -> int | None:
        """Transmit power in dBm; above 13 the sticks send with 10. None: not said."""
        dbm: int | None = vars(self)["power_dbm"]
        return 10 if dbm is not None and dbm > _MOST_DBM else dbm

    @property
    def hardware(self) -> str:
        """Its hardware's version, such as 1.2."""
        return f"{vars(self)['hardware_major']}.{vars(self)['hardware_minor']}"


class Status(_Status, kind=0x01, name="status"):
    """How the stick is set: 310 to 434 MHz, long form.

    14 01 00 ss  CC RR FF  mm mm mm mm  MM NN PP TT nn  ...      C command answered · R receiver · F firmware
                                                                 m protocols · M.N hardware · P power, dBm + 18
                                                                 T firmware type · n noise, from Pro on
    """

    command: Answered
    receiver: Receiver
    firmware_byte: U8
    msg3: Mask
    msg4: Mask
    msg5: Mask
    msg6: Mask
    hardware_major: U8
    hardware_minor: U8
    power_dbm: Power
    firmware_type: FirmwareType
    noise: U8 = 0
    spare: Annotated[int, Spare(width=40)] = 0

    variants = (Variant(0x00, "status"),)

    @classmethod
    def takes(cls, read: "Packet") -> bool:
        """Return whether it is a stick of this band: another's layout is different."""
        return vars(read)["receiver"] not in IS_868

    def check(self) -> None:
        """Refuse the other band's receivers."""
        if self.receiver in IS_868:
            raise CodecError(Reason.VALUE, f"status: a stick of {self.receiver} MHz has another layout, with msg7")


class Status868(_Status, kind=0x01, name="status"):
    """How the stick is set: 868 MHz, long form.

    14 01 00 ss  CC RR FF  mm mm mm mm mm  xx xx xx xx  MM NN PP TT nn      as Status, with five bytes of protocols
    """

    command: Answered
    receiver: Receiver
    firmware_byte: U8
    msg3: Mask
    msg4: Mask
    msg5: Mask
    msg6: Mask
    msg7: Mask
    spare: Annotated[int, Spare(width=32)] = 0
    hardware_major: U8
    hardware_minor: U8
    power_dbm: Power
    firmware_type: FirmwareType
    noise: U8 = 0

    variants = (Variant(0x00, "status"),)

    @classmethod
    def takes(cls, read: "Packet") -> bool:
        """Return whether it is a stick of this band."""
        return vars(read)["receiver"] in IS_868

    def check(self) -> None:
        """Refuse the other band's receivers."""
        if self.receiver not in IS_868:
            raise CodecError(Reason.VALUE, f"status: a stick of {self.receiver} MHz has no msg7")


class StatusShort(_Status, kind=0x01, name="status"):
    """How the stick is set: firmware before version 1000.

    0D 01 00 ss  CC RR FF  mm mm mm mm  MM NN PP      as Status; the type follows from receiver and version
    """

    command: Answered
    receiver: Receiver
    firmware_byte: U8
    msg3: Mask
    msg4: Mask
    msg5: Mask
    msg6: Mask
    hardware_major: U8
    hardware_minor: U8
    power_dbm: Power

    variants = (Variant(0x00, "status"),)

    @property
    def firmware(self) -> int:
        """The firmware's version."""
        return self.firmware_byte

    @property
    def firmware_kind(self) -> str:
        """Its type, by its version."""
        if self.firmware_byte < 162:
            return "type1_receive_only" if self.receiver == RECEIVERS[0x52] else "type1"
        return "type2" if self.firmware_byte < 225 else "ext"


class Complaint(Packet, kind=0x01, name="status"):
    """What the stick could not do. Those of 0x01 and 0x02 come instead of an answer to what was transmitted.

    14 01 ss nn  ...      s what is wrong; nobody says what the rest means
    """

    payload: Annotated[bytes, Tail(most=21)] = b""

    variants = (
        Variant(0x01, "unknown RFY remote", "the stick has no such RFY or ASA remote"),
        Variant(0x02, "extended hardware error", "this stick lacks the hardware for the command"),
        Variant(0xFF, "command not understood", "the firmware is too old for the command"),
    )


class RemoteEntry(Packet, kind=0x01, name="status"):
    """One remote the stick knows: an answer to the command `list`.

    14 01 ss nn  xx NN  ii ii ii  uu rr  cc cc  ...      N number in the list · i id · u unit · r random
                                                         c rolling code
    """

    command: U8 = 0
    index: U8
    id: Id24
    unit: U8
    random: U8
    rolling_code: U16
    payload: Annotated[bytes, Tail(most=12)] = bytes(8)

    variants = (
        Variant(0x03, "RFY remote", "Somfy"),
        Variant(0x04, "ASA remote", "ASA"),
        Variant(0x05, "CHERUBINI remote", "Cherubini"),
        Variant(0x06, "OZROLL remote", "Ozroll"),
    )


class Greeting(Packet, kind=0x01, name="status"):
    """The receiver is on.

    14 01 07 ss  07  "Copyright RFXCOM"
    """

    command: Answered = "start_receiver"
    text: Annotated[str, Loose(width=128, order="big")] = "Copyright RFXCOM"

    variants = (Variant(0x07, "receiver started"),)


class Response(Packet, kind=0x02, name="transmitter_response"):
    """What became of a transmission; the sequence number is an echo with some firmware, the stick's count with other.

    04 02 ss nn  rr      r response
    """

    response: Annotated[str, Echo(width=8, names=RESPONSES)]

    variants = (
        Variant(0x00, "receiver did not lock"),
        Variant(0x01, "transmitter response"),
    )


PACKETS: Final = (Control, Status, Status868, StatusShort, Complaint, RemoteEntry, Greeting, Response)
STATUSES: Final = (Status, Status868, StatusShort)
