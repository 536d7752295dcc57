"""All looks of the doctor's, as a table, and the way through it: side by side, none able to stop another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from hearthbus.doctor import clock, configuration, devices, disk, hardware, house, keys, ports, software, units
from hearthbus.doctor.finding import bad, scrubbed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hearthbus.doctor.finding import Finding
    from hearthbus.doctor.scene import Scene


@dataclass(frozen=True)
class Check:
    """One subject: how its facts are read, and what they mean."""

    name: str
    gather: Callable[[Scene], Any]
    judge: Callable[[Any], Iterable[Finding]]
    house: bool = False
    """It looks at what the configuration names, and at nothing where that cannot be read."""


CHECKS: Final = (
    Check("machine", hardware.gather, hardware.judge),
    Check("versions", software.gather, software.judge),
    Check("config", configuration.gather, configuration.judge),
    Check("broker", house.gather, house.judge),
    Check("ports", ports.gather, ports.judge),
    Check("keys", keys.gather, keys.judge, house=True),
    Check("devices", devices.gather, devices.judge, house=True),
    Check("clock", clock.gather, clock.judge),
    Check("disk", disk.gather, disk.judge),
    Check("units", units.gather, units.judge),
)


def examine(scene: Scene, checks: tuple[Check, ...] = CHECKS) -> Iterator[tuple[str, Finding]]:
    """Give every finding with its subject, in the order of `checks`, fit to be shown to anybody."""
    checks = tuple(check for check in checks if not (check.house and scene.blind))
    with ThreadPoolExecutor(max_workers=len(checks)) as pool:
        for check, found in zip(checks, pool.map(lambda check: _examined(check, scene), checks), strict=True):
            for finding in found:
                yield check.name, replace(finding, text=scrubbed(finding.text), do=scrubbed(finding.do))


def _examined(check: Check, scene: Scene) -> list[Finding]:
    try:
        return list(check.judge(check.gather(scene)))
    except Exception as error:  # noqa: BLE001 - one look that stumbles must not keep the others from being told
        what = f"{type(error).__name__}: {error}"
        return [
            bad(f"this look failed, which is a defect of hearthbus: {what}", "please tell its makers, with this line")
        ]
