"""Traces of what a command asks of models, sent while it runs to a server that takes OpenTelemetry's OTLP over HTTP: a
collector, Jaeger, Phoenix, Langfuse, MLflow from 3.6 on.

A trace is a text; in it stands each stage, and in that each call of a model, with prompt and reply. Attributes follow
OpenTelemetry's conventions for generative AI (`gen_ai.*`); `synthreasoner.*` are our own.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator

from programs.errors import UserError

if TYPE_CHECKING:
    from programs.telemetry.spans import Spans

_spans: ContextVar["Spans | None"] = ContextVar("spans", default=None)


class TraceOptions(BaseModel):
    """Options of commands that call models."""

    trace_to: str | None = Field(
        None,
        description="send OpenTelemetry traces to this OTLP/HTTP address, such as http://localhost:4318; passages, prompts "
        "and replies go there too",
    )
    trace_content: bool = Field(True, description="--no-trace-content: traces without passages, prompts and replies")

    @field_validator("trace_to")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "http://none")
        if parts.username is not None or parts.password is not None:
            raise ValueError("put credentials into OTEL_EXPORTER_OTLP_HEADERS instead of the address")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address such as http://localhost:4318")
        return value


@contextlib.contextmanager
def traced(options: TraceOptions) -> Iterator[None]:
    """Inside, calls of models are traced where the options ask for it. Raises `UserError` without the extra `tracing`.

    A server that is away costs the command nothing while it runs and at most a few seconds at its end; that traces were
    lost is logged.
    """
    if options.trace_to is None:
        yield
        return
    try:
        from programs.telemetry.spans import Spans
    except ImportError:
        raise UserError("--trace-to needs OpenTelemetry: pip install 'synthreasoner[tracing]'") from None
    import dspy

    parts = urlsplit(options.trace_to)
    # An address without a path means the usual one, as for OTEL_EXPORTER_OTLP_ENDPOINT.
    endpoint = options.trace_to if parts.path.strip("/") else parts._replace(path="/v1/traces").geturl()
    spans = Spans(endpoint, content=options.trace_content)
    token = _spans.set(spans)
    try:
        with dspy.context(callbacks=[*dspy.settings.callbacks, spans]):
            yield
    finally:
        _spans.reset(token)
        spans.close()


def span(name: str, **facts: str) -> contextlib.AbstractContextManager[None]:
    """Inside, what is asked belongs to this text or stage; the first is a trace of its own."""
    spans = _spans.get()
    return contextlib.nullcontext() if spans is None else spans.span(name, facts)
