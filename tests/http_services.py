"""Stand-ins for what speaks HTTP and is no program of Debian's: emoncms, Cosm, ThingSpeak. Each keeps what it got.

Written from their own sources and references, apart from the sinks; each is what `HttpServer(answer=...)` takes.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

from http_sink import Reply, Request


def _json(status: int, said: Any, **headers: str) -> Reply:
    return Reply(status, json.dumps(said).encode(), {"Content-Type": "application/json", **headers})


@dataclass
class EmoncmsServer:
    """`POST /input/bulk` as Modules/input/input_methods.php does it; `ahead_s` is how wrong its clock is."""

    key: str
    ahead_s: int = 0
    inputs: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict)
    """By node and input, the values by second, by its own clock."""

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return Reply(401, b"Invalid API key", {"WWW-Authenticate": 'Bearer realm="API KEY"'})
        if (request.method, request.path) != ("POST", "/emoncms/input/bulk"):
            return _json(200, {"success": False, "message": "not found"})
        try:
            rows = json.loads(request.form["data"])
        except ValueError:
            return Reply(200, b"Format error, json string supplied is not valid")
        reference = int(time.time()) + self.ahead_s - int(request.form["sentat"])
        for row in rows:
            told = self._take(reference + int(row[0]), row)
            if told:
                return _json(200, {"success": False, "message": told})
        return Reply(200, b"ok", {"Content-Type": "text/plain"})

    def _take(self, second: int, row: list[Any]) -> str:
        if isinstance(row[1], dict):
            return "Format error, node must not be an object"
        node = re.sub(r"[^\w\s.-]", "", str(row[1]))
        if node == "poison":
            return "Error: Maximum node length exceeded"
        for item in row[2:]:
            name, value = next(iter(item.items()))  # the first key only, as current() and key() have it
            if len(node) <= 16 and len(name) <= 64:
                self.inputs.setdefault((node, re.sub(r"[^\w\s.-]", "", name)), {})[second] = float(value)
        return ""


@dataclass
class CosmServer:
    """`PUT /v2/feeds/ID.json`; a datastream takes 500 datapoints a call."""

    key: str
    feed: str
    streams: dict[str, dict[str, str]] = field(default_factory=dict)
    """By datastream, the values by time."""
    current: dict[str, str] = field(default_factory=dict)

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("x-apikey") != self.key:
            return _json(401, {"title": "Unauthorized", "errors": "You do not have permission to access this resource"})
        if request.method != "PUT" or request.path != f"/v2/feeds/{self.feed}.json":
            return _json(404, {"title": "Not Found", "errors": "No route matches"})
        try:
            said = json.loads(request.body)
        except ValueError:
            return _json(400, {"title": "JSON Parser Error", "errors": "unexpected token"})
        for stream in said["datastreams"]:
            if not re.fullmatch(r"[A-Za-z0-9_.+-]+", stream["id"]) or len(stream["datapoints"]) > 500:
                return _json(422, {"title": "Unprocessable Entity", "errors": ["datastream is invalid"]})
        for stream in said["datastreams"]:
            assert isinstance(stream["current_value"], str)
            points = {point["at"]: point["value"] for point in stream["datapoints"]}
            self.streams.setdefault(stream["id"], {}).update(points)
            self.current[stream["id"]] = stream["current_value"]
        return Reply(200)


@dataclass
class ThingSpeakServer:
    """`POST /channels/ID/bulk_update.json`; a row whose time is there already is left as it was."""

    key: str
    channel: int
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By time, the fields."""

    def __call__(self, request: Request) -> Reply:
        if request.path != f"/channels/{self.channel}/bulk_update.json":
            return self._error(404, "error_resource_not_found")
        if request.method != "POST":
            return self._error(405, "error_method_invalid")
        said = json.loads(request.body)
        if said["write_api_key"] != self.key:
            return self._error(401, "error_auth_required")
        times = [update["created_at"] for update in said["updates"]]
        if len(times) > 960:
            return self._error(413, "error_request_too_large")
        if len(times) != len(set(times)) or not all(
            re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", at) for at in times
        ):
            return self._error(400, "error_bad_request")
        for update in said["updates"]:
            self.rows.setdefault(update["created_at"], {k: v for k, v in update.items() if k != "created_at"})
        return _json(202, {"success": True})

    def _error(self, status: int, code: str) -> Reply:
        said = {"status": str(status), "error": {"error_code": code, "message": "No", "details": f"key {self.key}"}}
        return _json(status, said)
