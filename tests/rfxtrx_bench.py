"""The RFXtrx service on a bus in memory, with a stick that does what the test says: no port, no radio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from drivers.bits import CodecError
from drivers.rfxtrx import codec
from drivers.rfxtrx.transmissions import Fate, Outcome
from hearthbus import Invalid
from services.rfxtrx import RFXtrx

if TYPE_CHECKING:
    import pytest

    from drivers.rfxtrx.packet import Packet
    from hearthbus.testing import Bench


class Stick:
    """Stands for `services.rfxtrx.stick.Stick`."""

    def __init__(self, name: str, settings: Any, *, log: Any, heard: Any, changed: Any) -> None:
        del name, log
        self.settings = settings
        self.heard = heard
        self.changed = changed
        self.sent: list[tuple[Packet, int]] = []
        self.fates: list[Outcome] = []
        """What becomes of the next transmissions; then all is well."""
        self.gate = asyncio.Event()
        self.gate.set()
        self.protocols = frozenset({"ac", "oregon"})
        self.saved = 0
        self.frame = b""
        self.status = "online"
        self.reason = ""

    def how(self) -> dict[str, Any]:
        """Say how it is."""
        reason = {"reason": self.reason} if self.reason else {}
        return {"status": self.status, "port": self.settings.port, "protocols": sorted(self.protocols), **reason}

    def figures(self) -> dict[str, int]:
        """Say what it counted."""
        return {"packets": 1}

    async def run(self) -> None:
        """Be there."""
        await asyncio.get_running_loop().create_future()

    tick = run

    async def send(self, frame: bytes, *rest: bytes, repeats: int = 1) -> Outcome:
        """Transmit when the gate is open."""
        del rest
        await self.gate.wait()
        try:
            self.sent.append((codec.decode(frame), repeats))
        except CodecError as error:
            raise Invalid(str(error)) from None
        return self.fates.pop(0) if self.fates else Outcome(fate=Fate.SENT)

    async def set_protocols(self, names: list[str]) -> frozenset[str]:
        """Listen to others."""
        self.protocols = frozenset(names)
        return self.protocols

    async def save_protocols(self) -> None:
        """Remember."""
        self.saved += 1

    async def refresh(self) -> None:
        """Be asked."""


async def start(bench: Bench, monkeypatch: pytest.MonkeyPatch, **config: Any) -> tuple[RFXtrx, Stick]:
    """Run the service on a bench, and return it and its stick."""
    monkeypatch.setattr("services.rfxtrx.Stick", Stick)
    service = await bench.run(RFXtrx, "rfxtrx", port="/dev/nowhere", **config)
    stick: Any = service._stick
    return service, stick


def packet(name: str, subtype: int = 0, **fields: Any) -> Packet:
    """Return a packet of plain fields."""
    return codec.from_plain({"packet": name, "subtype": subtype, **fields})


async def kill(bench: Bench) -> None:
    """End the service without the test."""
    for task in [task for task in bench._services if task.get_name() == "rfxtrx"]:
        bench._services.discard(task)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
