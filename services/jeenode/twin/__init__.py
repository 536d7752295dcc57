"""A simulated house behind a serial port: JeeNodes that report, move and light, for a demonstration without hardware.

The port is a pseudo terminal that the real driver and the real service open. What happens in the house is plausible and
seeded; nothing in it is measured. `hearthbus up --demo` runs one; `jeenode-twin/move` makes somebody move.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the configuration reads the annotation
from typing import TYPE_CHECKING, Any

from hearthbus import Invalid, Message, Service, serve
from services.checks import refuse
from services.jeenode.twin.house import House
from services.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator


class Twin(Service):
    """The simulated house."""

    @dataclass(frozen=True)
    class Config:
        """How it is. `link` is the port's name: what `port` of a gateway of `[jeenode]` says."""

        link: Path
        seed: int = 1
        loss: float = 0.0
        """Part of the packets that get lost on the air, 0..1."""
        stock: bool = False
        """Whether the gateway is an RF12demo as JeeLabs left it, without hearth mode."""
        report_s: float = 20.0
        """Seconds between the reports of a node; a real one saves its battery."""
        hold_s: float = 10.0
        """Seconds after which a room node says that nobody moves any more."""

        def __post_init__(self) -> None:
            refuse(self._faults())

        def _faults(self) -> Iterator[str]:
            if not 0 <= self.loss <= 1:
                yield f"loss {self.loss} is not between 0 and 1"
            for key in ("report_s", "hold_s"):
                if not getattr(self, key) >= 0.1:
                    yield f"{key} {getattr(self, key)} is less than 0.1 seconds"

    config: Config

    async def on_start(self) -> None:
        """Build the house, and let the power come on."""
        config = self.config
        self._house = House(
            wall=self.now(), seed=config.seed, loss=config.loss, stock=config.stock, report_s=config.report_s,
            hold_s=config.hold_s,
        )  # fmt: skip
        self._house.boot()
        self._terminal = Terminal(self._house, config.link, clock=self.clock.monotonic)

    async def main(self) -> None:
        """Run it."""
        self.log.info("simulated nodes: %d, behind %s", len(self._house.nodes), self.config.link)
        await self._terminal.run()

    @serve("{name}/move")
    async def move(self, request: Message) -> dict[str, Any]:
        """Make somebody move at a place."""
        rooms, place = self._house.rooms, request["place"]
        if not isinstance(place, str) or place not in rooms:
            raise Invalid(f"nobody can move at {place!r:.60}; places: {', '.join(rooms)}")
        rooms[place].move()
        self._terminal.wake()
        return {}

    @serve("{name}/restart")
    async def restart(self, request: Message) -> dict[str, Any]:
        """Take the power from a node and give it back."""
        nodes, node = self._house.nodes, request["node"]
        if not isinstance(node, int) or node not in nodes:
            raise Invalid(f"there is no node {node!r:.60}; nodes: {', '.join(map(str, nodes))}")
        nodes[node].boot()
        self._terminal.wake()
        return {}

    def health(self) -> dict[str, Any]:
        """Add what was on the air."""
        ether = self._house.ether
        return {**super().health(), "packets": ether.packets, "packets_lost": ether.lost}
