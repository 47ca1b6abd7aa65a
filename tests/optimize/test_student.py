"""Invariants of the program that is tuned (`optimize.program`).

1. A stage that gives nothing is an outcome.
2. A tuned temperature is sent for every stage that has one, though further variations of a trace keep those by which they
   differ; not to a model that takes none.
3. What it leaves in DSPy's trace is what a demonstration may show.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dspy
import pytest

from optimize.program import Student
from optimize.recording import Recorder
from optimize.stages import ALL, STAGES, tunable_of
from programs.asking.caller import ReaskRules
from programs.lms.resolve import resolve
from programs.tracer import Tracer
from tests.lab import passage
from tests.lms.asking import ONCE, USER
from tests.standin import scientist
from tests.standin.scientist import Asked, Scientist
from tests.standin.server import StandIn


@contextmanager
def running(
    folder: Path,
    brain: Scientist,
    tracer: Tracer | None = None,
    name: str = "openai/any",
    tunable: tuple[str, ...] = tunable_of(ALL),
) -> Iterator[tuple[Student, StandIn]]:
    """A student of the model, with its server, which refuses what a model of the family does not take."""
    recorder, of_argo = Recorder(folder), "/" not in name
    with StandIn(brain, argo_user=USER if of_argo else None) as server:
        env = {"ARGO_USER": USER, "ARGO_BASE_URL": server.url}
        base = None if of_argo else server.openai_base
        model = resolve(name, api_base=base, temperature=0.5, retry=ONCE, timeout=5.0, env=env)
        with dspy.context(lm=model.lm):
            yield Student(tracer or Tracer(), tunable, recorder, model.options, ReaskRules()), server
        model.close()
    recorder.journal.close()


@pytest.mark.parametrize("stage", STAGES)
def test_1_a_stage_that_gives_nothing_is_an_outcome(stage: str, tmp_path: Path) -> None:
    brain = Scientist({stage: lambda _: scientist.UNREADABLE})
    with running(tmp_path, brain) as (student, _):
        prediction = student(text=passage(1))
    assert brain.asked[stage] == ReaskRules().limit
    assert not any(unit.status == "accepted" for unit in prediction.variations)
    assert [failure.stage for failure in prediction.failures] == [stage]
    assert prediction.asked[stage].reply.status == "unread"


def tuned() -> Tracer:
    """A program with a temperature for each stage."""
    tracer = Tracer()
    for number, (_, predictor) in enumerate(tracer.named_predictors()):
        predictor.config["temperature"] = round(0.1 * number, 1)
    return tracer


def test_2_tuned_temperatures_are_sent(tmp_path: Path) -> None:
    with running(tmp_path, Scientist(), tuned()) as (student, server):
        prediction = student(text=passage(1))
    sent = {Scientist()._understand(body).stage: body["temperature"] for body in server.bodies}
    assert sent == {stage: round(0.1 * number, 1) for number, stage in enumerate(STAGES)}
    assert {stage: asked.reply.temperature for stage, asked in prediction.asked.items()} == sent


def test_2_nor_to_a_model_that_takes_none(tmp_path: Path) -> None:
    with running(tmp_path, Scientist(), tuned(), "gpto3") as (student, server):
        prediction = student(text=passage(1))
    assert prediction.failures == []
    assert [unit.status for unit in prediction.variations] == ["accepted"]
    assert len(server.bodies) == len(STAGES)
    assert all(asked.reply.temperature is None for asked in prediction.asked.values())


def twice(asked: Asked) -> dict[str, Any]:
    """An answer that is taken at the second try."""
    if "[[ ## feedback ## ]]" in asked.text:
        return scientist.answer(asked)
    return {"text": f"As the authors of this paper say, the {asked.word(1)} is dusty in table 3 (n {asked.nonce})."}


def test_3_what_demonstrations_are_made_of(tmp_path: Path) -> None:
    """JSON, of the tunable predictors alone: the last try, without the passage and what was wrong with another one."""
    brain, tunable = Scientist({"answer": twice}), ("writer.answer", "strands.critique")
    with running(tmp_path, brain, tunable=tunable) as (student, _), dspy.context(trace=[]):
        assert student(text=passage(1)).failures == []
        trace = dspy.settings.trace
    assert brain.asked["answer"] == 2
    assert [predictor for predictor, _, _ in trace] == [student.strands.critique, student.writer.answer]
    for predictor, inputs, outputs in trace:
        assert not {"passage", "feedback", "earlier"} & {*inputs}
        assert list(outputs) == list(predictor.signature.output_fields)
        assert json.loads(json.dumps([inputs, dict(outputs)])) == [inputs, dict(outputs)]
    assert "authors" not in trace[-1][2].answer["text"]
