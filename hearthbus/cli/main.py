"""The `hearthbus` command: finds the verb, runs it, and turns every error into one line and an exit code.

Imports a verb's module only when that verb is asked for, so that `hearthbus --help` is quick on a small machine.
Knows no verb beyond its name, and nothing of the bus.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from hearthbus.errors import HearthbusError, Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.metadata import EntryPoint

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C: 128 and the number of the signal, as shells have it."""
PIPE_CLOSED: Final = 141
"""Exit code when the reader of our output went away, in the same way."""
IO_FAILED: Final = 74
"""Exit code when a file or standard output cannot be read or written: EX_IOERR of sysexits.h."""
DEFECT: Final = 70
"""Exit code of an error that is hearthbus's own fault: EX_SOFTWARE of sysexits.h."""
GROUP: Final = "hearthbus.commands"
"""Entry points of verbs that services bring: `main(argv) -> int`, imported only when used."""


class Verb(NamedTuple):
    """A verb of the command: a module with `add_arguments(parser)` and `main(args) -> int`."""

    module: str
    help: str


VERBS: Final = {
    "up": Verb("hearthbus.cli.up", "run the broker and the configured services, until Ctrl-C"),
    "broker": Verb("hearthbus.cli.broker", "run the broker alone, for systemd"),
    "run": Verb("hearthbus.cli.run", "run one service, or several in one process, for systemd"),
    "check": Verb("hearthbus.cli.check", "validate the configuration, connecting to nothing"),
    "doctor": Verb("hearthbus.cli.doctor", "look at everything a forum would ask, and say what to do"),
    "backup": Verb("hearthbus.cli.backup", "put the whole house into one file, while it runs"),
    "restore": Verb("hearthbus.cli.restore", "put a backup in place, on this machine or another"),
    "keys": Verb("hearthbus.cli.keys", "make, list and revoke the keys of other machines"),
    "sub": Verb("hearthbus.cli.sub", "print messages as they come"),
    "pub": Verb("hearthbus.cli.pub", "publish a message"),
    "get": Verb("hearthbus.cli.get", "print the retained values, with their age"),
    "call": Verb("hearthbus.cli.call", "ask a service and print its answer"),
    "log": Verb("hearthbus.cli.log", "print what was published in the past"),
    "status": Verb("hearthbus.cli.status", "show which services are there, and how they are"),
    "nodes": Verb("hearthbus.cli.nodes", "show which radio nodes were heard, and how they are"),
    "top": Verb("hearthbus.cli.top", "show the live rates by topic"),
}

ENDING: Final = """\
Two to begin with, while a broker runs:
  hearthbus sub '#' -v        every message, with its topic
  hearthbus status            every service

`hearthbus VERB --help` explains a verb. The broker is --url, else HEARTHBUS_URL, else as configured, else the one here.
Exit codes: 0 done, 64 a mistake in what you typed, 69 no broker there, 78 bad configuration, 130 Ctrl-C."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; `argv` are the words after `hearthbus`. Returns the exit code, and never raises."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without ° is no reason to end
    return _flushed(_guarded(list(sys.argv[1:] if argv is None else argv)))


def _open_what_is_closed() -> None:
    """Let a standard stream that was closed before we began, `<&-`, be the null device: Python has None for it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - a device, until the end


def complain(text: str) -> None:
    """Say one line on standard error; control characters in it are shown, not obeyed."""
    line = "".join(char if char.isprintable() else " " if char == "\n" else repr(char)[1:-1] for char in text.strip())
    with suppress(OSError):  # nobody may listen there either
        print(f"hearthbus: {line}", file=sys.stderr, flush=True)  # noqa: T201 - the command's voice


def _guarded(words: list[str]) -> int:  # noqa: PLR0911 - one return for each way it can end
    """Run the command; every way in which it can fail becomes one line and an exit code."""
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # see the package's first lines
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return _run(words)
    except HearthbusError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return PIPE_CLOSED
    except SystemExit as ended:  # argparse ends the process by itself: 0 after --help, 2 for a mistake
        return 0 if ended.code in {0, None} else Invalid.exit_code
    except OSError as error:
        complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        return IO_FAILED
    except Exception as error:
        if os.environ.get("HEARTHBUS_TRACEBACK"):
            raise
        if isinstance(error.__context__, KeyboardInterrupt):
            return INTERRUPTED  # it came while a library was tidying up, which then stumbled
        complain(f"a defect of hearthbus: {type(error).__name__}: {error}; HEARTHBUS_TRACEBACK=1 shows where")
        return DEFECT


def _flushed(code: int) -> int:
    """Send out what is still in standard output's buffer; the interpreter's own attempt would end in a complaint."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_output()
        return code or PIPE_CLOSED
    except OSError as error:
        _let_go_of_output()
        complain(f"standard output: {error.strerror or error}")
        return code or IO_FAILED
    return code


def _run(words: list[str]) -> int:
    if words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    if not words or words[0] in {"-h", "--help"}:
        print(overview())  # noqa: T201 - what was asked for
        return 0 if words else Invalid.exit_code
    name, rest = words[0], words[1:]
    if name == "--version":
        from importlib.metadata import version

        print(f"hearthbus {version('hearthbus')}")  # noqa: T201 - what was asked for
        return 0
    if name in VERBS:
        return _run_own(name, rest)
    brought = {entry.name: entry for entry in _brought()}
    if name in brought:
        return _run_brought(brought[name], rest)
    if name.startswith("-"):
        raise Invalid(f"{name} stands before the verb; write for example: hearthbus sub {name} ...")
    raise Invalid(_unknown(name, [*VERBS, *brought]))


def _run_own(name: str, words: list[str]) -> int:
    from importlib import import_module

    from hearthbus.cli.arguments import parse

    module = import_module(VERBS[name].module)
    args = parse(words, prog=f"hearthbus {name}", description=VERBS[name].help, add_arguments=module.add_arguments)
    code: int = module.main(args)
    return code


def _run_brought(entry: EntryPoint, words: list[str]) -> int:
    try:
        code: int = entry.load()(words)
    except ModuleNotFoundError as error:
        from hearthbus.plugins import to_install

        extra = f"hearthbus[{entry.name}]" if entry.value.startswith("services.") else str(error.name)
        raise Unavailable(
            f"`hearthbus {entry.name}` needs the Python package {error.name}; {to_install(extra)}"
        ) from None
    return code


def overview() -> str:
    """Return what `hearthbus --help` prints."""
    lines = ["usage: hearthbus VERB [...]", "", "Watch, ask and steer a house on the bus.", ""]
    lines += [f"  {name:<9} {verb.help}" for name, verb in VERBS.items()]
    brought = sorted({entry.name for entry in _brought()} - VERBS.keys())
    if brought:
        lines += ["", "Verbs of services (each has --help):", f"  {', '.join(brought)}"]
    return "\n".join([*lines, "", ENDING])


def _brought() -> Iterator[EntryPoint]:
    from importlib.metadata import entry_points

    return iter(entry_points(group=GROUP))


def _unknown(name: str, known: list[str]) -> str:
    from hearthbus.cli.spelling import nearest

    near = nearest(name, known)
    hint = f"did you mean `hearthbus {near}`?" if near else "`hearthbus --help` lists them"
    return f"there is no verb {name!r}; {hint}"


def _let_go_of_output() -> None:
    """Point standard output at nothing, so that the interpreter's last flush succeeds."""
    with suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
