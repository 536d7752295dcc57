"""Every error hearthbus raises on purpose, and the exit code a command ends with.

    HearthbusError            catch this one to catch them all
    ├── Invalid               what you gave is wrong: topic, pattern, body, configuration
    ├── Unavailable           broker, address, disk or device is not there now; trying again later is right
    ├── NoResponder           the request reached the broker, and nobody serves its topic
    ├── Timeout               a responder took the request and did not answer in time
    ├── Refused               the broker understood and said no: not allowed, over a limit, name in use
    └── HandlerError          the responder answered with an error of its own

Knows nothing else of hearthbus. No function of the library returns None or False for failure.
"""

from __future__ import annotations

from typing import ClassVar


class HearthbusError(Exception):
    """Base of all errors of hearthbus; never raised itself."""

    exit_code: ClassVar[int] = 70


class Invalid(HearthbusError):
    """The caller's input breaks a rule; the text names the rule and the place.

    `problems` holds one line for each fault where a whole file was checked.
    """

    exit_code = 64

    def __init__(self, text: str, *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.problems: tuple[str, ...] = problems or (text,)


class Unavailable(HearthbusError):
    """Something outside is not there or not ready; the same call may succeed later."""

    exit_code = 69


class NoResponder(HearthbusError):
    """Nobody serves the topic of the request."""

    exit_code = 3


class Timeout(HearthbusError):
    """No answer within the time given."""

    exit_code = 4


class Refused(HearthbusError):
    """The broker refused: access, a limit, or a name that is in use."""

    exit_code = 5


class HandlerError(HearthbusError):
    """The responder's handler failed; the text is the responder's own."""

    exit_code = 6
