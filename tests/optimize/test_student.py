"""Invariants of the program that is tuned (`optimize.program`).

1. A stage that fails is an outcome, not an error.
2. Tuned temperatures are sent, except that further variations of a trace keep the ones by which they differ. A model that
   accepts no temperature is sent none.
3. The student leaves in DSPy's trace exactly what a demonstration may show.
4. Calls that were repeated are counted in the metric `first_try`.
5. The setting decides whether the thought is written with the passage in view.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dspy
import pytest

from optimize.measure import TraceMeasure
from optimize.metrics import parse_weights
from optimize.program import Student
from optimize.recording import Recorder
from optimize.stages import ALL, TUNABLE, tunable_of
from programs.asking.caller import ReaskRules
from programs.lms.resolve import resolve
from programs.settings import TracerOptions
from programs.tracer import Tracer
from signatures.vocabulary import Setting
from tests.lab import passage
from tests.lms.asking import NO_RETRIES, USER
from tests.standin import scientist
from tests.standin.scientist import Scientist, StageRequest
from tests.standin.server import StandIn


@contextmanager
def running_student(
    folder: Path,
    brain: Scientist,
    tracer: Tracer | None = None,
    name: str = "openai/any",
    tunable: tuple[str, ...] = tunable_of(ALL),
    metric: str = "grounding",
    setting: Setting = "closed",
) -> Iterator[tuple[Student, StandIn]]:
    """Yields a student, which also judges if the metric needs that, and its server, which rejects parameters that the
    model's family does not accept."""
    recorder, on_argo = Recorder(folder), "/" not in name
    with StandIn(brain, argo_user=USER if on_argo else None) as server:
        env = {"ARGO_USER": USER, "ARGO_BASE_URL": server.url}
        base = None if on_argo else server.openai_base
        model = resolve(name, api_base=base, temperature=0.5, retry=NO_RETRIES, timeout=5.0, env=env)
        with dspy.context(lm=model.lm):
            measure = TraceMeasure(parse_weights(metric), {name: model}, ReaskRules())
            options = TracerOptions(setting=setting)
            student = Student(tracer or Tracer(), tunable, recorder, options, model.options, ReaskRules(), measure)
            yield student, server
        model.close()
    recorder.journal.close()


@pytest.mark.parametrize("stage", TUNABLE)
def test_1_a_stage_that_fails_is_an_outcome(stage: str, tmp_path: Path) -> None:
    brain = Scientist({stage: lambda _: scientist.UNREADABLE})
    with running_student(tmp_path, brain) as (student, _):
        measured = student(text=passage(1)).measured
    assert brain.request_counts[stage] == ReaskRules().max_tries
    assert (measured.metrics, measured.score.value) == ({}, 0.0)
    assert measured.score.reason.startswith(f"{stage}: ")
    assert measured.stages[stage] is not None


def tuned_tracer() -> Tracer:
    """A program with a different temperature for each stage."""
    tracer = Tracer()
    for number, (_, predictor) in enumerate(tracer.named_predictors()):
        predictor.config["temperature"] = round(0.1 * number, 1)
    return tracer


def test_2_tuned_temperatures_are_sent(tmp_path: Path) -> None:
    with running_student(tmp_path, Scientist(), tuned_tracer()) as (student, server):
        assert student(text=passage(1)).measured.metrics
    sent = {Scientist()._parse_request(body).stage: body["temperature"] for body in server.bodies}
    assert sent == {stage: round(0.1 * number, 1) for number, stage in enumerate(TUNABLE)}


def test_2_a_model_that_accepts_no_temperature_is_sent_none(tmp_path: Path) -> None:
    with running_student(tmp_path, Scientist(), tuned_tracer(), "gpto3") as (student, server):
        assert student(text=passage(1)).measured.metrics
    assert len(server.bodies) == len(TUNABLE)
    assert not any("temperature" in body for body in server.bodies)


def accepted_at_second_try(request: StageRequest) -> dict[str, Any]:
    """An answer that is rejected at the first try and accepted at the second."""
    if "[[ ## feedback ## ]]" in request.text:
        return scientist.answer(request)
    return {"text": f"As the authors of this paper say, the {request.word(1)} is dusty in table 3 (n {request.nonce})."}


def test_3_the_trace_has_what_demonstrations_may_show(tmp_path: Path) -> None:
    """The last try of each tunable predictor, as JSON, without the passage and the inputs of a re-ask; no judge's."""
    brain, tunable = Scientist({"answer": accepted_at_second_try}), ("writer.answer", "strands.critique")
    lab = running_student(tmp_path, brain, tunable=tunable, metric="judge=1,grades=1")
    with lab as (student, _), dspy.context(trace=[]):
        assert student(text=passage(1)).measured.score.value
        trace = dspy.settings.trace
    assert brain.request_counts["answer"] == 2
    assert [predictor for predictor, _, _ in trace] == [student.strands.critique, student.writer.answer]
    for predictor, inputs, outputs in trace:
        assert not {"passage", "feedback", "earlier"} & {*inputs}
        assert list(outputs) == list(predictor.signature.output_fields)
        assert json.loads(json.dumps([inputs, dict(outputs)])) == [inputs, dict(outputs)]
    assert "authors" not in trace[-1][2].answer["text"]


def test_4_repeated_calls_are_counted(tmp_path: Path) -> None:
    for name, brain, calls in (("once", Scientist(), 8), ("twice", Scientist({"answer": accepted_at_second_try}), 9)):
        with running_student(tmp_path / name, brain, metric="first_try") as (student, _):
            measured = student(text=passage(1)).measured
        assert measured.score.value == len(TUNABLE) / calls
        assert ("calls repeated: 1" in str(measured.feedback)) == (calls == 9)


@pytest.mark.parametrize("setting", ["closed", "open"])
def test_5_a_thought_sees_the_passage_in_the_open_setting_only(setting: Setting, tmp_path: Path) -> None:
    with running_student(tmp_path, Scientist(), setting=setting) as (student, server):
        assert student(text=passage(1)).measured.metrics
    [thought] = (request for body in server.bodies if (request := Scientist()._parse_request(body)).stage == "trace")
    assert (passage(1)[:40] in thought.text) == (setting == "open")
