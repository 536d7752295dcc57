"""The units of deploy/systemd under a real systemd: start, death, hanging, reload, stop, rights, hardening."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from installed import ROOT, house_machine, install

if TYPE_CHECKING:
    from collections.abc import Iterator

    from machine import Machine

WATCHDOG_S = 4
START_S = 0.6
"""How long a process takes to READY where nothing else runs."""
TRIES = 3
"""How often a time may be too long, on a computer that is busy with other tests; the shortest one counts."""
ALL = ("hearthbus-broker", "hearthbus@echo", "hearthbus@hang", "hearthbus@host", "hearthbus@sun")
HANG = ("hearthbus@host", "hearthbus-broker", "hearthbus@hang")
"""Whose watchdog is short: the first two are stopped, the third is told to hang."""
FAR = """LoadCredential=bus.key:/root/far.key
Environment=HEARTHBUS_KEY=%d/bus.key HEARTHBUS_URL=tcp://127.0.0.1:7600"""
"""What a unit of another machine has: here it makes `sun` come in by the network, with a key."""
TABLES = """
[broker.access.far]
names = ["sun"]
publish = ["sun/#"]
subscribe = ["sun/#"]
[host]
[sun]
[hang]
service = "house_services:Hang"
[echo]
service = "house_services:Echo"
token = { credential = "echo-token" }
"""
SERVICES = '''
"""Services of the test: one repeats what it hears, one stops turning its loop when told to."""
from dataclasses import dataclass
from hearthbus import Message, Secret, Service, on

class Echo(Service):
    @dataclass(frozen=True)
    class Config:
        token: Secret

    @on("said")
    async def repeat(self, message: Message) -> None:
        await self.publish("echo", number=message["number"], token=len(self.config.token.reveal()))

class Hang(Service):
    @dataclass(frozen=True)
    class Config:
        pass

    @on("hang")
    async def loop_for_ever(self, message: Message) -> None:
        while True:
            pass
'''
TALK = '''
"""Say 500 numbers while the house is reloaded; print which came back, and what they weigh."""
import asyncio, sys
from hearthbus import Bus

async def main():
    async with Bus("ipc:///run/hearthbus/bus") as bus, bus.subscribe("echo") as heard:
        asyncio.get_running_loop().create_task(say(bus))
        numbers = []
        async for message in heard:
            numbers.append(message["number"])
            if numbers[-1] == 499:
                break
        print("in order" if numbers == list(range(500)) else numbers, heard.lost, message["token"])

async def say(bus):
    for number in range(500):
        await bus.publish("said", number=number)
        if number == 50:
            print("saying", flush=True)
        await asyncio.sleep(0.002)

asyncio.run(asyncio.wait_for(main(), 30))
'''


@pytest.fixture(scope="module")
def house() -> Iterator[Machine]:
    """A machine whose house runs, started once for all tests: each leaves it as it found it."""
    with house_machine() as machine:
        install(machine, TABLES, broker='network = "tcp://0.0.0.0:7600"\nkeys = "/etc/hearthbus/keys"')
        machine.put("/etc/hearthbus/house_services.py", SERVICES)
        machine.put("/etc/hearthbus/secrets/echo-token", "secret", mode="0600")
        dropin(machine, "hearthbus@echo", "LoadCredential=echo-token:/etc/hearthbus/secrets/echo-token")
        machine.run("hearthbus keys init && hearthbus keys new far && mv /etc/hearthbus/keys/far.key /root/")
        dropin(machine, "hearthbus@sun", FAR)
        for name in HANG:
            dropin(machine, name, f"WatchdogSec={WATCHDOG_S}", file="watchdog.conf")
        dropin(machine, "hearthbus-clock", "Environment=WAIT_S=1\nExecStart=\nExecStart=-timeout ${WAIT_S} sleep 60")
        machine.run(f"useradd pi; useradd stranger; usermod -aG hearthbus pi; systemctl enable {' '.join(ALL[1:])}")
        machine.run("systemctl enable --now hearthbus.target")
        yield machine


def dropin(machine: Machine, unit: str, lines: str, *, file: str = "test.conf") -> None:
    """Add lines to the [Service] of a unit."""
    machine.put(f"/etc/systemd/system/{unit}.service.d/{file}", f"[Service]\n{lines}\n")
    machine.run("systemctl daemon-reload")


def moment(machine: Machine, unit: str, name: str) -> float:
    """Return the second of the boot at which something happened to a unit."""
    return int(machine.show(unit, f"{name}TimestampMonotonic")) / 1e6


def now(machine: Machine) -> float:
    """Return the second of the boot."""
    return float(machine.run("cut -d ' ' -f 1 /proc/uptime"))


def again(machine: Machine, unit: str, before: int, *, timeout: float) -> float:
    """Wait until a unit is active with another process than before; return when that was, in seconds of the boot."""

    def is_back() -> bool:
        said = machine.run(f"systemctl show -P MainPID -P ActiveState '{unit}'").split()
        return "active" in said and "0" not in said and str(before) not in said

    machine.until(is_back, f"{unit} is active again", timeout, unit)
    return moment(machine, unit, "ActiveEnter")


def busy_s(machine: Machine, unit: str) -> float:
    """Return by how much its last start, to READY, was longer than on a computer that does nothing else."""
    took = moment(machine, unit, "ActiveEnter") - moment(machine, unit, "ExecMainStart")
    return max(0.0, took - START_S)


def test_all_are_ready_in_order_and_after_a_boot_too(house: Machine) -> None:
    """The broker is READY first, then the services; who acts by the clock waits for it, but not for ever."""
    for boot in range(2):
        if boot:
            house.reboot()
        for name in ALL:
            house.wait(f"{name}.service", "active")
        house.wait("hearthbus.target", "active")
        ready = {name: moment(house, f"{name}.service", "ActiveEnter") for name in ALL}
        began = {name: moment(house, f"{name}.service", "ExecMainStart") for name in ALL}
        clock = moment(house, "hearthbus-clock.service", "ActiveEnter")

        assert all(ready["hearthbus-broker"] <= began[name] for name in ALL[1:])
        assert began["hearthbus@sun"] >= clock
        assert 1.0 <= clock - moment(house, "hearthbus-clock.service", "InactiveExit")
        assert "hearthbus-clock.service" not in house.show("hearthbus@host.service", "After").split()
        assert {"running host"} == {house.show("hearthbus@host.service", "StatusText")}
        assert {"0"} == {house.show(f"{name}.service", "NRestarts") for name in ALL}


@pytest.mark.parametrize("unit", ["hearthbus@sun.service", "hearthbus-broker.service"])
def test_who_is_killed_is_back_within_two_seconds(house: Machine, unit: str) -> None:
    """After kill -9 a service, and the broker, are active again; other services outlive the broker and find it."""
    host = house.pid("hearthbus@host.service")
    took: list[float] = []
    while len(took) < TRIES and min(took, default=9.0) > 2.0:
        killed = now(house)
        took.append(again(house, unit, house.kill(unit, "KILL"), timeout=20) - killed - busy_s(house, unit))
    house.until(lambda: house.show("hearthbus@host.service", "StatusText") == "running host", "host is connected")

    assert host == house.pid("hearthbus@host.service")
    assert 2.0 > min(took)


def test_who_hangs_is_started_again_by_the_watchdog(house: Machine) -> None:
    """Stopped processes and one whose loop does not turn are back within WatchdogSec + 2 s; a trace shows where."""
    units = [f"{name}.service" for name in HANG]
    took: list[float] = []
    while len(took) < TRIES and min(took, default=99.0) > WATCHDOG_S + 2:
        before = [house.pid(unit) for unit in units]
        house.run("runuser -u pi -- hearthbus pub hang")
        stopped = now(house)
        for unit in units[:2]:
            house.kill(unit, "STOP")
        back = [again(house, unit, pid, timeout=WATCHDOG_S + 20) for unit, pid in zip(units, before, strict=True)]
        took.append(max(back) - stopped - max(busy_s(house, unit) for unit in units))

    assert WATCHDOG_S + 2 > min(took)
    for unit in units:
        assert "Watchdog timeout" in house.journal(unit)
    assert "in loop_for_ever" in house.journal(units[2])
    assert "Watchdog timeout" not in house.journal("hearthbus@echo.service")


def test_a_reload_drops_no_message(house: Machine) -> None:
    """While broker and service are told to reload, every message is handled, in order, by the same processes."""
    units = ("hearthbus-broker.service", "hearthbus@echo.service")
    before = [house.pid(unit) for unit in units]
    house.put("/opt/talk.py", TALK)
    house.run("systemd-run --quiet --unit=talk --uid=pi /opt/hearthbus/bin/python -u /opt/talk.py")
    house.until(lambda: "saying" in house.journal("talk"), "it speaks", 20, "talk")
    for _ in range(3):
        house.run(f"systemctl reload {' '.join(units)}")
    house.until(lambda: " 6" in house.journal("talk"), "it has heard all", 30, "talk")

    assert "in order 0 6" in house.journal("talk")
    assert before == [house.pid(unit) for unit in units]
    assert "reload: nothing has changed" in house.journal("hearthbus@echo")


def test_everything_stops_within_five_seconds_and_starts_in_any_order(house: Machine) -> None:
    """Stopping the target stops all, cleanly; services that are started before the broker wait for it and get READY."""
    began = now(house)
    house.run("systemctl stop hearthbus.target")
    for name in ALL:
        house.wait(f"{name}.service", "inactive", timeout=20)
    took = max(moment(house, f"{name}.service", "InactiveEnter") for name in ALL) - began
    results = {house.show(f"{name}.service", "Result") for name in ALL}
    house.run("systemctl mask --runtime hearthbus-broker; systemctl start --no-block hearthbus@host hearthbus@echo")
    for name in ("host", "echo"):
        waits = "waiting for the broker at ipc:///run/hearthbus/bus"
        house.until(lambda n=name, w=waits: house.show(f"hearthbus@{n}.service", "StatusText") == w, f"{name} waits")  # type: ignore[misc]  # a default binds early
    states = {house.show(f"hearthbus@{name}.service", "ActiveState") for name in ("host", "echo")}
    house.run("systemctl unmask --runtime hearthbus-broker; systemctl start hearthbus-broker")
    for name in ("host", "echo"):
        house.wait(f"hearthbus@{name}.service", "active", timeout=10)
    house.run("systemctl restart hearthbus@echo && runuser -u pi -- hearthbus pub said number=1007")
    house.until(
        lambda: "1007" in house.run("runuser -u pi -- hearthbus log echo"), "what follows READY is not lost", 10
    )
    house.run("systemctl start hearthbus.target")

    assert took < 5.0
    assert {"success"} == results
    assert {"activating"} == states


def test_who_fails_at_once_is_not_started_all_the_time(house: Machine) -> None:
    """A service with a bad configuration waits before it is tried again, for ever, and says little each time."""
    unit = "hearthbus@nobody.service"
    dropin(house, "hearthbus@nobody", "Environment=PAUSE_S=1")
    house.run("systemctl start hearthbus@nobody", check=False)
    house.until(lambda: house.show(unit, "NRestarts") == "1", "it was started again", 30, unit)
    times = [float(at) for at in re.findall(r"\[ *([0-9.]+)\] systemd\[1\]: Starting", house.journal(unit))]
    said = len(house.journal(unit)) / len(times)
    house.run("systemctl stop hearthbus@nobody")

    assert all(second - first > 1.5 for first, second in pairwise(times))
    assert 1e6 > said * 3600 / 10.5  # bytes in an hour, with the ten seconds the unit has
    assert "active" == house.run("systemctl is-active hearthbus@echo").strip()


def test_who_may_do_what(house: Machine) -> None:
    """The group may use the bus, others not; state is its service's own; a service writes nowhere else."""
    known = house.run("runuser -u pi -- hearthbus get 'service/#'")
    refused = house.run("runuser -u stranger -- hearthbus pub x --url ipc:///run/hearthbus/bus", check=False)
    kept = house.run(
        "stat -c '%A %U:%G %n' /run/hearthbus /run/hearthbus/bus* /var/lib/hearthbus /var/lib/hearthbus/host"
    )
    inside = f"nsenter -t {house.pid('hearthbus@host.service')} -m -S $(id -u hearthbus) -G $(id -g hearthbus) --"
    places = "/etc/hearthbus /opt/hearthbus /var/lib/hearthbus /var/lib/hearthbus/broker /usr /var/log /root /home"
    written = house.run(f"for p in {places}; do {inside} touch $p/x 2>/dev/null && echo $p; done; true")

    assert "service/echo" in known
    assert "far was refused" not in house.journal("hearthbus-broker")
    assert "no broker answers" in refused
    assert [
        "drwxr-x--- hearthbus:hearthbus /run/hearthbus",
        "srwxrwx--- hearthbus:hearthbus /run/hearthbus/bus",
        "srwxrwx--- hearthbus:hearthbus /run/hearthbus/bus.fanout",
        "drwxr-x--- hearthbus:hearthbus /var/lib/hearthbus",
        "drwx------ hearthbus:hearthbus /var/lib/hearthbus/host",
    ] == kept.splitlines()
    assert "" == written


@pytest.mark.parametrize(
    ("unit", "most"),
    [
        *(("hearthbus-broker", 1.2), ("hearthbus@jeenode", 1.5), ("hearthbus@rfxtrx", 1.5)),
        *((f"hearthbus@{name}", 1.2) for name in ("sun", "host", "calendar", "telemetry", "notify")),
    ],
)
def test_exposure(house: Machine, unit: str, most: float) -> None:
    """`systemd-analyze security` gives each unit at most so many points of ten; a unit without hardening has 9.5."""
    said = house.run(f"systemd-analyze security --offline=yes {unit}.service", check=False)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)

    assert found is not None
    assert most >= float(found[1])


def test_every_line_of_the_units_is_understood(house: Machine) -> None:
    """`systemd-analyze verify` finds nothing to say, on this systemd and about each unit that is shipped."""
    names = {folder.name.removesuffix(".d") for folder in (ROOT / "deploy/systemd").glob("hearthbus@?*.service.d")}
    units = ["hearthbus-broker.service", "hearthbus.target", "hearthbus-clock.service", *sorted(names)]

    assert "" == house.run(f"systemd-analyze verify {' '.join(units)}")
