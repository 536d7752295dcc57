"""Remote controls of PCs: type 0x30. Knows their packets and which number is which key; no bus, no stick.

Names are what stands on the keys; of two keys of one name the second has _2. Source: the tables of node-rfxcom.
"""

from typing import Annotated, Final

from drivers.bits import CodecError, Reason, Switch
from drivers.rfxtrx.addresses import Identity
from drivers.rfxtrx.kinds import Command, Rssi, Spare
from drivers.rfxtrx.names import Choice
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant

COMMON: Final = {
    0x01: "b", 0x02: "power", 0x03: "tv", 0x04: "dvd", 0x07: "drag", 0x0B: "channel_up", 0x0C: "channel_down",
    0x0D: "1", 0x0E: "2", 0x0F: "3", 0x10: "4", 0x11: "5", 0x12: "6", 0x13: "7", 0x14: "8", 0x15: "9", 0x16: "txt",
    0x17: "0", 0x1A: "up", 0x1D: "left", 0x1E: "ok", 0x1F: "right", 0x21: "e", 0x22: "down", 0x23: "f",
    0x24: "rewind", 0x25: "play", 0x26: "fast_forward", 0x27: "record", 0x28: "stop", 0x29: "pause",
    0x70: "cursor_left", 0x71: "cursor_right", 0x72: "cursor_up", 0x73: "cursor_down", 0x74: "cursor_up_left",
    0x75: "cursor_up_right", 0x76: "cursor_down_right", 0x77: "cursor_down_left",
}  # fmt: skip
ATI: Final = {
    0x00: "a", 0x05: "question_mark", 0x08: "volume_up", 0x09: "volume_down", 0x0A: "mute", 0x19: "c", 0x1B: "d",
}  # fmt: skip
SCREEN: Final = {
    0x2C: "tv_2", 0x2E: "radio", 0x2F: "tv_preview", 0x30: "channel_list", 0x31: "video_desktop", 0x32: "red",
    0x33: "green", 0x34: "yellow", 0x35: "blue", 0x36: "rename_tab", 0x37: "acquire_image", 0x38: "edit_image",
    0x39: "full_screen", 0x3A: "dvd_audio",
}  # fmt: skip
"""Keys for a program that shows television on the screen."""
WONDER: Final = {
    **COMMON, **ATI, **SCREEN, 0x06: "guide", 0x18: "snapshot_esc", 0x1C: "tv_radio", 0x20: "left_2", 0x2D: "vcr",
    0x78: "v_start", 0x79: "v_end", 0x7C: "x_start", 0x7D: "x_end",
}  # fmt: skip
WONDER_PLUS: Final = {
    **COMMON, **ATI, **SCREEN, 0x06: "guide", 0x18: "open_setup_menu", 0x1C: "fm", 0x20: "max_restore_window",
    0x2A: "tv2", 0x2B: "clock", 0x2D: "ati", 0x78: "left_mouse_button", 0x79: "v_end", 0x7C: "right_mouse_button",
    0x7D: "x_end",
}  # fmt: skip
WONDER_2: Final = {
    **COMMON, **ATI, 0x06: "inverted_question_mark", 0x18: "open_setup_menu", 0x1C: "tv_radio",
    0x20: "max_restore_window", 0x2D: "ati", 0x3B: "pc", 0x3C: "aux1", 0x3D: "aux2", 0x3E: "aux3", 0x3F: "aux4",
    0x78: "left_mouse_button", 0x7C: "right_mouse_button",
}  # fmt: skip
MEDION: Final = {
    **COMMON, **SCREEN, 0x00: "mute", 0x05: "photo", 0x06: "music", 0x08: "volume_down", 0x09: "volume_up",
    0x0A: "mute_2", 0x18: "snapshot_esc", 0x19: "dvd_menu", 0x1B: "setup", 0x1C: "tv_radio", 0x20: "left_2",
    0x2D: "vcr", 0x78: "v_start", 0x79: "v_end", 0x7C: "x_start", 0x7D: "x_end",
}  # fmt: skip
X10: Final = {
    0x02: "0", 0x12: "8", 0x22: "4", 0x38: "rewind", 0x3A: "info", 0x40: "channel_up", 0x42: "2", 0x52: "ent",
    0x60: "volume_up", 0x62: "6", 0x63: "stop", 0x64: "pause", 0x70: "cursor_left", 0x71: "cursor_right",
    0x72: "cursor_up", 0x73: "cursor_down", 0x74: "cursor_up_left", 0x75: "cursor_up_right",
    0x76: "cursor_down_right", 0x77: "cursor_down_left", 0x78: "left_mouse", 0x79: "left_mouse_end", 0x7B: "drag",
    0x7C: "right_mouse", 0x7D: "right_mouse_end", 0x82: "1", 0x8F: "9", 0xA0: "mute", 0xA2: "5", 0xB0: "play",
    0xB6: "menu", 0xB8: "fast_forward", 0xBA: "aplusb", 0xC0: "channel_down", 0xC2: "3", 0xC9: "exit",
    0xD1: "mp3", 0xD2: "dvd", 0xD3: "cd", 0xD4: "pc_shift_4", 0xD5: "shift_5", 0xD6: "shift_ent",
    0xD7: "shift_teletext", 0xD8: "text", 0xD9: "shift_text", 0xE0: "volume_down", 0xE2: "7", 0xF2: "teletext",
    0xFF: "record",
}  # fmt: skip


def _keys(names: dict[int, str]) -> dict[str, Choice]:
    return {"command": Choice(width=8, names=names)}


class Remote(Packet, kind=0x30, name="remote"):
    """A key of a PC's remote.

    06 30 ss nn  ii  cc  r.      i id · c key · r signal · lowest bit: toggles with each new press
    """

    id: Annotated[int, Identity(width=8)]
    command: Command
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Annotated[int, Spare(width=3)] = 0
    toggle: Annotated[bool, Switch(width=1)] = False

    variants = (
        Variant(0x00, "ATI REMOTE WONDER", "ATI Remote Wonder", sends=True, fields=_keys(WONDER)),
        Variant(0x01, "ATI REMOTE WONDER PLUS", "ATI Remote Wonder Plus", sends=True, fields=_keys(WONDER_PLUS)),
        Variant(0x02, "MEDION", "Medion", sends=True, fields=_keys(MEDION)),
        Variant(0x03, "X10 PC REMOTE", "X10 PC remote", sends=True, fields=_keys(X10)),
    )


class Remote2(Packet, kind=0x30, name="remote"):
    """A key of an ATI Remote Wonder II, and for which of five machines it is set. A stick only hears it.

    06 30 04 nn  ii  cc  rxxxt      i id · c key · r signal, 4 bits · x machine, 3 bits · t toggle
    """

    id: Annotated[int, Identity(width=8)]
    command: Annotated[str, Choice(width=8, names=WONDER_2)]
    rssi_dbm: Rssi = NO_SIGNAL
    machine: Annotated[str, Choice(width=3, names={0: "pc", 1: "aux1", 2: "aux2", 3: "aux3", 4: "aux4"})] = "pc"
    toggle: Annotated[bool, Switch(width=1)] = False

    variants = (Variant(0x04, "ATI REMOTE WONDER 2", "ATI Remote Wonder II"),)

    def check(self) -> None:
        """Refuse to be sent."""
        raise CodecError(Reason.KIND, f"{self.name}: a stick only hears an ATI Remote Wonder II; it sends none")


PACKETS: Final = (Remote, Remote2)
