"""Sending spans without ever getting into the way of what is traced."""

import logging
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from programs.lms.redaction import excerpt

log = logging.getLogger("synthreasoner")


class SpanSender(SpanExporter):
    """Hands spans to an exporter; that they do not arrive is logged once, with the reason, and at the end their number.

    Set `closing` before the end: what is left is then tried only as long as the server takes it.
    """

    def __init__(self, exporter: SpanExporter, endpoint: str) -> None:
        self.closing = False
        self._exporter = exporter
        self._endpoint = endpoint
        self._failing = False
        self._lost = 0
        # Its own loggers say at every failure, at length, what is said here once.
        self._said = _FirstWords()
        self._theirs = logging.getLogger("opentelemetry")
        self._theirs.addHandler(self._said)
        self._theirs.propagate = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        hopeless = self.closing and self._failing
        result = SpanExportResult.FAILURE if hopeless else self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._failing = False
            return result
        if not self._lost:
            log.warning("--trace-to: %s takes no traces, and the run goes on: %s", self._endpoint, self._said.text)
        self._failing = True
        self._lost += len(spans)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()
        self._theirs.removeHandler(self._said)
        self._theirs.propagate = True

    def told(self) -> None:
        """Logs how many spans did not arrive."""
        if self._lost or self._said.text:
            log.warning("--trace-to: at least %d spans did not arrive at %s", self._lost, self._endpoint)


class _FirstWords(logging.Handler):
    """Keeps what was said first: what follows is less to the point."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = self.text or excerpt(record.getMessage())
