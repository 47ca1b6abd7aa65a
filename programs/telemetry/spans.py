"""Spans of OpenTelemetry for DSPy's modules and LMs, by DSPy's callbacks.

Attributes follow OpenTelemetry's conventions for generative AI (`gen_ai.*`), which MLflow, Phoenix and others show as a
conversation with its tokens; `synthreasoner.*` are our own. Needs the extra `tracing`.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dspy
from dspy.utils.callback import ACTIVE_CALL_ID, BaseCallback
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context

from programs.asking.ask import asked
from programs.lms.dspy_errors import backend_error
from programs.lms.meter import current_meter
from programs.lms.redaction import excerpt, secrets_in
from programs.versions import own_version

QUEUE = 1024
"""Finished spans that may wait; more are lost, so that a server which is slow costs neither time nor memory."""

BATCH = 64
"""Spans of one request: each may hold a passage twice, and collectors refuse bodies of some 20 MB."""

TIMEOUT = 3.0
"""Seconds for one request, unless OTEL_EXPORTER_OTLP_TIMEOUT says otherwise."""


class Spans(BaseCallback):
    """Makes a span of every text, module and call, and sends them to `endpoint`. Close it when done."""

    def __init__(self, endpoint: str, *, content: bool) -> None:
        self._content = content
        self._secrets = secrets_in(os.environ)
        self._open: dict[str, Span] = {}
        # What the environment says wins (OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, OTEL_BSP_..., OTEL_EXPORTER_OTLP_...).
        name = os.environ.get("OTEL_SERVICE_NAME", "synthreasoner")
        resource = Resource.create({"service.name": name, "service.version": own_version() or "checkout"})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._sender = SpanSender(
            OTLPSpanExporter(endpoint, timeout=_unless("OTEL_EXPORTER_OTLP_TIMEOUT", TIMEOUT)), endpoint
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._sender,
                max_queue_size=_unless("OTEL_BSP_MAX_QUEUE_SIZE", QUEUE),
                max_export_batch_size=_unless("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", BATCH),
            )
        )
        self._tracer = self._provider.get_tracer("synthreasoner")

    def close(self) -> None:
        """Sends what is left."""
        self._sender.closing = True
        self._provider.shutdown()
        self._sender.told()

    @contextmanager
    def text(self, sample: str) -> Iterator[None]:
        """The span of a text, for what is asked inside."""
        with self._tracer.start_as_current_span("text", attributes={"synthreasoner.sample": sample}):
            yield

    def on_module_start(self, call_id: str, instance: Any, inputs: Any) -> None:  # noqa: ARG002
        ask = asked.get() if isinstance(instance, dspy.Predict) else None
        if ask is None:
            self._begin(call_id, type(instance).__name__, SpanKind.INTERNAL, {})
            return
        facts = {"synthreasoner.stage": ask.account, "synthreasoner.key": ask.key}
        self._begin(call_id, ask.account, SpanKind.INTERNAL, facts)

    def on_module_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:  # noqa: ARG002
        self._end(call_id, {}, exception)

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
        self._begin(call_id, f"chat {model or provider}", SpanKind.CLIENT, facts)

    def on_lm_end(self, call_id: str, outputs: Any | None, exception: BaseException | None = None) -> None:
        meter = current_meter()
        facts: dict[str, Any] = {
            "gen_ai.usage.input_tokens": meter.prompt_tokens or None,
            "gen_ai.usage.output_tokens": meter.completion_tokens or None,
            "synthreasoner.requests": meter.attempts or None,
            "synthreasoner.faults": [f"{kind}: {count}" for kind, count in meter.faults.items()] or None,
        }
        if self._content and isinstance(outputs, list):
            facts["gen_ai.output.messages"] = _messages(("assistant", _text(output)) for output in outputs)
        self._end(call_id, facts, exception)

    def _begin(self, call_id: str, name: str, kind: SpanKind, facts: Mapping[str, Any]) -> None:
        around = self._open.get(ACTIVE_CALL_ID.get() or "")
        context = None if around is None else set_span_in_context(around)
        self._open[call_id] = self._tracer.start_span(name, context=context, kind=kind, attributes=_known(facts))

    def _end(self, call_id: str, facts: Mapping[str, Any], exception: BaseException | None) -> None:
        span = self._open.pop(call_id)
        span.set_attributes(_known(facts))
        if exception is not None:
            error = backend_error(exception) or exception
            span.set_attribute("error.type", type(error).__name__)
            # What is said of a reply, or by a server of a prompt, may repeat its words.
            said = excerpt(str(error), self._secrets) if self._content else type(error).__name__
            span.set_status(StatusCode.ERROR, said)
        span.end()


def _unless(variable: str, value: Any) -> Any:
    """The value, or None where a variable of OpenTelemetry's own says it."""
    return None if os.environ.get(variable) else value


def _known(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


def _messages(said: Iterator[tuple[str, Any]] | Sequence[tuple[str, Any]]) -> str:
    return json.dumps(
        [{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in said],
        ensure_ascii=False,
        default=str,
    )


def _text(output: Any) -> str:
    return str(output.get("text") if isinstance(output, dict) else output)


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
