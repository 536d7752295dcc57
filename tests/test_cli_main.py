"""The command itself: finding a verb, and ending every mistake in one line and an exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import EntryPoint
from typing import NoReturn

import pytest

from hearthbus import __version__
from hearthbus.cli import main as command
from hearthbus.cli.arguments import make_parser
from hearthbus.cli.main import VERBS, main
from hearthbus.errors import Refused

OURS = ("sub", "pub", "get", "call", "log", "status", "top")


def run(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import sys; from hearthbus.cli.main import main; sys.exit(main())", *words],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **(env or {})},
        timeout=30,
        check=False,
    )


def stub(monkeypatch: pytest.MonkeyPatch, verb: object, *, name: str = "stub", value: str = "stubs:main") -> None:
    """Let a service bring `verb`, as an installed package would by its entry point."""
    monkeypatch.setattr(command, "_brought", lambda: iter([EntryPoint(name=name, value=value, group="g")]))
    monkeypatch.setattr(EntryPoint, "load", lambda _: verb)


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_a_closed_stream_is_the_null_device(closed: str) -> None:
    """A daemon starts its children so; it is no defect, and what should be an error does not go to the output."""
    line = f"{sys.executable} -m hearthbus rfxtrx decode - {closed}"
    ended = subprocess.run(
        ["/bin/sh", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False
    )

    assert (0, b"", b"") == (ended.returncode, ended.stdout, ended.stderr)


def test_help_lists_every_verb() -> None:
    """`hearthbus --help` names all verbs, those of services too."""
    text = command.overview()

    assert all(f"  {name:<9} {verb.help}" in text for name, verb in VERBS.items())
    assert "sun" in text


def test_help_imports_neither_asyncio_nor_sockets() -> None:
    """What a verb needs is not loaded before the verb is chosen."""
    code = (
        "import sys; from hearthbus.cli.main import main; main(['--help']);"
        "sys.exit(str([name for name in ('asyncio', 'zmq', 'msgpack', 'ssl', 'argparse') if name in sys.modules]))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)

    assert ended.stderr.strip() == "[]"


@pytest.mark.parametrize("name", OURS)
def test_a_verb_explains_itself_without_the_bus(name: str) -> None:
    """`hearthbus VERB --help` shows what the table says, and at least two examples."""
    ended = run(name, "--help")

    assert 0 == ended.returncode
    assert VERBS[name].help[1:] in ended.stdout
    assert ended.stdout.count(f"  hearthbus {name} ") >= 2
    assert "--url" in ended.stdout


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["sbu"], "there is no verb 'sbu'; did you mean `hearthbus sub`?"),
        (["zzz"], "there is no verb 'zzz'; `hearthbus --help` lists them"),
        (["--url", "x", "sub"], "--url stands before the verb; write for example: hearthbus sub --url ..."),
        (["sub"], "sub: no pattern; quote it, because the shell takes # for a comment: hearthbus sub '#'"),
        (["sub", "a", "--retained-onyl"], "sub: unknown argument '--retained-onyl'; did you mean --retained-only?"),
        (["sub", "a", "-C"], "sub: -C/--count: expected one argument; see `hearthbus sub --help`"),
        (["sub", "a", "-C", "0"], "bad count '0': write a whole number from 1"),
        (["sub", "a", "-W", "soon"], "bad duration 'soon': write seconds, or for example 90s, 10m, 1h30m, 2d"),
        (["sub", "a", "-R", "--since", "2h"], "sub: only one of -R, --retained-only and --since can be had"),
        (["sub", "a//b"], "bad pattern 'a//b': empty segment: no '/' at the start or end, and no '//'"),
        (["get", "Hall"], "bad pattern 'Hall': upper case in 'Hall'; write 'hall'"),
        (["pub"], "pub: TOPIC is missing; see `hearthbus pub --help`"),
        (["pub", "a/#", "v=1"], "bad topic 'a/#': wildcards are for patterns, not for topics"),
        (["pub", "a", "1"], "'1' is not key=value; write for example value=1"),
        (["pub", "a", "-", "v=1"], "pub: - stands alone: the bodies come from standard input"),
        (["pub", "a", f"v={'x' * 70000}"], "the body has 70008 bytes; the limit is "),
        (["pub", "a", "v=1e999"], "the body's 'v' is inf; leave out what is not a number"),
        (["pub", "a", "v=\udcff"], "the body cannot be sent: "),
        (["call", "a", "{"], "bad JSON: Expecting property name enclosed in double quotes at column 2: '{'"),
        (["call", "a", "-"], "call: a request is one; `hearthbus pub TOPIC -` publishes the lines of standard input"),
        (["log", "a", "--since", "1h", "--until", "2h"], "log: --since is not before --until"),
        (["get", "a", "--url", "nowhere"], "bad bus address 'nowhere': write tcp://HOST:PORT or ipc:///PATH"),
    ],
)
def test_a_mistake_is_one_line_and_64(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What was typed wrong is named on one line with the next step, before anything connects."""
    code = main(words)

    told = capsys.readouterr()
    assert 64 == code
    assert told.err.startswith(f"hearthbus: {line}")
    assert "" == told.out
    assert 1 == told.err.count("\n")


def test_options_may_stand_anywhere() -> None:
    """Values after an option belong to the topic before it."""
    from hearthbus.cli import pub
    from hearthbus.cli.arguments import parse

    args = parse(["a/b", "-r", "v=1", "--confirm", "w=2"], prog="p", description="d", add_arguments=pub.add_arguments)

    assert ("a/b", ["v=1", "w=2"], True, True) == (args.topic, args.values, args.retain, args.confirm)


def test_nothing_typed_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a verb there is help, and the exit code of a mistake for scripts."""
    assert 64 == main([])
    assert capsys.readouterr().out.startswith("usage: hearthbus VERB")


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """`hearthbus --version` says what is installed."""
    assert 0 == main(["--version"])
    assert f"hearthbus {__version__}\n" == capsys.readouterr().out


def test_a_service_brings_a_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point of hearthbus.commands gets the words after its name and gives the exit code."""
    stub(monkeypatch, len)

    assert 2 == main(["stub", "a", "b"])


def test_a_verb_of_ours_cannot_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that brings `sub` changes nothing."""
    stub(monkeypatch, len, name="sub")

    assert 64 == main(["sub"])


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (Refused("no\nmore\x1b[2J"), 5, "hearthbus: no more\\x1b[2J\n"),
        (ModuleNotFoundError("No module named 'astral'", name="astral"), 69, "hearthbus: `hearthbus stub` needs the "),
        (FileNotFoundError(2, "No such file or directory", "x.toml"), 74, "hearthbus: No such file or directory: x.t"),
        (ZeroDivisionError("oh"), 70, "hearthbus: a defect of hearthbus: ZeroDivisionError: oh; "),
        (SystemExit(2), 64, ""),
        (SystemExit(0), 0, ""),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(32, "Broken pipe"), 141, ""),
    ],
)
def test_every_end_has_its_code_and_at_most_one_line(
    error: BaseException,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """However a verb ends, there is no traceback, and what came over the bus cannot steer the terminal."""

    def fail(_: list[str]) -> NoReturn:
        raise error

    stub(monkeypatch, fail)
    monkeypatch.delenv("HEARTHBUS_TRACEBACK", raising=False)

    assert code == main(["stub"])
    told = capsys.readouterr().err
    assert told.startswith(line)
    assert (1 if line else 0) == told.count("\n")


def test_a_defect_can_be_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """HEARTHBUS_TRACEBACK=1 shows where a defect is."""
    stub(monkeypatch, lambda _: 1 // 0)
    monkeypatch.setenv("HEARTHBUS_TRACEBACK", "1")

    with pytest.raises(ZeroDivisionError):
        main(["stub"])


def test_full_output_is_one_line() -> None:
    """Standard output that cannot be written is an error with a name."""
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        ended = subprocess.run(
            [sys.executable, "-m", "hearthbus", "--help"], stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert 74 == ended.returncode
    assert [b"No space left on device"] == [line.rpartition(b": ")[2] for line in ended.stderr.splitlines()]


def test_help_into_a_closed_pipe_is_quiet() -> None:
    """`hearthbus --help | true` complains about nothing."""
    ended = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m hearthbus --help | true"], capture_output=True, check=False
    )

    assert b"" == ended.stderr


def test_no_known_verb_shares_its_options() -> None:
    """Each verb's parser can be made, and says no option twice."""
    from importlib import import_module

    for name in OURS:
        verb = import_module(VERBS[name].module)
        parser = make_parser(prog=name, description=VERBS[name].help, add_arguments=verb.add_arguments)
        assert (parser.epilog or "").startswith("examples:")


def test_ctrl_c_while_the_command_is_imported_says_nothing() -> None:
    """Before `main` there is nothing to undo: the process ends by the signal, and Python tells no story of it."""
    program = "import os, signal, sys; sys.argv[0] = '/bin/hearthbus'; import hearthbus.cli; {}"
    early = "os.kill(os.getpid(), signal.SIGINT); signal.sigwait([signal.SIGUSR1])"
    late = "from hearthbus.cli.main import main; main(['--version']); print(signal.getsignal(2).__name__)"
    ended = [
        subprocess.run((sys.executable, "-c", program.format(rest)), capture_output=True, text=True, check=False)
        for rest in (early, late)
    ]

    assert [(-signal.SIGINT, ""), (0, "")] == [(end.returncode, end.stderr) for end in ended]
    assert "default_int_handler" == ended[1].stdout.splitlines()[-1]


def test_ctrl_c_while_a_library_tidies_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that stumbles over its own clean-up when interrupted, as argparse can, is no defect of ours."""

    def stumble(_: object) -> NoReturn:
        try:
            raise KeyboardInterrupt
        finally:
            raise AttributeError("save_nargs")

    monkeypatch.setattr(command, "_run", stumble)

    assert 130 == main(["status"])
