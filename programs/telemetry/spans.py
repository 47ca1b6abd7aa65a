"""Spans of OpenTelemetry: for texts and stages where they are told of, for DSPy's modules and LMs by its callbacks.

Needs the extra `tracing`; `programs.telemetry.tracing` loads it when it is asked for.
"""

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dspy
from dspy.utils.callback import BaseCallback
from opentelemetry import context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context

from programs.lms.failures import backend_error
from programs.lms.meter import current_meter
from programs.redaction import excerpt, secrets_in
from programs.versions import own_version

DEFAULTS = {
    "OTEL_SERVICE_NAME": "synthreasoner",
    # Finished spans that may wait; more are lost, so that a server which is slow costs neither time nor memory.
    "OTEL_BSP_MAX_QUEUE_SIZE": "1024",
    # Each span may hold a passage twice, and collectors refuse bodies of some 20 MB.
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "64",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
}
"""OpenTelemetry's own variables, where the environment does not say otherwise."""

log = logging.getLogger("synthreasoner")


class Spans(BaseCallback):
    """Makes a span of every text, stage, module and call, and sends them to `endpoint`. Close it when done."""

    def __init__(self, endpoint: str, *, content: bool) -> None:
        self._content = content
        self._secrets = secrets_in(os.environ)
        self._open: dict[str, tuple[Span, Any]] = {}
        os.environ.update({name: value for name, value in DEFAULTS.items() if not os.environ.get(name)})
        resource = Resource.create({"service.version": own_version() or "checkout"})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._sender = SpanSender(endpoint)
        self._provider.add_span_processor(BatchSpanProcessor(self._sender))
        self._tracer = self._provider.get_tracer("synthreasoner")

    def close(self) -> None:
        """Sends what is left, as long as the server takes it."""
        self._sender.closing = True
        self._provider.shutdown()

    @contextmanager
    def span(self, name: str, facts: Mapping[str, str]) -> Iterator[None]:
        """A span around what is asked inside."""
        opened = self._begin(name, {f"synthreasoner.{fact}": facts[fact] for fact in facts})
        try:
            yield
        except BaseException as error:
            self._end(opened, {}, error)
            raise
        self._end(opened, {}, None)

    def on_module_start(self, call_id: str, instance: Any, inputs: Any) -> None:  # noqa: ARG002
        # A predictor's span is its stage's.
        if not isinstance(instance, dspy.Predict):
            self._open[call_id] = self._begin(type(instance).__name__, {})

    def on_module_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:  # noqa: ARG002
        if call_id in self._open:
            self._end(self._open.pop(call_id), {}, exception)

    def on_lm_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        provider, _, model = str(instance.model).replace("/", ":", 1).partition(":")
        given = {**instance.kwargs, **(inputs.get("options") or inputs.get("kwargs") or {})}
        facts = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model or provider,
            **{f"gen_ai.request.{name}": given.get(name) for name in ("temperature", "max_tokens", "seed")},
        }
        if self._content:
            messages = inputs.get("messages") or [{"role": "user", "content": inputs.get("prompt")}]
            facts["gen_ai.input.messages"] = _messages((said["role"], said["content"]) for said in messages)
        self._open[call_id] = self._begin(f"chat {model or provider}", facts, SpanKind.CLIENT)

    def on_lm_end(self, call_id: str, outputs: Any | None, exception: BaseException | None = None) -> None:
        meter = current_meter()
        facts: dict[str, Any] = {
            "gen_ai.usage.input_tokens": meter.prompt_tokens or None,
            "gen_ai.usage.output_tokens": meter.completion_tokens or None,
            "synthreasoner.requests": meter.attempts or None,
            "synthreasoner.faults": [f"{kind}: {count}" for kind, count in meter.faults.items()] or None,
        }
        if self._content and isinstance(outputs, list):
            texts = [output.get("text") if isinstance(output, dict) else output for output in outputs]
            facts["gen_ai.output.messages"] = _messages(("assistant", str(text)) for text in texts)
        self._end(self._open.pop(call_id), facts, exception)

    def _begin(self, name: str, facts: Mapping[str, Any], kind: SpanKind = SpanKind.INTERNAL) -> tuple[Span, Any]:
        span = self._tracer.start_span(name, kind=kind, attributes=_known(facts))
        return span, context.attach(set_span_in_context(span))

    def _end(self, opened: tuple[Span, Any], facts: Mapping[str, Any], exception: BaseException | None) -> None:
        span, token = opened
        context.detach(token)
        span.set_attributes(_known(facts))
        if exception is not None:
            error = backend_error(exception) or exception
            span.set_attribute("error.type", type(error).__name__)
            # What is said of a reply, or by a server of a prompt, may repeat its words.
            said = excerpt(str(error), self._secrets) if self._content else type(error).__name__
            span.set_status(StatusCode.ERROR, said)
        span.end()


def _known(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


def _messages(said: Iterable[tuple[str, Any]]) -> str:
    messages = [{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in said]
    return json.dumps(messages, ensure_ascii=False, default=str)


class SpanSender(OTLPSpanExporter):
    """Logs once that spans do not arrive, with the reason, and at the end their number. Once `closing`, it gives up at the
    first failure."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.closing = self._failing = False
        self._address, self._lost = endpoint, 0
        # Its own loggers say at every failure, at length, what is said here once.
        self._said = _FirstWords(logging.WARNING)
        self._theirs = logging.getLogger("opentelemetry")
        self._theirs.addHandler(self._said)
        self._theirs.propagate = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        hopeless = self.closing and self._failing
        result = SpanExportResult.FAILURE if hopeless else super().export(spans)
        self._failing = result is not SpanExportResult.SUCCESS
        if self._failing and not self._lost:
            log.warning("--trace-to: %s takes no traces, and the run goes on: %s", self._address, self._said.text)
        self._lost += len(spans) if self._failing else 0
        return result

    def shutdown(self) -> None:
        super().shutdown()  # type: ignore[no-untyped-call]
        self._theirs.removeHandler(self._said)
        self._theirs.propagate = True
        if self._lost or self._said.text:
            log.warning("--trace-to: at least %d spans did not arrive at %s", self._lost, self._address)


class _FirstWords(logging.Handler):
    """Keeps what was said first: what follows is less to the point."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = self.text or excerpt(record.getMessage())
