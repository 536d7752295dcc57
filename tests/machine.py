"""A machine for tests: a real systemd, booted in a container on an overlay, with nothing of it left afterwards.

    with Machine() as machine:
        machine.put("/etc/systemd/system/sleeper.service", UNIT)
        machine.run("systemctl start sleeper")
        machine.wait("sleeper.service", "active")

What it writes stays in memory, over the tree of this computer (which costs nothing to make; its /opt and its own
units are not there) or over a clean Debian of `debian_tree`. Mounts, processes and cgroups are in namespaces and
folders of the machine's own: machines do not meet, and when a test is killed its machine ends with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NEEDED = ("systemd-nspawn", "nsenter", "unshare", "setpriv")
BOOT_S = 60.0
HIDDEN = ("opt", "etc/systemd/system", "etc/hearthbus", "var/lib/hearthbus", "var/log")
"""Folders of this computer that a machine must not see."""
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_LAUNCH = """set -eu
folder=$1 name=$2 lower=$3 hidden=$4; shift 4
for group in $CGROUPS; do mkdir "$group/$name"; echo $$ >"$group/$name/cgroup.procs"; done
mount -t tmpfs -o mode=755 "$name" "$folder/memory"; cd "$folder/memory"
mkdir -p upper work tree /run/systemd/nspawn; mount -t tmpfs -o mode=755 "$name" /run/systemd/nspawn
mount -t overlay -o "lowerdir=$lower,upperdir=upper,workdir=work" "$name" tree
for path in $hidden; do mkdir -p "tree/$path"; mount -t tmpfs -o mode=755 "$name" "tree/$path"; done
mkdir -p tree/etc/systemd/system-generators
ln -sf /dev/null tree/etc/systemd/system-generators/systemd-sysv-generator
rm -f tree/etc/machine-id; tr -d - </proc/sys/kernel/random/uuid >tree/etc/machine-id
while :; do
    status=0
    systemd-nspawn --quiet --register=no --keep-unit --notify-ready=yes --console=pipe \\
        --kill-signal=SIGRTMIN+3 --link-journal=no --timezone=off --machine="$name" --directory=tree "$@" --boot \\
        </dev/null || status=$?
    [ $status = 133 ] || exit $status
done
"""  # 133: it was told to reboot (man 1 systemd-nspawn)


class Machine:
    """A container that boots systemd.

    Args:
        tree: what it runs on, read only; `/` is this computer.
        network: whether it shares this computer's network; otherwise it has a loopback of its own, and no other.
        binds: folders of this computer, and where the machine sees them, read only.
    """

    def __init__(
        self, *, tree: Path = Path("/"), network: bool = False, binds: Mapping[Path, str] = MappingProxyType({})
    ) -> None:
        self.name = f"hb-{os.urandom(4).hex()}"
        self._tree = tree
        self._network = network
        self._options: tuple[str, ...] = (
            ("--resolv-conf=copy-host",) if network else ("--private-network", "--resolv-conf=off")
        )
        self._options += tuple(f"--bind-ro={source}:{target}" for source, target in binds.items())
        self._folder = Path(tempfile.mkdtemp(prefix="hb-machine-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._leader = 0

    def __enter__(self) -> Self:
        """Boot; nothing stays when that fails."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.stop()

    def start(self) -> None:
        """Boot, and return when everything that is enabled has been started."""
        can_boot()
        (self._folder / "memory").mkdir()
        self._listen()
        groups = " ".join(str(group) for group in _cgroups())
        hidden = " ".join(HIDDEN) if self._tree == Path("/") else ""
        with (self._folder / "console").open("wb") as console:
            self._process = subprocess.Popen(
                (
                    *("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private"),
                    *("--pid", "--fork", "--kill-child=KILL", "--mount-proc"),
                    *("sh", "-c", _LAUNCH, "machine", str(self._folder), self.name, str(self._tree), hidden),
                    *self._options,
                ),
                env={**os.environ, "NOTIFY_SOCKET": str(self._folder / "notify"), "CGROUPS": groups},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        self._booted()
        if self._network and CERTIFICATES.exists():
            self.put_tree(CERTIFICATES, str(CERTIFICATES.parent))  # a mirror nearby may have a certificate of its own

    def reboot(self) -> None:
        """Boot again, with what has been written."""
        self._listen()
        self.run("systemctl reboot --no-block")
        self._booted()

    def stop(self) -> None:
        """Pull the plug and remove every trace; harmless when it has never run."""
        groups = [group / self.name for group in _cgroups() if (group / self.name).is_dir()]
        deadline = time.monotonic() + 10
        while left := {pid for group in groups for pid in _processes(group)}:
            assert time.monotonic() < deadline, f"processes of {self.name} do not die: {left}"
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        if self._process is not None:
            self._process.wait(10)
        for group in groups:
            for folder, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(FileNotFoundError):
                    Path(folder).rmdir()
        self._notices.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, command: str, *, timeout: float = 60.0, check: bool = True, given: str = "") -> str:
        """Run a line of shell in the machine as root; return everything it said.

        Raises:
            AssertionError: it failed, and `check` is set; or it took longer than `timeout` seconds.
        """
        done = subprocess.run(
            (
                *("nsenter", "--target", str(self._alive()), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"),
                *("env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"),
                *("LC_ALL=C.UTF-8", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0", f"PIP_CERT={CERTIFICATES}"),
                *("timeout", "-s", "KILL", str(timeout)),
                *("sh", "-c", command),
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            input=given.encode(),
            check=False,
            timeout=timeout + 10,
        )
        said = done.stdout.decode(errors="replace")
        assert done.returncode != -signal.SIGKILL, f"{command!r} took more than {timeout} s: {said}"
        assert not check or done.returncode == 0, f"{command!r} ended with {done.returncode}: {said}"
        return said

    def put(self, path: str, text: str, *, mode: str = "0644", owner: str = "root", group: str = "root") -> None:
        """Write a file, and the folders above it."""
        self.run(f"install -D -m {mode} -o {owner} -g {group} /dev/stdin '{path}'", given=text)

    def put_tree(self, source: Path, target: str) -> None:
        """Copy a file or a folder of this computer into the folder `target` of the machine."""
        packed = subprocess.run(
            ("tar", "-C", source.parent, "--exclude=__pycache__", "--owner=0", "--group=0", "-cf", "-", source.name),
            stdout=subprocess.PIPE,
            check=True,
            timeout=60,
        ).stdout
        into = f"/proc/{self._alive()}/root{target}"
        self.run(f"mkdir -p '{target}'")
        subprocess.run(("tar", "-C", into, "-xf", "-"), input=packed, check=True, timeout=60)

    def show(self, unit: str, name: str) -> str:
        """Return a property of a unit."""
        return self.run(f"systemctl show -P {name} '{unit}'").strip()

    def wait(self, unit: str, state: str, *, timeout: float = 30.0) -> float:
        """Wait until a unit is `active`, `failed`, ...; return the seconds that took."""
        return self.until(lambda: self.show(unit, "ActiveState") == state, f"{unit} is {state}", timeout, unit)

    def until(self, holds: Callable[[], object], what: str, timeout: float = 30.0, unit: str = "") -> float:
        """Wait until something holds; return the seconds that took; the journal of `unit` explains a failure."""
        start = time.monotonic()
        while not holds():
            late = time.monotonic() - start > timeout
            assert not late, f"not within {timeout} s: {what}\n{self.journal(unit)[-4000:] if unit else ''}"
            time.sleep(0.1)  # asking costs the machine more than waiting
        return time.monotonic() - start

    def pid(self, unit: str) -> int:
        """Return the process id, inside the machine, of a unit's main process; 0 when it has none."""
        return int(self.show(unit, "MainPID"))

    def kill(self, unit: str, signal_name: str) -> int:
        """Send a signal to a unit's main process; return its process id."""
        pid = self.pid(unit)
        assert pid > 1, f"{unit} has no process to send {signal_name} to:\n{self.journal(unit)[-2000:]}"
        self.run(f"kill -{signal_name} {pid}")
        return pid

    def journal(self, unit: str) -> str:
        """Return the lines of a unit in the journal, the newest last, with microseconds of the boot before each."""
        return self.run(f"journalctl --sync; journalctl -q -o short-monotonic --no-hostname -u '{unit}'")

    def _listen(self) -> None:
        """Be there for the word that the next boot is over."""
        self._notices.close()
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        (self._folder / "notify").unlink(missing_ok=True)
        self._notices.bind(str(self._folder / "notify"))

    def _booted(self) -> None:
        """Wait for systemd-nspawn's word that the boot is over (man 1 systemd-nspawn, --notify-ready)."""
        self._leader = 0
        deadline = time.monotonic() + BOOT_S
        self._notices.settimeout(0.2)
        while True:
            with contextlib.suppress(TimeoutError):
                if b"READY=1" in self._notices.recv(4096):
                    scope = next(group / self.name / "payload/init.scope/cgroup.procs" for group in _cgroups())
                    self._leader = int(scope.read_text().split()[0])
                    self._notices.close()  # PID 1 would wait for ever once one that nobody reads is full
                    return
            assert self._process is not None
            assert self._process.poll() is None, f"the machine did not boot: {self._said()}"
            assert time.monotonic() < deadline, f"the machine did not boot within {BOOT_S} s: {self._said()}"

    def _alive(self) -> int:
        assert self._leader > 1, "the machine has not been started"
        assert self._process is not None
        assert self._process.poll() is None, f"the machine has ended: {self._said()}"
        return self._leader

    def _said(self) -> str:
        return (self._folder / "console").read_text(errors="replace")[-3000:]


def can_boot() -> None:
    """Skip the test for a person who is not root; fail it where a machine should boot but cannot."""
    if os.geteuid() != 0:
        sentence = "booting systemd in a container needs root: run these tests with sudo"
        if "CI" in os.environ:
            pytest.fail(sentence)
        pytest.skip(sentence)
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if missing:
        pytest.fail(f"{', '.join(missing)} not found: apt install systemd-container util-linux")


def debian_tree(folder: Path, *, include: tuple[str, ...] = ()) -> Path:
    """Make a clean Debian 12 with systemd in `folder` (about half a minute), once for all who ask with this folder.

    Args:
        folder: where; processes that name the same one share it. Nobody may write to it: machines put an overlay on it.
        include: packages it has besides.
    """
    can_boot()
    if shutil.which("mmdebstrap") is None:
        pytest.fail("mmdebstrap not found: apt install mmdebstrap")
    packages = ",".join(("systemd", "systemd-sysv", "dbus", "ca-certificates", *include))
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            fresh = folder.with_suffix(f".{os.getpid()}")
            made = subprocess.run(
                (
                    *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}"),
                    *("--dpkgopt=path-exclude=/usr/share/doc/*", "--aptopt=Acquire::Languages none"),
                    *("bookworm", fresh),
                ),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300,
            )  # fmt: skip
            assert made.returncode == 0, f"no Debian could be made: {made.stdout[-3000:]}"
            fresh.rename(folder)
    return folder


def _cgroups() -> list[Path]:
    """Return the hierarchies systemd uses here: one, or in the hybrid of version 1 two."""
    places = ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup")
    return [Path(place) for place in places if Path(place, "cgroup.procs").exists()]


def _processes(group: Path) -> Iterator[int]:
    for listed in group.rglob("cgroup.procs"):
        with contextlib.suppress(FileNotFoundError):
            yield from (pid for line in listed.read_text().split() if (pid := int(line)) > 1)
