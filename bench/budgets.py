"""The budgets hearthbus is held against, as a table, and the verdict on one figure. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bench.figures import number


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A limit on one figure: `at_least` or `at_most`, one of the two."""

    what: str
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    def limit(self) -> str:
        """Write the limit."""
        if self.at_least is not None:
            return f">= {self.at_least:g} {self.unit}".rstrip()
        return f"<= {self.at_most:g} {self.unit}".rstrip()

    def met(self, value: float) -> bool:
        """Whether `value` keeps it; NaN, which was not measured, does not."""
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most


BUDGETS = {
    "throughput/nats": Budget(what="throughput beside NATS", unit="x", at_least=1.5),
    "throughput/redis": Budget(what="throughput beside Redis", unit="x", at_least=1.5),
    "throughput/mosquitto": Budget(what="throughput beside Mosquitto", unit="x", at_least=5),
    "throughput/zenoh": Budget(what="throughput beside Zenoh", unit="x", at_least=0.7),
    "latency/p50": Budget(what="latency p50 beside the best of NATS and Redis", unit="x", at_most=1.5),
    "latency/p99": Budget(what="latency p99 beside the best of NATS and Redis", unit="x", at_most=1.2),
    "broker/cpu": Budget(what="broker CPU for a message", unit="µs", at_most=4),
    "broker/rss": Budget(what="broker memory when idle (RSS)", unit="MB", at_most=30),
    "broker/stall": Budget(what="broker growth under one stalled subscriber (RSS)", unit="MB", at_most=64),
    "service/private": Budget(what="a plain service, private memory", unit="MB", at_most=14),
    "house/private": Budget(what="all default services in one process, private memory", unit="MB", at_most=60),
    "start/help": Budget(what="`hearthbus --help`", unit="s", at_most=0.15),
    "start/online": Budget(what="service start to online", unit="s", at_most=0.6),
    "motion/p99": Budget(what="motion line in to light command out, host side, p99", unit="ms", at_most=20),
    "rfxtrx/decode": Budget(what="RFXtrx frames decoded a second on one core", unit="/s", at_least=50_000),
    "telemetry/points": Budget(what="telemetry into InfluxDB's lines", unit="/s", at_least=20_000),
    "telemetry/drain": Budget(what="telemetry: a day of 50 sensors at 10 s, sent", unit="s", at_most=60),
    "house/cpu": Budget(what="idle CPU of the whole house", unit="% of a core", at_most=1),
}


def verdict(name: str, value: float) -> list[str]:
    """Return the row (what, measured, budget, verdict) of one figure."""
    budget = BUDGETS[name]
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return [budget.what, "not measured", budget.limit(), "-"]
    measured = f"{number(value)} {budget.unit}"
    return [budget.what, measured, budget.limit(), "kept" if budget.met(value) else "**missed**"]
