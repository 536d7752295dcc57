"""A full-screen display on a plain terminal: its own page, redrawn in place, and single keys. Knows no messages.

Uses what every terminal since the VT100 understands. The terminal is given back as it was, however the display ends.
"""

from __future__ import annotations

import os
import sys
import termios
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Sequence

OPEN: Final = "\x1b[?1049h\x1b[?25l"
"""Another page, so that the lines above stay; no cursor."""
CLOSE: Final = "\x1b[?25h\x1b[?1049l"
HOME: Final = "\x1b[H"
END_LINE: Final = "\x1b[K\n"
END_PAGE: Final = "\x1b[J"


@contextmanager
def screen(
    loop: asyncio.AbstractEventLoop, *, pressed: Callable[[str], None]
) -> Iterator[Callable[[Sequence[str]], None]]:
    """Take the terminal; yields what draws a page. `pressed` is told each key, where keys can be read."""
    keyboard = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else -1
    before = termios.tcgetattr(keyboard) if keyboard >= 0 else None
    sys.stdout.write(OPEN)
    try:
        if keyboard >= 0:
            tty.setcbreak(keyboard)
            loop.add_reader(keyboard, lambda: pressed(os.read(keyboard, 64).decode(errors="replace")))
        yield _draw
    finally:
        if before is not None:
            loop.remove_reader(keyboard)
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
        sys.stdout.write(CLOSE)
        sys.stdout.flush()


def _draw(lines: Sequence[str]) -> None:
    """Draw from the top and wipe the rest; the last line has no end, lest the page scrolls."""
    sys.stdout.write(HOME + END_LINE.join(lines) + "\x1b[K" + END_PAGE)
    sys.stdout.flush()
