"""Remote controls of many buttons: types 0x1C, 0x1E and 0x28. Knows their packets and commands; no bus, no stick.

Sources: layouts as pyRFXtrx, node-rfxcom and Domoticz have them. The remotes of PCs are in `drivers.rfxtrx.keys`.
"""

from typing import Annotated, Any, Final

from drivers.bits import Bits, CodecError, Reason
from drivers.fields import DECI
from drivers.rfxtrx.addresses import Identity, Unit
from drivers.rfxtrx.kinds import U4, U8, U16, Battery, Id16, Rssi, Spare4, Spare8
from drivers.rfxtrx.names import Choice, letters
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant

EDISIO_COMMANDS: Final = Choice(
    width=8,
    names=dict(enumerate((
        "off", "on", "toggle", "set_level", "bright", "dim", "toggle_dim", "stop_dim", "rgb", "learn", "shutter_open",
        "shutter_stop", "shutter_close", "contact_normal", "contact_alert",
    ))),
)  # fmt: skip
EDISIO: Final = (
    Variant(0x00, "EDISIO CONTROLLER", "Edisio controllers", sends=True),
    Variant(0x01, "emitter", "Edisio emitters", sends=True),
    Variant(0x02, "230V emitter", "Edisio emitters at 230 V", sends=True),
    Variant(0x03, "motion", "Edisio motion detectors", sends=True),
    Variant(0x04, "door", "Edisio door sensors", sends=True),
    Variant(0x06, "lighting", "Edisio lighting", sends=True),
    Variant(0x07, "dimmer", "Edisio dimmers", sends=True),
    Variant(0x08, "light on/off", "Edisio on/off receivers", sends=True),
    Variant(0x09, "shutter", "Edisio shutters", sends=True),
    Variant(0x0A, "shutter OSC", "Edisio shutters with open, stop, close", sends=True),
    Variant(0x0B, "heat/cool", "Edisio heating and cooling", sends=True),
    Variant(0x0C, "pilot wire", "Edisio pilot wire", sends=True),
)
THERMOMETER: Final = (Variant(0x05, "temperature", "Edisio thermometers"),)

EdisioId = Annotated[int, Identity(width=32, low=1)]
EdisioUnit = Annotated[int, Unit(width=8)]
EdisioCommand = Annotated[str, EDISIO_COMMANDS]
Percent = Annotated[int, Bits(width=8, high=100)]
Deci8 = Annotated[float, Bits(width=8, scale=DECI)]


class Edisio(Packet, kind=0x1C, name="edisio"):
    """Edisio's switches, dimmers and shutters.

    11 1C ss nn  ii ii ii ii  uu  cc ll  RR GG BB  mm nn  vv  .r      i id · u unit 1..16 · c command · l level, percent
                                                                      R red · G green · B blue
                                                                      m most repeats · n which repeat it is
                                                                      v battery, tenths of a volt · r signal
    """

    id: EdisioId
    unit: EdisioUnit
    command: EdisioCommand
    level: Percent = 0
    red: U8 = 0
    green: U8 = 0
    blue: U8 = 0
    max_repeats: U8 = 5
    repeat: U8 = 0
    battery_volts: Deci8 = 0
    spare: Spare4 = 0
    rssi_dbm: Rssi = NO_SIGNAL

    variants = EDISIO


class EdisioShort(Packet, kind=0x1C, name="edisio"):
    """As other firmware ends it: a byte shorter, with signal and battery as everywhere else.

    10 1C ss nn  ii ii ii ii  uu  cc ll  RR GG BB  mm nn  rb      r signal · b battery; else as the longer
    """

    id: EdisioId
    unit: EdisioUnit
    command: EdisioCommand
    level: Percent = 0
    red: U8 = 0
    green: U8 = 0
    blue: U8 = 0
    max_repeats: U8 = 5
    repeat: U8 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = EDISIO


class EdisioTemperature(Packet, kind=0x1C, name="edisio"):
    """Edisio's thermometers: a temperature, whose unit is not known, where others have red and green.

    11 1C 05 nn  ii ii ii ii  uu  cc ll  tt tt ..  mm nn  vv  .r      t temperature; else as above
    """

    id: EdisioId
    unit: EdisioUnit
    command: EdisioCommand
    level: Percent = 0
    temperature_raw: U16
    spare_blue: Spare8 = 0
    max_repeats: U8 = 5
    repeat: U8 = 0
    battery_volts: Deci8 = 0
    spare: Spare4 = 0
    rssi_dbm: Rssi = NO_SIGNAL

    variants = THERMOMETER


class EdisioTemperatureShort(Packet, kind=0x1C, name="edisio"):
    """As other firmware ends it.

    10 1C 05 nn  ii ii ii ii  uu  cc ll  tt tt ..  mm nn  rb
    """

    id: EdisioId
    unit: EdisioUnit
    command: EdisioCommand
    level: Percent = 0
    temperature_raw: U16
    spare_blue: Spare8 = 0
    max_repeats: U8 = 5
    repeat: U8 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = THERMOMETER


LONGEST: Final = 0x2D
"""The longest press that Funkbus knows: 12 seconds."""
ALL: Final = frozenset({"all_off", "all_on", "master_down", "master_up"})
CHANNEL: Final = {0: "channel_down", 1: "channel_up"}
GIRA: Final = {**CHANNEL, 2: "all_off", 3: "all_on", 4: "scene", 5: "master_down", 6: "master_up"}
FUNKBUS: Final = (
    Variant(
        0x00, "GIRA", "Gira remotes", sends=True,
        fields={"unit": Unit(width=8, high=8, group=0), "command": Choice(width=8, names=GIRA)},
    ),
    Variant(0x01, "INSTA", "Insta, Berker and Jung remotes", sends=True),
)  # fmt: skip

FunkbusUnit = Annotated[int, Unit(width=8, high=8)]
FunkbusCommand = Annotated[str, Choice(width=8, names=CHANNEL)]
Group = Annotated[str, letters("C")]
Press = Annotated[int, Bits(width=8, high=LONGEST)]


class Funkbus(Packet, kind=0x1E, name="funkbus"):
    """Wall switches and remotes of Gira, Insta, Berker and Jung.

    0B 1E ss nn  ii ii  gg  uu  cc  tt  .d  rb      i id · g group 'A'..'C' · u channel 1..8, scene 1..5 or 0 for all
                                                    c command · t how long the button is held: see `press`
                                                    d what kind of device it is · r signal · b battery
    """

    id: Id16
    group: Group
    unit: FunkbusUnit
    command: FunkbusCommand
    press: Press = 0
    spare: Spare4 = 0
    device_type: U4 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    told = frozenset({"held_seconds"})
    variants = FUNKBUS

    def check(self) -> None:
        """Refuse a command for all to one channel, one for a channel to all, and scenes there are not."""
        if (self.command in ALL) != (self.unit == 0):
            raise CodecError(Reason.VALUE, f"funkbus: {self.command} does not go to unit {self.unit}; 0 is all")
        if self.command == "scene" and self.unit > 5:
            raise CodecError(Reason.VALUE, f"funkbus: scenes are from 1 to 5, not {self.unit}")

    def tells(self) -> dict[str, Any]:
        """Return how long the button was held; nothing for a short press."""
        return {"held_seconds": 0.75 + self.press / 4} if self.press else {}


class FunkbusShort(Packet, kind=0x1E, name="funkbus"):
    """As older firmware gave it.

    09 1E ss nn  ii ii  gg  uu  cc  tt
    """

    id: Id16
    group: Group
    unit: FunkbusUnit
    command: FunkbusCommand
    press: Press = 0

    variants = FUNKBUS

    def check(self) -> None:
        """Refuse to be sent."""
        raise CodecError(Reason.LENGTH, f"{self.name}: the short form is only read; make a Funkbus of its fields")


def press(seconds: float) -> int:
    """Return what Funkbus's `press` is for a button held so long: 0 is short, each more a quarter second over 0.75.

    Raises:
        CodecError: it is not from 0 to 12 seconds.
    """
    if not 0 <= seconds <= 12:
        raise CodecError(Reason.VALUE, f"funkbus: a button is held from 0 to 12 seconds, not {seconds}")
    return max(0, round(4 * seconds) - 3)


class Camera1(Packet, kind=0x28, name="camera1"):
    """X10 Ninja, the base that turns a camera.

    06 28 00 nn  hh  cc  r.      h house 'A'..'P' · c command · r signal
    """

    house: Annotated[str, letters("P")]
    command: Annotated[
        str,
        Choice(
            width=8,
            names=dict(enumerate((
                "left", "right", "up", "down", "position_1", "program_position_1", "position_2", "program_position_2",
                "position_3", "program_position_3", "position_4", "program_position_4", "center",
                "program_center_position", "sweep", "program_sweep",
            ))),
        ),
    ]  # fmt: skip
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (Variant(0x00, "X10 NINJA", "X10 Ninja", sends=True),)


PACKETS: Final = (Edisio, EdisioShort, EdisioTemperature, EdisioTemperatureShort, Funkbus, FunkbusShort, Camera1)
