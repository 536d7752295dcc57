"""The nodes of the house as the gateway meets them: room, strip of LEDs, 1-wire.

Pure: an `Ether` gives them time and chance, a `World` what they measure. What they have in common is in `node`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.rf12 import hearth
from services.jeenode.twin.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.jeenode.twin.ether import Ether
    from services.jeenode.twin.world import Air, World

BATTERY_MV: Final = 2985


class RoomNode(Node):
    """PIR, light, temperature, humidity, battery.

    Args:
        place: where it hangs, in the `World`.
        report_s: seconds between its reports.
        hold_s: seconds without an edge of the PIR after which motion has ended.
        wall: gives the time of day of a moment of the ether.
        lamp: gives how bright the light beside it burns, 0..1.
    """

    def __init__(
        self, ether: Ether, node: int, *, world: World, place: str, wall: Callable[[float], float],
        report_s: float = 60.0, hold_s: float = 30.0, lamp: Callable[[], float] = lambda: 0.0,
    ) -> None:  # fmt: skip
        super().__init__(ether, node, hearth.NodeKind.ROOM, report_s=report_s, hold_s=hold_s)
        self.place = place
        self.moving = False
        self.motions: list[tuple[bool, float]] = []
        """What it has told: began or ended, and when on the ether's clock."""
        self._world, self._wall, self._lamp = world, wall, lamp
        self._edge = 0.0

    def boot(self) -> None:
        """Power comes on: announce, report, and then in its rhythm."""
        self.moving = False
        super().boot()
        self.ether.after(1.0, self.report)
        self.every(lambda: self.report_s, self.report)

    def move(self) -> None:
        """The PIR sees somebody."""
        self._edge = self.ether.now
        if self.on and not self.moving:
            self._motion(began=True)
            self.ether.after(self.hold_s, self._look)

    def report(self) -> None:
        """Say what it measures."""
        air = self._air()
        self.say(
            lambda sequence: hearth.Room(
                sender=self.node, sequence=sequence, motion=self.moving, temperature=air.temperature,
                humidity=air.humidity, light=air.light, battery_mv=BATTERY_MV, given_up=self.given_up,
            ),
            ack=False,
        )  # fmt: skip

    def _look(self) -> None:
        """End the motion when nothing has moved for the hold time."""
        left = self._edge + self.hold_s - self.ether.now
        if left > 0:
            self.ether.after(left, self._look)
        elif self.on and self.moving:
            self._motion(began=False)

    def _motion(self, *, began: bool) -> None:
        self.moving = began
        self.motions.append((began, self.ether.now))
        light = self._air().light
        self.say(
            lambda sequence: hearth.Motion(
                sender=self.node, sequence=sequence, motion=began, light=light, battery_mv=BATTERY_MV,
                given_up=self.given_up,
            ),
            ack=True,
        )  # fmt: skip

    def _air(self) -> Air:
        return self._world.air(self.place, at=self._wall(self.ether.now), lamp=self._lamp())


class LedNode(Node):
    """A strip of red, green and blue LEDs."""

    def __init__(self, ether: Ether, node: int) -> None:
        super().__init__(ether, node, hearth.NodeKind.LED)
        self.orders: list[hearth.Light] = []
        """What it has acted on, in order."""
        self._from = (0.0, 0.0, 0.0)
        self._since = 0.0

    def colour(self) -> tuple[float, float, float]:
        """Return what burns now, each 0..255 and linear; a fade is under way until its time is over."""
        if not self.orders or not self.on:
            return (0.0, 0.0, 0.0)
        order = self.orders[-1]
        part = 1.0 if order.fade_s == 0 else min(1.0, (self.ether.now - self._since) / order.fade_s)
        target = (order.red, order.green, order.blue)
        red, green, blue = (
            old + (new * order.brightness / 255 - old) * part for old, new in zip(self._from, target, strict=True)
        )
        return red, green, blue

    def act(self, payload: hearth.AnyPayload) -> hearth.AckCode:
        """Begin a fade."""
        if not isinstance(payload, hearth.Light):
            return hearth.AckCode.UNKNOWN
        if payload.effect not in set(hearth.Effect):
            return hearth.AckCode.BAD_VALUE
        self._from, self._since = self.colour(), self.ether.now
        self.orders.append(payload)
        return hearth.AckCode.DONE


class OnewireNode(Node):
    """Two DS18B20 on a heating pipe, flow and return.

    Args:
        wall: gives the time of day of a moment of the ether.
        warmer: by how many degrees each sensor is warmer than the cellar.
        report_s: seconds between its reports.
    """

    def __init__(
        self,
        ether: Ether,
        node: int,
        *,
        world: World,
        wall: Callable[[float], float],
        warmer: tuple[float, ...],
        report_s: float = 60.0,
    ) -> None:
        super().__init__(ether, node, hearth.NodeKind.ONEWIRE, report_s=report_s)
        self._world, self._wall, self._warmer = world, wall, warmer

    def boot(self) -> None:
        """Power comes on."""
        super().boot()
        self.ether.after(1.0, self.report)
        self.every(lambda: self.report_s, self.report)

    def report(self) -> None:
        """Say how warm each is."""
        cellar = self._world.air("cellar", at=self._wall(self.ether.now)).temperature
        for index, warmer in enumerate(self._warmer):
            self._tell(index, round(cellar + warmer, 2))

    def _tell(self, index: int, temperature: float) -> None:
        self.say(
            lambda sequence: hearth.Temperature(
                sender=self.node, sequence=sequence, index=index, temperature=temperature, battery_mv=BATTERY_MV
            ),
            ack=False,
        )
