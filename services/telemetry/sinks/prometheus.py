"""The table of a page for Prometheus: it comes and reads, nothing is sent.

Knows what it may say; the page is `prometheus_board`, its names `prometheus_names`, and who serves it
`prometheus_exporter`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from services.telemetry.settings import Patterns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.telemetry.sinks.prometheus_exporter import Exporter

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PREFIX: Final = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class PrometheusSettings(Patterns):
    """Which values are shown, and where."""

    host: str = "127.0.0.1"
    """Address to listen on; "0.0.0.0" shows every value to whoever reaches this machine."""
    port: int = 7680
    """Its port; the page is http://HOST:PORT/metrics."""
    prefix: str = "hearthbus"
    """What every name begins with."""
    series: int = 5000
    """Values shown, at most; what goes beyond is counted."""

    def faults(self) -> Iterator[str]:
        """Add what is wrong with the address and the numbers."""
        yield from super().faults()
        if not self.host:
            yield 'host is empty; "0.0.0.0" stands for every address of this machine'
        if not 1 <= self.port <= 65535:
            yield f"port {self.port} is not within 1 to 65535"
        if not _PREFIX.fullmatch(self.prefix):
            yield f"prefix {self.prefix!r} is not made of a-z 0-9 _, or begins with a digit"
        if not 1 <= self.series <= 100_000:
            yield f"series {self.series} is not within 1 to 100000"

    @property
    def public(self) -> bool:
        """Whether others than this machine can read it."""
        return self.host not in LOOPBACK

    def exporter(self, name: str) -> Exporter:
        """Make what shows the values; it listens while it runs."""
        from services.telemetry.sinks.prometheus_exporter import Exporter

        return Exporter(name, self)
