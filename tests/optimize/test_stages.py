"""Invariants of `optimize.stages.stage_score`.

1. A score lies in 0-1. It is 0 only where no try was taken, or where what was taken is degenerate or holds no text.
2. A first try failed that could not be read, was cut off, or broke its check; also one that was taken and repeats itself:
   a text by itself, or the texts together. Half of the score is the first try's.
3. A question that is of no use is worth nothing.
4. What a stage is for counts: sentences that exist.
"""

from typing import Any

import dspy
import pytest

from optimize.measure import passage_of
from optimize.stages import STAGES, Asked, stage_score
from programs.asking.ask import Ask
from programs.asking.reply import Rejected, Reply
from programs.background_loop import run
from programs.settings import TracerOptions
from tests.making import TEXT, Answers, good_output, sample, tracer


def prediction(answers: Answers | None = None, text: str = TEXT) -> dspy.Prediction:
    """What a `Student` gives for a text whose stages are answered so."""
    answers, kept = answers or Answers(), dict[str, Asked]()

    async def answer(ask: Ask) -> Reply:
        reply = answers.reply(ask)
        kept[ask.stage] = Asked(ask, reply)
        return reply

    made = run(tracer().generate(sample(text), TracerOptions(), answer))
    failures = [made.failure] if made.failure else []
    failures += [variation.failure for variation in made.variations if variation.failure]
    return dspy.Prediction(asked=kept, variations=made.variations, failures=failures)


ASKED: dict[str, Asked] = prediction().asked


def asked(
    stage: str, *, status: Any = "ok", problems: tuple[str, ...] = (), rejected: tuple[str, ...] = (), **output: Any
) -> Asked:
    """A stage that replied with the fields of `output` (without any: what the scientist says), after rejected tries."""
    ask = ASKED[stage].ask
    tries = [Rejected(problems=[why]) for why in rejected]
    said = None if status == "unread" else {**good_output(ask), **output}
    return Asked(ask, Reply(status=status, output=said, problems=list(problems), rejected=tries))


SAME = "The scatter between exposures grows towards fainter targets at night."


def score(found: Asked) -> float:
    value = stage_score(found, passage_of(prediction())).value
    assert value is not None
    return value


@pytest.mark.parametrize("stage", STAGES)
def test_1_and_2_half_of_the_score_is_the_first_trys_and_0_where_no_try_was_taken(stage: str) -> None:
    assert asked(stage).first_failure is None
    assert score(asked(stage)) > 0.7
    late = asked(stage, rejected=("no JSON", "cut off"))
    assert late.first_failure == "no JSON"
    assert score(late) == pytest.approx(score(asked(stage)) - 0.5)
    for status in ("unread", "unusable"):
        assert score(asked(stage, status=status)) == 0.0
        assert asked(stage, status=status).first_failure == status


def test_1_what_holds_no_prose() -> None:
    assert score(asked("critique", strengths=[], weaknesses=[], alternative="42")) == 0.5
    assert score(asked("critique", alternative='{"a": 1, "b": [2, 3]}')) == 0.0


@pytest.mark.parametrize(
    "output", [{"alternative": f"{SAME} " * 4}, dict.fromkeys(("strengths", "weaknesses"), [SAME] * 3)]
)
def test_2_texts_that_repeat_themselves_or_each_other_fail(output: dict[str, Any]) -> None:
    found = asked("critique", **output)
    assert "of its 4-grams repeat" in str(found.first_failure)
    assert score(found) == 0.0


def test_3_a_question_of_no_use_is_worth_nothing() -> None:
    bad = asked("questions", question="What does the paper say?")
    unusable = {"status": "unusable", "problems": ["leans on its source"]}
    found = Asked(bad.ask, bad.reply.model_copy(update=unusable))
    assert found.first_failure == "leans on its source"
    assert score(found) == 0.0


def test_4_sentences_that_do_not_exist_count() -> None:
    def chosen(*numbers: int) -> Asked:
        items = [{"sentence": n, "claim": f"States what number {n} holds.", "bearing": "supports"} for n in numbers]
        return asked("evidence", items=items)

    assert chosen(1, 9, 4, 12).missing_sentences == [9, 12]
    scores = [score(chosen(*numbers)) for numbers in ((1, 2), (1, 9), (8, 9))]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3
