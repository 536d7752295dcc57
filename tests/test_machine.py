"""The machine that other tests boot: a real systemd, apart from this computer, and gone afterwards."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from machine import Machine

UNIT = "[Service]\nExecStart=/bin/sh -c 'echo it runs; exec sleep 600'\n[Install]\nWantedBy=multi-user.target\n"


def test_a_machine_boots_runs_units_boots_again_and_leaves_nothing() -> None:
    """Two machines run at once, each with its own systemd, files and network; what was enabled comes back at a boot."""
    with Machine() as machine, Machine() as other:
        assert "running" == machine.run("systemctl is-system-running --wait", check=False).strip()
        machine.put("/etc/systemd/system/sleeper.service", UNIT)
        machine.run("systemctl enable --now sleeper")
        machine.wait("sleeper.service", "active")
        machine.until(lambda: "it runs" in machine.journal("sleeper.service"), "the unit speaks", 5)
        pid = machine.kill("sleeper.service", "KILL")
        machine.wait("sleeper.service", "failed")

        assert pid > 1
        assert "inactive" == other.run("systemctl is-active sleeper", check=False).strip()
        assert "lo" == machine.run("ls /sys/class/net").strip()
        assert "" == machine.run("ls /opt").strip()
        with pytest.raises(AssertionError, match="no process"):
            machine.kill("sleeper.service", "KILL")
        with pytest.raises(ConnectionRefusedError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            notices.connect(str(machine._folder / "notify"))  # where nobody reads, PID 1 must not wait

        machine.reboot()
        machine.wait("sleeper.service", "active")

    assert "" == subprocess.run(("pgrep", "-f", machine.name), capture_output=True, text=True, check=False).stdout
    assert [] == list(Path("/sys/fs/cgroup").glob(f"*/{machine.name}"))
    assert machine.name not in Path("/proc/mounts").read_text()
    assert not machine._folder.exists()
    assert not Path("/etc/systemd/system/sleeper.service").exists()


def test_a_machine_ends_with_the_test_that_was_killed(tmp_path: Path) -> None:
    """When the process that booted it gets SIGKILL, no process of the machine goes on."""
    program = (
        "import os; from machine import Machine; m = Machine(); m.start(); print(m.name, m._leader, flush=True);"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        (sys.executable, "-c", program),
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parent)},
        stdout=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    name, pid = done.stdout.decode().split()
    deadline = time.monotonic() + 10
    while (running := Path("/proc", pid, "exe").exists()) and time.monotonic() < deadline:
        time.sleep(0.02)
    remains = Machine()
    remains.name = name
    remains.stop()

    assert not running
    assert [] == list(Path("/sys/fs/cgroup").glob(f"*/{name}"))
