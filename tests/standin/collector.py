"""A server that takes OpenTelemetry's traces over HTTP, as collectors do.

    with Collector() as collector:
        ...                                   # --trace-to collector.url
    collector.spans                           # what arrived

`status` is what it answers with; while `hanging` it answers nothing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Arrived:
    """A span as it arrived. `parent` is "" for the first of a trace."""

    name: str
    trace: str
    id: str
    parent: str
    facts: dict[str, Any]
    error: str | None


@dataclass
class Collector:
    status: int = 200
    hanging: bool = False
    spans: list[Arrived] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def __enter__(self) -> Collector:
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def named(self, start: str) -> list[Arrived]:
        """The spans whose names begin so."""
        return [span for span in self.spans if span.name.startswith(start)]

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.paths.append(path)
        self.headers.append(headers)
        self.bodies.append(body)
        if self.hanging:
            self._released.wait(60)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.spans += [_arrived(span) for scope in resource.scope_spans for span in scope.spans]


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take(self.path, dict(self.headers), body)
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def _arrived(span: Any) -> Arrived:
    facts = {item.key: _value(item.value) for item in span.attributes}
    error = span.status.message if span.status.code == 2 else None
    return Arrived(span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), facts, error)


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    found = getattr(value, kind)
    return [_value(item) for item in found.values] if kind == "array_value" else found
