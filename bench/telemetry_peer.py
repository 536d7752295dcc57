"""`python -m bench.telemetry_peer URL POINTS`: write so many points with influxdb-client; print seconds and memory.

As its users do: a `Point` a value, lists of 5,000 written at once. The points are made as they are written, and nothing
is read from a bus, nothing kept for a server that is away.
"""

from __future__ import annotations

import json
import resource
import sys
import time

from bench.telemetry_house import SENSORS, values


def main() -> None:
    """Write."""
    from influxdb_client import InfluxDBClient, Point
    from influxdb_client.client.write_api import SYNCHRONOUS

    url, count = sys.argv[1], int(sys.argv[2])
    rounds = count // SENSORS
    measured = [values(rounds, sensor) for sensor in range(SENSORS)]
    begun = time.perf_counter()
    with InfluxDBClient(url=url, token="none", org="home") as client, client.write_api(SYNCHRONOUS) as api:
        batch = []
        for number in range(rounds):
            at = 1_767_225_600_000_000_000 + number * 10_000_000_000
            for sensor in range(SENSORS):
                point = Point("temperature").tag("kind", "sensor").tag("place", f"room{sensor:02d}")
                batch.append(point.field("value", measured[sensor][number]).time(at))
            if len(batch) >= 5000:
                api.write("house", record=batch)
                batch = []
        if batch:
            api.write("house", record=batch)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "mb": peak}))


if __name__ == "__main__":
    main()
