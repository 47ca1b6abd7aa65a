"""Invariants of `optimize.stages.stage_score`.

1. A score lies in 0-1. It is 0 only if no try was accepted, or if the accepted output is degenerate or has no text.
2. A first try fails if it is unreadable, truncated or rejected by its check, and also if it is accepted but one of its
   texts, or all together, repeat themselves. Half of the score depends on the first try.
3. An unusable question scores 0.
4. The score depends on the stage's purpose: evidence must name sentences that exist.
"""

from typing import Any

import dspy
import pytest

from optimize.measure import passage_of
from optimize.stages import TUNABLE, Asked, stage_score
from programs.asking.ask import Ask
from programs.asking.reply import RejectedTry, Reply
from programs.background_loop import run_in_background
from programs.settings import TracerOptions
from tests.builders import TEXT, Answers, good_output, sample, tracer


def prediction(answers: Answers | None = None, text: str = TEXT) -> dspy.Prediction:
    """The prediction of a `Student` for a text, with these answers of its stages."""
    answers, replies = answers or Answers(), dict[str, Asked]()

    async def answer(ask: Ask) -> Reply:
        reply = answers.reply(ask)
        replies[ask.stage] = Asked(ask, reply)
        return reply

    outcome = run_in_background(tracer().generate(sample(text), TracerOptions(), answer))
    failures = [outcome.failure] if outcome.failure else []
    failures += [variation.failure for variation in outcome.variations if variation.failure]
    return dspy.Prediction(asked=replies, variations=outcome.variations, failures=failures)


GOOD_REPLIES: dict[str, Asked] = prediction().asked


def stage_reply(
    stage: str, *, status: Any = "ok", problems: tuple[str, ...] = (), rejected: tuple[str, ...] = (), **output: Any
) -> Asked:
    """A stage's reply after `rejected` tries: a good output, in which the fields of `output` are replaced."""
    ask = GOOD_REPLIES[stage].ask
    rejected_tries = [RejectedTry(problems=[why]) for why in rejected]
    reply = None if status == "unread" else {**good_output(ask), **output}
    return Asked(ask, Reply(status=status, output=reply, problems=list(problems), rejected=rejected_tries))


SAME = "The scatter between exposures grows towards fainter targets at night."


def score(found: Asked) -> float:
    value = stage_score(found, passage_of(prediction())).value
    assert value is not None
    return value


@pytest.mark.parametrize("stage", TUNABLE)
def test_1_and_2_half_of_the_score_is_for_the_first_try_and_without_an_accepted_one_it_is_0(stage: str) -> None:
    assert stage_reply(stage).first_failure is None
    assert score(stage_reply(stage)) > 0.7
    late = stage_reply(stage, rejected=("no JSON", "cut off"))
    assert late.first_failure == "no JSON"
    assert score(late) == pytest.approx(score(stage_reply(stage)) - 0.5)
    for status in ("unread", "unusable"):
        assert score(stage_reply(stage, status=status)) == 0.0
        assert stage_reply(stage, status=status).first_failure == status


def test_1_outputs_without_prose() -> None:
    assert score(stage_reply("critique", strengths=[], weaknesses=[], alternative="42")) == 0.5
    assert score(stage_reply("critique", alternative='{"a": 1, "b": [2, 3]}')) == 0.0


@pytest.mark.parametrize(
    "output", [{"alternative": f"{SAME} " * 4}, dict.fromkeys(("strengths", "weaknesses"), [SAME] * 3)]
)
def test_2_texts_that_repeat_themselves_or_each_other_fail(output: dict[str, Any]) -> None:
    found = stage_reply("critique", **output)
    assert "of its 4-grams repeat" in str(found.first_failure)
    assert score(found) == 0.0


def test_3_an_unusable_question_scores_0() -> None:
    bad = stage_reply("questions", question="What does the paper say?")
    unusable = {"status": "unusable", "problems": ["leans on its source"]}
    found = Asked(bad.ask, bad.reply.model_copy(update=unusable))
    assert found.first_failure == "leans on its source"
    assert score(found) == 0.0


def test_4_sentences_that_do_not_exist_lower_the_score() -> None:
    def evidence_from(*numbers: int) -> Asked:
        items = [{"sentence": n, "claim": f"States what number {n} holds.", "bearing": "supports"} for n in numbers]
        return stage_reply("evidence", items=items)

    assert evidence_from(1, 9, 4, 12).missing_sentences == [9, 12]
    scores = [score(evidence_from(*numbers)) for numbers in ((1, 2), (1, 9), (8, 9))]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3
