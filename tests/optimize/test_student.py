"""Invariants of the program that is tuned (`optimize.program`).

3. A stage that gives nothing is an outcome.
5. Each option of a call reaches the LM where the model takes it, and nowhere else; the same text has the same seeds.
6. A tuned temperature is sent for every stage that has one, though further variations of a trace keep those by which they
   differ; not to a model that takes none.
7. What it leaves in DSPy's trace is what a demonstration may show.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dspy
import pytest

from optimize.program import Student
from optimize.recording import Recorder
from optimize.stages import ALL, STAGES, tunable_of
from programs.asking.adapter import PassageFirstAdapter
from programs.asking.caller import TryRules
from programs.lms.resolve import resolve
from programs.tracer import Tracer
from tests.lab import passage
from tests.lms.asking import ONCE, USER
from tests.standin import scientist
from tests.standin.scientist import Answer, Asked, Scientist
from tests.standin.server import StandIn

Run = Callable[..., dspy.Prediction]


def student(
    tracer: Tracer,
    options: frozenset[str] = frozenset({"temperature"}),
    rules: TryRules | None = None,
    until: str | None = None,
    tunable: tuple[str, ...] = tunable_of(ALL),
) -> Student:
    """A student whose recorder only watches."""
    recorder: Any = Watching()
    return Student(tracer, tunable, recorder, PassageFirstAdapter(), options, rules or TryRules(), until)


class Watching(Recorder):
    """A recorder without a journal."""

    def __init__(self) -> None:
        self.failure, self._closed = None, False


@contextmanager
def running(
    *, stages: dict[str, Answer] | None = None, tracer: Tracer | None = None, until: str | None = None, **server: Any
) -> Iterator[tuple[Run, Scientist, StandIn]]:
    """A student with its server."""
    brain = Scientist(stages or {})
    with StandIn(brain, **server) as standin:
        model = resolve("openai/any", api_base=standin.openai_base, temperature=0.5, retry=ONCE, timeout=5.0, env={})
        made = student(tracer or Tracer(), model.options, TryRules(seed=7, max_tokens=500), until)
        with dspy.context(lm=model.lm, adapter=PassageFirstAdapter()):
            yield lambda number=1: made(text=passage(number)), brain, standin
        model.close()


def bodies_by_stage(server: StandIn) -> dict[str, dict[str, Any]]:
    """The first request of every stage."""
    brain = Scientist()
    found: dict[str, dict[str, Any]] = {}
    for body in server.bodies:
        found.setdefault(brain._understand(body).stage, body)
    return found


def twice(asked: Asked) -> dict[str, Any]:
    """An answer that is taken at the second try."""
    if "[[ ## feedback ## ]]" in asked.text:
        return scientist.answer(asked)
    return {"text": f"As the authors of this paper say, the {asked.word(1)} is dusty in table 3 (n {asked.nonce})."}


def test_7_what_demonstrations_are_made_of() -> None:
    """JSON, of the tunable predictors alone: the last try, without the passage and what was wrong with another one."""
    brain = Scientist({"answer": twice})
    with StandIn(brain) as server:
        model = resolve("openai/any", api_base=server.openai_base, retry=ONCE, timeout=5.0, env={})
        made = student(Tracer(), tunable=("writer.answer", "strands.critique"))
        with dspy.context(lm=model.lm, trace=[]):
            assert made(text=passage(1)).failures == []
            trace = dspy.settings.trace
        model.close()
    assert brain.asked["answer"] == 2
    assert [predictor for predictor, _, _ in trace] == [made.strands.critique, made.writer.answer]
    for predictor, inputs, outputs in trace:
        assert not {"passage", "feedback", "earlier"} & {*inputs}
        assert list(outputs) == list(predictor.signature.output_fields)
        assert json.loads(json.dumps([inputs, dict(outputs)])) == [inputs, dict(outputs)]
    assert "authors" not in trace[-1][2].answer["text"]


def unreadable(_: Any) -> str:
    return "I would rather talk about the weather."


@pytest.mark.parametrize("stage", STAGES)
def test_3_a_stage_that_gives_nothing_is_an_outcome(stage: str) -> None:
    with running(stages={stage: unreadable}) as (run, brain, _):
        prediction = run()
    assert brain.asked[stage] == TryRules().limit
    assert not any(unit.status == "accepted" for unit in prediction.variations)
    assert [failure.stage for failure in prediction.failures] == [stage]
    assert prediction.asked[stage].reply.status == "unread"


def tuned() -> Tracer:
    """A program with a temperature for each stage."""
    tracer = Tracer()
    for number, (_, predictor) in enumerate(tracer.named_predictors()):
        predictor.config["temperature"] = round(0.1 * number, 1)
    return tracer


def test_6_tuned_temperatures_are_sent() -> None:
    with running(tracer=tuned()) as (run, _, server):
        prediction = run()
    heat = {stage: body["temperature"] for stage, body in bodies_by_stage(server).items()}
    assert heat == {stage: round(0.1 * number, 1) for number, stage in enumerate(STAGES)}
    assert {stage: asked.reply.temperature for stage, asked in prediction.asked.items()} == heat


def test_6_nor_to_a_model_that_takes_none() -> None:
    # The stand-in refuses what this family does not take.
    with StandIn(Scientist(), argo_user=USER) as server:
        model = resolve("gpto3", env={"ARGO_USER": USER, "ARGO_BASE_URL": server.url}, retry=ONCE, timeout=5.0)
        with dspy.context(lm=model.lm, adapter=PassageFirstAdapter()):
            prediction = student(tuned(), model.options)(text=passage(1))
        model.close()
    assert prediction.failures == []
    assert [unit.status for unit in prediction.variations] == ["accepted"]
    assert len(server.bodies) == len(STAGES)
    assert all(asked.reply.temperature is None for asked in prediction.asked.values())
