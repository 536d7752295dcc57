"""The simulated house: which nodes hang where, and who sets off which.

A row is a node. Pure: `House.run` is given the time; `House.board` is the gateway with its bytes.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from services.jeenode.twin.board import Board
from services.jeenode.twin.ether import Ether
from services.jeenode.twin.nodes import LedNode, OnewireNode, RoomNode
from services.jeenode.twin.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.jeenode.twin.node import Node

LEDS: Final = {"kitchen": 2, "hall": 3}
"""Node ids of the LED strips, by their place."""
ROOMS: Final = {"kitchen": 5, "hall": 6, "living": 7}
ONEWIRE: Final = {"cellar": 8}
FLOW_WARMER: Final = (34.0, 26.0)
"""By how many degrees each sensor of the heating pipe is warmer than its cellar."""
_LOOK_S: Final = 1.0
"""How often the person's whereabouts are looked at."""


class House:
    """A house with its nodes, its gateway and the person who walks through it.

    Args:
        wall: seconds since 1970 UTC when its time, which counts from 0, begins.
        seed: another seed is another day.
        loss: part of the packets that a listener does not get.
        stock: whether the gateway is an RF12demo as JeeLabs left it.
        report_s: seconds between the reports of a node.
        hold_s: seconds after which a room node ends motion.
        inhabited: whether somebody walks about by themselves.
    """

    def __init__(
        self,
        *,
        wall: float = 0.0,
        seed: int = 1,
        loss: float = 0.0,
        stock: bool = False,
        report_s: float = 60.0,
        hold_s: float = 30.0,
        inhabited: bool = True,
    ) -> None:
        self.ether = Ether(Random(seed), loss=loss)  # noqa: S311 - back-offs are no secret
        self.world = World(seed)
        self.board = Board(self.ether, stock=stock)
        self._wall = wall
        self.leds = {place: LedNode(self.ether, node) for place, node in LEDS.items()}
        self.rooms = {
            place: RoomNode(
                self.ether, node, world=self.world, place=place, wall=self.wall, report_s=report_s, hold_s=hold_s,
                lamp=self._lamp(place),
            )
            for place, node in ROOMS.items()
        }  # fmt: skip
        self.onewire = {
            place: OnewireNode(
                self.ether, node, world=self.world, wall=self.wall, warmer=FLOW_WARMER, report_s=report_s
            )
            for place, node in ONEWIRE.items()
        }
        if inhabited:
            self._walk()

    @property
    def nodes(self) -> dict[int, Node]:
        """Every node, by its id."""
        found: tuple[Node, ...] = (*self.leds.values(), *self.rooms.values(), *self.onewire.values())
        return {node.node: node for node in found}

    def boot(self) -> None:
        """Power comes on in the whole house; the nodes start some tenths of a second apart."""
        for at, node in enumerate(self.nodes.values(), 1):
            self.ether.after(0.3 * at, node.boot)

    def run(self, until: float) -> None:
        """Let time pass up to `until`, seconds from 0."""
        self.ether.run(until)

    def due(self) -> float | None:
        """Return when something happens next."""
        return self.ether.due()

    def opened(self) -> None:
        """Somebody has opened the gateway's port, which resets it, as the DTR line of a real adapter does."""
        self.board.boot()

    def write(self, data: bytes) -> None:
        """Give the gateway what a program has written."""
        self.board.write(data)

    def read(self) -> bytes:
        """Return what the gateway has said since the last time."""
        return self.board.read()

    def wall(self, at: float) -> float:
        """Return the time of day of a moment: seconds since 1970 UTC."""
        return self._wall + at

    def _walk(self) -> None:
        place = self.world.whereabouts(at=self.wall(self.ether.now))
        if place in self.rooms:
            self.rooms[place].move()
        self.ether.after(_LOOK_S, self._walk)

    def _lamp(self, place: str) -> Callable[[], float]:
        """Return what tells how bright a place's strip burns, 0..1, for the light sensor beside it."""
        led = self.leds.get(place)
        return lambda: 0.0 if led is None else sum(led.colour()) / 765
