"""Boards that take lines of text: the ancestor's mcu-relay and ledcontroller. What to write, and when.

    mcu-relay       SR,VOLUP            a button of the remote control, on a line between two empty ones
    ledcontroller   1/2/13/2/           pin 13 on; 1/2/13/1/ off

Both lose what comes too fast. Pure: the time, on a clock that never jumps, comes in.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from hearthbus import Invalid

BUTTON_S: Final = 0.25
"""Seconds between two buttons."""
SWITCH_S: Final = 0.2
"""Seconds between two switchings."""
BUTTONS: Final = {"power": "POWER", "volume_up": "VOLUP", "volume_down": "VOLDOWN", "hdmi": "HDMI"}
MOST: Final = 100
"""Lines that may wait; at a quarter of a second each nobody wants more."""


class Paced:
    """Lines that leave one after the other, in their order, with a pause between.

    Args:
        pause_s: seconds between two of them.
    """

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._lines: deque[bytes] = deque()
        self._not_before = 0.0

    def add(self, line: bytes, *, times: int = 1) -> None:
        """Take a line, or several of the same.

        Raises:
            Invalid: too many wait already.
        """
        if len(self._lines) + times > MOST:
            raise Invalid(f"{len(self._lines)} wait already, of {MOST} that may")
        self._lines += [line] * times

    def take(self, *, at: float) -> bytes:
        """Return what is to be written now; empty when nothing is."""
        if not self._lines or at < self._not_before:
            return b""
        self._not_before = at + self._pause_s
        return self._lines.popleft()

    def due(self) -> float | None:
        """Return when the next line may leave."""
        return self._not_before if self._lines else None

    def clear(self) -> int:
        """Forget what waits, and return how many lines that was: the board has gone, and nobody wants them late."""
        count = len(self._lines)
        self._lines.clear()
        return count


def button(name: object) -> bytes:
    """Return the line that presses a button.

    Raises:
        Invalid: there is none of that name.
    """
    if not isinstance(name, str) or name not in BUTTONS:
        raise Invalid(f"button is {name!r}; it is one of {', '.join(BUTTONS)}")
    return f"\nSR,{BUTTONS[name]}\n".encode()


def switch(pin: int, *, on: bool) -> bytes:
    """Return the line that switches a pin."""
    return f"1/2/{pin}/{2 if on else 1}/".encode()
