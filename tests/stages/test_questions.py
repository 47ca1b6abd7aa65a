"""Invariants of stage 1: a question of each type, checked, in an order that the text fixes.

1. The order is fixed by the text's hash and the seed alone; each of the seven types leads 10 to 19 per cent of 700 texts.
2. A pool holds at most one question a type, the first usable one over all tries, and why the others were not taken.
3. A question that leans on its source, names nothing of its passage, leaks machine text, says nothing, or asks what an
   earlier one asks is rejected with the reason.
4. With six usable questions nothing is asked again; with fewer, the reasons go back for the types that are missing.
5. Text is one line; who asks and at which level is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from programs.asking.ask import Ask
from programs.asking.reply import Rejected, Reply
from programs.inputs.sample import content_id
from programs.rejection import Reason, Rejection
from programs.stages.questions import QuestionPool, problems_of, type_order
from signatures.question_type import QUESTION_TYPES
from signatures.questions import LEANS
from signatures.vocabulary import ASKING
from tests.making import TEXT, answered, good_output, passage, sample, tracer

STAGE = tracer().questions
ASK: Ask = STAGE.ask(passage(), "closed", 0)
GOOD: dict[str, Any] = good_output(ASK)


def output(**replaced: Any) -> dict[str, Any]:
    """A set of questions with some of them replaced: by another text, or by another draft."""
    changes = {k: v if isinstance(v, dict) else {**GOOD[k], "question": v} for k, v in replaced.items()}
    return {**GOOD, **changes}


def pool(*outputs: dict[str, Any]) -> QuestionPool:
    """The pool of a reply in which all but the last were rejected."""
    rejected = [Rejected(output=each, problems=["no"]) for each in outputs[:-1]]
    return STAGE.pool(passage(), Reply(status="ok", output=outputs[-1], rejected=rejected), 0)


def problems(*outputs: dict[str, Any]) -> list[str]:
    return ASK.check([ASK.read(each) for each in outputs])


@pytest.mark.parametrize("seed", [0, 1, 2, 42])
def test_every_type_leads_equally_often(seed: int) -> None:
    leads = Counter(type_order(content_id(f"Text number {number}."), seed)[0] for number in range(700))
    assert set(leads) == set(QUESTION_TYPES)
    assert all(70 <= count <= 133 for count in leads.values()), leads


def test_known_orders_do_not_change() -> None:
    order = ["application", "comparison", "interpretation", "limitation", "clarification", "mechanism", "critical"]
    assert type_order("0123456789abcdef", 0) == order


def test_the_first_usable_question_of_each_type_is_taken() -> None:
    second = {kind: {**draft, "question": f"{draft['question']} And elsewhere?"} for kind, draft in GOOD.items()}
    first = output(critical="How do the authors justify the choice of exposures made in this study?")
    taken = {question.type: question.text for question in pool(first, second).questions}
    assert taken.pop("critical") == second["critical"]["question"]
    assert taken == {kind: draft["question"] for kind, draft in GOOD.items() if kind != "critical"}


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("What does Figure 3 show about the amplitude of the lensing signal?", Reason.LEANS, "leans on its source"),
        ('What follows from {"properties": {"a": 1}} for the amplitude?', Reason.FORM, "JSON schema"),
        ("I'm sorry, but I can't write a question about that passage today.", Reason.NOTHING_ASKED, "refusal"),
        ("why why why why why why why why why why", Reason.NOTHING_ASKED, "one word repeated"),
        ("????????????????????????", Reason.FORM, "no words"),
        ("Can you explain this a little further, please?", Reason.OFF_SUBJECT, "names nothing of it"),
        ("How do trees survive a long winter on a northern slope?", Reason.OFF_SUBJECT, "names nothing of it"),
    ],
)
def test_a_question_that_is_none_is_rejected(text: str, kind: Reason, reason: str) -> None:
    (rejected,) = pool(output(critical=text)).rejected
    assert rejected.type == "critical"
    assert rejected.rejection.reason == kind
    assert rejected.rejection.detail == "; ".join(why for _, why in problems_of(text, TEXT))
    assert reason in rejected.rejection.detail


def test_a_question_that_repeats_an_earlier_one_is_rejected() -> None:
    first = "Why does the scatter between repeated exposures grow towards fainter targets?"
    again = "Explain why the scatter between repeated exposures grows towards fainter targets."
    found = pool(output(clarification=first, mechanism=again))
    (rejected,) = found.rejected
    assert rejected.rejection == Rejection(reason=Reason.SAME_QUESTION, detail=f"asks the same as: {first}")
    assert rejected.type == "mechanism"


BAD = "What do the authors say about it in this study of theirs?"


@pytest.mark.parametrize(("bad", "asked_again"), [(0, False), (1, False), (2, True), (7, True)])
def test_six_are_enough(bad: int, asked_again: bool) -> None:
    kinds = list(GOOD)[:bad]
    found = problems(output(**dict.fromkeys(kinds, BAD)))
    assert bool(found) == asked_again
    if asked_again:
        assert [problem.split(":")[0] for problem in found] == kinds
        assert all("leans on its source" in problem for problem in found)


def test_tries_add_up() -> None:
    one, other = output(critical=BAD, mechanism=BAD), output(clarification=BAD, limitation=BAD)
    assert problems(one)
    assert problems(one, other) == []
    assert problems(one, one) == [], "asked once more, then what there is has to do"
    bare, other = (output(**dict.fromkeys(QUESTION_TYPES, said)) for said in (BAD, "?" * 24))
    assert len(problems(bare, other)) == len(QUESTION_TYPES)
    assert "critical: no words" in problems(bare, other), "with nothing usable the newest reasons go back"


def test_the_stage_is_told_what_an_answer_will_have_and_which_way_questions_lean() -> None:
    drawn = {name: ASK.inputs[name] for name in ("lean", "lengths")}
    assert ASK.inputs == {"passage": passage().shown, "given": ASKING["closed"], **drawn}
    assert STAGE.ask(passage(), "open", 0).inputs["given"] == ASKING["open"]
    leans = Counter(STAGE.ask(passage(f"Text {number}. {TEXT}"), "closed", 0).inputs["lean"] for number in range(200))
    assert set(leans) == set(LEANS)
    assert min(leans.values()) >= 30
    assert ASK.key == f"questions/{sample().id}"
    assert answered(ASK, GOOD).status == "ok"


def test_questions_are_told_to_be_of_every_length() -> None:
    told = [str(STAGE.ask(passage(f"Text {number}. {TEXT}"), "closed", 0).inputs["lengths"]) for number in range(60)]
    found = [re.findall(r"(\w+): about (\d+) words", each) for each in told]
    assert all([kind for kind, _ in each] == list(QUESTION_TYPES) for each in found)
    words = sorted(int(number) for each in found for _, number in each)
    assert (words[0], words[-1]) == (20, 100)
    assert 35 <= words[len(words) // 2] <= 55
