"""Is the configuration sound, and is it the one that was meant?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hearthbus.doctor.finding import bad, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hearthbus.doctor.finding import Finding
    from hearthbus.doctor.scene import Scene

_TOLD = 5


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the configuration is."""

    config: str = ""
    example: bool = False
    shut: bool = False
    problems: tuple[str, ...] = ()
    hidden: int = 0
    """Secrets that only the units of systemd can read."""
    services: tuple[str, ...] = ()
    url: str = ""


def gather(scene: Scene) -> Facts:
    """Take what the scene knows."""
    return Facts(
        config=scene.config,
        example=scene.example,
        shut=scene.shut,
        problems=scene.problems,
        hidden=len(scene.hidden),
        services=tuple(scene.kinds),
        url=scene.url,
    )


def judge(facts: Facts) -> Iterator[Finding]:
    """Say each problem, or what is configured."""
    if facts.shut:
        yield bad(
            f"{facts.config} is shut to who asks, so that little can be looked at",
            "sudo hearthbus doctor; or sudo usermod -aG hearthbus $USER, then log in again",
        )
        return
    for problem in facts.problems[:_TOLD]:
        yield bad(problem, f"mend it, then: hearthbus check {facts.config}".strip())
    if len(facts.problems) > _TOLD:
        yield bad(f"and {len(facts.problems) - _TOLD} more", f"hearthbus check {facts.config}".strip())
    if facts.problems:
        return
    if facts.example:
        yield warn(
            "no hearthbus.toml of yours was found: this is the example house",
            "copy it to ~/.config/hearthbus/hearthbus.toml or /etc/hearthbus/hearthbus.toml, or name it: --config FILE",
        )
    if facts.hidden:
        yield ok(f"{facts.hidden} secrets are credentials of systemd's, which only its units can read: not looked at")
    names = ", ".join(facts.services) or "no service"
    yield ok(f"{facts.config}: {names}; broker at {facts.url}")
