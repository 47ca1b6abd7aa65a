"""Traces against a real collector on this machine.

1. A trace is a text: in it stands each stage with its key in the journal, in that each call with prompt, reply and tokens;
   a call that fails says so.
2. `--no-trace-content` sends no word of passage, prompt or reply. No key, token or username is ever sent.
3. A collector that is away, refuses or hangs costs no trace of the data and is told once.
4. Without the extra, or with credentials in the address, it is one line and exit code 2.
5. Synchronous calls, as optimizers make them, are traced alike.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import dspy
import pytest

from programs.lms.resolve import resolve
from programs.telemetry.tracing import TraceOptions, traced
from programs.tracer import load_tracer
from tests.lab import KEY, Lab, called, laboratory, passage
from tests.standin.collector import Arrived, Collector
from tests.standin.faults import FaultPlan
from tests.test_cli import mistake

TEXTS = 4
CALLS = 8
"""Of each text."""


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.3")


def said(span: Arrived, which: str) -> str:
    messages = json.loads(span.facts[f"gen_ai.{which}.messages"])
    return "\n".join(part["content"] for message in messages for part in message["parts"])


def test_a_trace_is_a_text_with_its_stages_and_their_calls(lab: Lab) -> None:
    with Collector() as collector:
        done = called(*lab.arguments(), "--trace-to", collector.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(collector.paths) == {"/v1/traces"}
    spans = {span.id: span for span in collector.spans}
    texts = [span for span in collector.spans if not span.parent]
    assert {span.facts["synthreasoner.sample"] for span in texts} == {line["key"] for line in lab.lines("sample")}
    assert Counter(span.trace for span in collector.spans) == {text.trace: 1 + 2 * CALLS for text in texts}
    calls = collector.named("chat ")
    assert len(calls) == lab.calls == TEXTS * CALLS
    stages = [spans[call.parent] for call in calls]
    assert {stage.facts["synthreasoner.key"] for stage in stages} == {line["key"] for line in lab.lines("stage")}
    assert all(spans[stage.parent] in texts for stage in stages)
    assert {"questions", "trace", "answer"} <= {stage.name for stage in stages}


def test_a_call_has_its_prompt_its_reply_and_what_it_cost(lab: Lab) -> None:
    with Collector() as collector:
        called(*lab.arguments(max_traces=1), "--trace-to", f"{collector.url}/v1/traces")
    replies = {json.dumps(line["reply"]["output"], sort_keys=True) for line in lab.lines("stage")}
    call = collector.named("chat ")[-1]
    assert call.name == "chat any"
    assert call.facts["gen_ai.provider.name"] == "openai"
    assert call.facts["gen_ai.request.max_tokens"] == 4096
    assert call.facts["gen_ai.usage.input_tokens"] > 0
    assert call.facts["gen_ai.usage.output_tokens"] > 0
    assert all("spectroscopic" in said(span, "input") for span in collector.named("chat "))
    [reply] = json.loads(said(call, "output")).values()
    assert json.dumps(reply, sort_keys=True) in replies


def test_what_fails_says_so(tmp_path: Path) -> None:
    faults = FaultPlan(share=0.0, script=["500", None, "prose"])
    with laboratory(tmp_path, texts=2, faults=faults, base={"concurrency": 1}) as lab, Collector() as collector:
        assert called(*lab.arguments(), "--trace-to", collector.url).returncode == 0
    faulty = [span.facts["synthreasoner.faults"] for span in collector.spans if "synthreasoner.faults" in span.facts]
    assert ["500: 1"] in faulty
    assert {span.facts.get("error.type") for span in collector.spans if span.error is not None} == {"NotAsAsked"}


def test_without_content_no_word_of_it_is_sent(tmp_path: Path) -> None:
    faults = FaultPlan(share=0.0, script=["prose"])
    with laboratory(tmp_path, faults=faults) as lab, Collector() as collector:
        done = called(*lab.arguments(grade_answers=True), "--trace-to", collector.url, "--no-trace-content")
        assert done.returncode == 0
        sent = b"".join(collector.bodies)
        replies = [line["reply"]["output"] for line in lab.lines("stage")]
    assert collector.named("chat ")
    assert b"gen_ai.usage.output_tokens" in sent
    for word in (b"spectroscopic", b"messages", replies[-1].get("answer", "no such").encode(), b"[[ ##"):
        assert word not in sent


def test_no_credential_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20for-the-collector")
    with laboratory(tmp_path, api_key=KEY) as lab, Collector() as collector:
        assert called(*lab.arguments(), "--trace-to", collector.url).returncode == 0
        assert collector.spans
        assert KEY.encode() not in b"".join(collector.bodies)
        assert {headers["authorization"] for headers in collector.headers} == {"Bearer for-the-collector"}
        written = lab.everything_written()
        assert b"for-the-collector" not in written
        assert KEY.encode() not in written


@pytest.mark.parametrize("trouble", ["away", "refuses", "hangs"])
def test_a_collector_in_trouble_costs_no_data_and_is_told(lab: Lab, trouble: str) -> None:
    with Collector(status=404 if trouble == "refuses" else 200, hanging=trouble == "hangs") as collector:
        url = "http://127.0.0.1:9" if trouble == "away" else collector.url
        done = called(*lab.arguments(), "--trace-to", url)
    assert done.returncode == 0, done.stderr
    assert len(lab.units) == TEXTS
    first, last = done.stderr.splitlines()
    assert f"--trace-to: {url}/v1/traces takes no traces, and the run goes on: " in first
    assert "404" in first or trouble != "refuses"
    assert f"at least {TEXTS * (1 + 2 * CALLS)} spans did not arrive" in last


def test_without_the_extra_it_says_what_to_install(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "programs.telemetry.spans", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    line = mistake(called(*lab.arguments(), "--trace-to", "http://localhost:4318"))
    assert "synthreasoner[tracing]" in line
    assert lab.calls == 0
    assert called(*lab.arguments()).returncode == 0


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://me:secret@localhost:4318", "OTEL_EXPORTER_OTLP_HEADERS"),
        ("localhost:4318", "http://localhost:4318"),
        ("grpc://host", "an address"),
    ],
)
def test_an_address_that_cannot_be(lab: Lab, address: str, why: str) -> None:
    line = mistake(called(*lab.arguments(), "--trace-to", address))
    assert "--trace-to" in line
    assert why in line
    assert "secret" not in line


def test_synchronous_calls_are_traced_too(lab: Lab) -> None:
    model = resolve("openai/any", api_base=lab.server.openai_base)
    with Collector() as collector, traced(TraceOptions(trace_to=collector.url)), dspy.context(lm=model.lm):
        load_tracer()(text=passage(1), traces=1)
        model.close()
    assert len(collector.named("chat ")) == CALLS
    [program] = [span for span in collector.spans if not span.parent]
    assert program.name == "Tracer"
    assert {span.trace for span in collector.spans} == {program.trace}
