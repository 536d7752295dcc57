"""The host service: what it reads of Linux, and what it makes of counters that go back and hardware that goes away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus import Invalid
from hearthbus.topics import check_topic
from services.host import Host, proc

if TYPE_CHECKING:
    from hearthbus.testing import Bench

NET_DEV = """\
Inter-|   Receive                                              |  Transmit
 face |bytes  packets errs drop fifo frame compressed multicast|bytes  packets errs drop fifo colls carrier compressed
    lo:  1500      12    0    0    0     0          0         0   1500      12    0    0    0     0       0          0
  eth0:73304991  2066    3    4    0     0          0         0 152373    1237    5    6    0     0       0          0
wlan0.7:    1       2    0    0    0     0          0         0      9       1    0    0    0     0       0          0
"""
MEMINFO = """\
MemTotal:         440060 kB
MemFree:           76176 kB
MemAvailable:     257276 kB
Buffers:           27316 kB
SwapTotal:        102396 kB
SwapFree:         102000 kB
HugePages_Total:       0
"""


def traffic(received: int, sent: int) -> proc.Traffic:
    """Return counters of an interface without faults."""
    return proc.Traffic(received, 0, 0, sent, 0, 0)


def test_loadavg() -> None:
    """Three averages stand at the front of /proc/loadavg."""
    assert proc.Load(0.40, 1.45, 0.33) == proc.parse_loadavg("0.40 1.45 0.33 1/86 9980\n")


def test_meminfo() -> None:
    """The kernel counts in units of 1024 bytes."""
    expected = proc.Memory(440060 * 1024, 257276 * 1024, 102396 * 1024, 102000 * 1024)

    assert expected == proc.parse_meminfo(MEMINFO)


def test_net_dev() -> None:
    """Received and sent figures of every interface, by its name."""
    found = proc.parse_net_dev(NET_DEV)

    assert ["lo", "eth0", "wlan0.7"] == list(found)
    assert proc.Traffic(73304991, 3, 4, 152373, 5, 6) == found["eth0"]


def test_uptime() -> None:
    """The first figure is the machine's, the second the processors' idle time."""
    assert proc.parse_uptime("1906.52 3406.11\n") == 1906.52


def test_busy_ratio() -> None:
    """Idle time and waiting for a disk are not work."""
    before = proc.parse_cpu_time("cpu  100 0 100 800 50 0 0 0 0 0\ncpu0 1 2 3\n")
    after = proc.parse_cpu_time("cpu  120 0 110 850 70 0 0 0 0 0\n")

    assert proc.busy_ratio(before, after) == pytest.approx(0.3)
    assert proc.busy_ratio(after, after) == 0.0


def test_rates() -> None:
    """A rate is what was counted over the time that passed."""
    expected = {"rx_bytes_per_s": 150.0, "tx_bytes_per_s": 0.5}

    assert expected == proc.rates(traffic(1000, 10), traffic(2500, 15), 10.0)


@given(
    before=st.tuples(st.integers(0, 2**64), st.integers(0, 2**64)),
    after=st.tuples(st.integers(0, 2**64), st.integers(0, 2**64)),
    seconds=st.floats(-10, 1e6),
)
def test_no_rate_is_negative(before: tuple[int, int], after: tuple[int, int], seconds: float) -> None:
    """Where a counter was full, or the interface was made anew, there is no rate rather than a wrong one."""
    found = proc.rates(traffic(*before), traffic(*after), seconds)

    assert all(rate >= 0 for rate in found.values())
    assert bool(found) == (seconds > 0 and after[0] >= before[0] and after[1] >= before[1])


def test_zones() -> None:
    """Thermal zones tell thousandths of a degree; one that is off or absurd is left out, equal names get a number."""
    zones = [("cpu-thermal\n", "48312\n"), ("acpitz", "30000"), ("acpitz", "31000"), ("wifi", ""), ("x", "-274000")]

    assert {"cpu-thermal": 48.312, "acpitz": 30.0, "acpitz-2": 31.0} == proc.parse_zones(zones)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (proc.parse_loadavg, ""),
        (proc.parse_loadavg, "a b c"),
        (proc.parse_cpu_time, "cpu0 1 2 3 4 5"),
        (proc.parse_cpu_time, "cpu 1 x"),
        (proc.parse_meminfo, "MemTotal: 12 kB"),
        (proc.parse_uptime, "\n"),
        (proc.parse_net_dev, "head\nhead\neth0: 1 2 3\n"),
        (proc.parse_net_dev, "head\nhead\nnonsense\n"),
    ],
)
def test_strange_text_is_an_error_that_names_the_file(parse: Any, text: str) -> None:
    """A format this version does not know is said, never guessed at."""
    with pytest.raises(Invalid, match=r"cannot read|/proc/"):
        parse(text)


@given(name=st.text(max_size=80))
def test_any_name_becomes_a_segment(name: str) -> None:
    """Whatever a machine or an interface is called, its name fits a topic."""
    assert "/" not in check_topic(proc.segment(name))


async def test_this_machine(bench: Bench) -> None:
    """Everything of this machine is retained state under its name; rates are there from the second reading on."""
    await bench.run(Host, hostname="Büro Pi", exclude_interfaces=[], interval_s=10)
    first = {message.topic: message for message in await bench.bus.get("host/#")}
    await bench.advance(10)
    second = {message.topic: message.body for message in await bench.bus.get("host/#")}

    assert {"host/b-ro-pi/load", "host/b-ro-pi/memory", "host/b-ro-pi/uptime", "host/b-ro-pi/disk/root"} <= first.keys()
    assert 0 < first["host/b-ro-pi/memory"]["used_ratio"] < 1
    assert "rx_bytes_per_s" not in first["host/b-ro-pi/network/lo"]
    assert second["host/b-ro-pi/network/lo"]["rx_bytes_per_s"] >= 0
    assert 0 <= second["host/b-ro-pi/load"]["busy_ratio"] <= 1


async def test_interfaces_are_chosen_by_patterns(bench: Bench) -> None:
    """What is excluded is not told, whatever is included."""
    await bench.run(Host, include_interfaces=["l?", "eth*"], exclude_interfaces=["eth*"])
    topics = [message.topic for message in await bench.bus.get("host/+/network/#")]

    assert ["lo"] == [topic.rpartition("/")[2] for topic in topics]


async def test_what_is_gone_is_forgotten(bench: Bench) -> None:
    """An interface that an earlier run told of and that is no longer there has no state any more."""
    earlier = await bench.run(Host, "host", hostname="pi")
    await earlier.publish("host/pi/network/usb0", rx_bytes=1, retain=True)
    await bench.publish("host/pi/shed", value=1, retain=True)
    await bench.run(Host, "host", hostname="pi")
    topics = [message.topic for message in await bench.bus.get("host/pi/#")]

    assert "host/pi/network/usb0" not in topics
    assert "host/pi/uptime" in topics
    assert "host/pi/shed" in topics


async def test_a_missing_disk_is_said_once_and_hides_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """A disk that is not there is one line in the log, and everything else goes on."""
    await bench.run(Host, hostname="pi", disks=["/nowhere", "/"])
    await bench.advance(120)
    said = [record.getMessage() for record in caplog.records if "nowhere" in record.getMessage()]

    assert 1 == len(said)
    assert re.search("no disk /nowhere", said[0])
    assert ["host/pi/disk/root"] == [message.topic for message in await bench.bus.get("host/pi/disk/#")]


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"interval_s": 0.1}, "interval_s"),
        ({"disks": ["home"]}, "disks"),
        ({"interval": 3}, "did you mean 'interval_s'"),
    ],
)
async def test_bad_config_is_refused(bench: Bench, config: dict[str, Any], key: str) -> None:
    """A mistake is refused before anything starts, by the name of its key."""
    with pytest.raises(Invalid, match=key):
        await bench.run(Host, **config)
