"""A judge as a program: what is sent, whom it is sent to, and what becomes of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dspy

from optimize.judges.judge_student import PREDICTOR, JudgeStudent
from optimize.recording.recorded import recorded
from optimize.recording.recorder import Recorder
from programs.asking.adapter import PassageFirstAdapter
from programs.judges.labels import ASKED_BY
from programs.lms.resolve import resolve
from programs.tracer import Tracer
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn

GIVEN = {"passage": "[1] Lamps drift.", "question": "Why does it drift?", "answer": "It is the lamp."}


@contextmanager
def student_of(folder: Path) -> Iterator[tuple[JudgeStudent, StandIn]]:
    with StandIn(Scientist()) as server, Recorder(folder) as recorder:
        models = [resolve(name, api_base=server.openai_base, env={}) for name in ("openai/a", "openai/b")]
        judges = {model.name: recorded(model, recorder, "judge") for model in models}
        with dspy.context(adapter=PassageFirstAdapter(), lm=judges["openai/a"].lm):
            yield JudgeStudent(Tracer().judge, judges), server
        for model in models:
            model.close()
        assert not server.surprises


def test_each_judge_is_asked_for_itself(tmp_path: Path) -> None:
    with student_of(tmp_path) as (student, server):
        assert [name for name, _ in student.named_predictors()] == [PREDICTOR]
        assert PREDICTOR in dict(Tracer().named_predictors())
        verdicts = [student(**GIVEN, judge=name).verdict for name in ("openai/a", "openai/b", "openai/a")]
        assert [one.judge for one in verdicts] == ["openai/a", "openai/b", "openai/a"]
        assert verdicts[0] == verdicts[2]
        assert [body["model"] for body in server.bodies] == ["a", "b"]
        assert [body["temperature"] for body in server.bodies] == [0.0, 0.0]
        prompt = server.bodies[0]["messages"][1]["content"]
    assert "[[ ## answer ## ]]\nIt is the lamp." in prompt
    assert ASKED_BY in prompt
    assert "## thought ##" not in prompt
    assert "None" not in prompt


def test_an_optimizer_can_ask_for_other_verdicts(tmp_path: Path) -> None:
    with student_of(tmp_path) as (student, server):
        copy = student.deepcopy()
        for rollout in (1, 2, 1):
            copy.set_lm(dspy.settings.lm.copy(rollout_id=rollout, temperature=1.0))
            copy(**GIVEN, judge="openai/b")
        assert student.judge.predict.lm is None
        sent = [(body["model"], body["temperature"]) for body in server.bodies]
        assert sent == [("b", 1.0), ("b", 1.0)]
        assert server.bodies[0]["seed"] != server.bodies[1]["seed"]
