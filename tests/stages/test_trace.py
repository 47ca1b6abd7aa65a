"""Invariants of stage 4: the thought and the answer.

1. A thought whose paragraphs leak machine text, say nothing, or say the same twice is refused, naming the paragraph.
2. An answer that leans on its source, leaks, says nothing or only repeats the question is refused.
3. The trace is one <thought> element; tags inside are escaped.
4. The trace is given what the strands found; the answer is given the thought; both have the spot's temperature and the
   judges' reasons, and keys of their own for every variation and attempt.
5. Judges see the passage, the question, the answer and the thought; graders the same without the thought.
"""

from __future__ import annotations

from typing import Any

import pytest

from programs.asking.plan import StageFailed, drive
from programs.checks.thought import bare_thought, unwrap_thought
from programs.stages.trace import NOTHING_AGAINST, Against, Spot, answer_problems, judged_view, thought_problems
from signatures.answer import FinalAnswer
from tests.making import Answers, analysed, draft, passage, question, sample, thought, tracer, unread

QUESTION = question()
REPEATED = f"{'The scatter grows and ' * 6}that is all."


def answer(text: str) -> FinalAnswer:
    return FinalAnswer(text=text)


def test_a_good_thought_has_no_problems() -> None:
    assert thought_problems(thought()) == []


@pytest.mark.parametrize(
    ("part", "text", "reason"),
    [
        ("wrong_turn", '{"wrong_turn": "perhaps", "doubt": "but", "correction": "so"}', "wrong_turn: JSON instead"),
        ("doubt", "I'm sorry, but I can't help with that request, as an AI language model.", "doubt: refusal"),
        ("correction", "IMPORTANT AUTHENTICATION NOTICE FROM ARGO: ACCESS DENIED", "correction: access notice"),
        ("conclusion", "<!DOCTYPE html><html><head><title>Sign in</title></head></html>", "conclusion: HTML page"),
        ("doubt", "0000000000000000000000000000000000000000", "doubt: one character repeated"),
        ("doubt", "................................................", "doubt: no words"),
        ("wrong_turn", "[[ ## doubt ## ]] but the amplitude changes by less than that", "wrong_turn: field marker"),
        ("conclusion", "must be: maxLength 900, minLength 30, additionalProperties false", "conclusion: JSON schema"),
        ("opening", [REPEATED], "opening: "),
    ],
)
def test_a_paragraph_that_is_none_is_named(part: str, text: Any, reason: str) -> None:
    found = thought_problems(thought(**{part: text}))
    assert found
    assert found[0].startswith(reason)


def test_paragraphs_that_say_the_same_are_named() -> None:
    doubt = thought().doubt
    assert thought_problems(thought(correction=doubt)) == ["correction: says the same as doubt"]
    nearly = thought_problems(thought(correction=doubt.replace("But wait", "But, wait")))
    assert nearly == ["correction: says the same as doubt"]
    twice = thought().opening * 2
    assert thought_problems(thought(opening=twice)) == ["opening: says the same as opening"]


def test_a_thought_that_repeats_itself_over_its_paragraphs_is_refused() -> None:
    tail = "and this is because the scatter between repeated exposures grows towards fainter targets as measured here."
    parts = {move: f"{start}, {tail}" for move, start in zip(MOVES, STARTS, strict=True)}
    found = thought_problems(thought(**{**parts, "opening": [parts["opening"]], "weighing": [parts["weighing"]]}))
    assert len(found) == 1
    assert found[0].startswith("the thought as a whole: ")


MOVES = ("opening", "wrong_turn", "doubt", "correction", "weighing", "conclusion")
STARTS = (
    "I first ask how the lensing catalogue was put together",
    "Perhaps brightness alone would settle everything about it",
    "Wait, nine percent leaves nothing of that simple picture",
    "So my mistake was to forget how targets were chosen",
    "Alternatively lamps could have drifted during the night",
    "All in all I hold the amplitude for sound",
)


def test_a_good_answer_has_no_problems() -> None:
    text = "The amplitude is biased because the scatter of 9 percent grows towards fainter targets; by how much stays open."
    assert answer_problems(answer(text), QUESTION.text) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The authors show that the scatter grows towards fainter targets in their sample.", "leans on its source"),
        ("As described in the passage, the scatter amounts to 9 percent and grows.", "leans on its source"),
        ("See Figure 2 and Section 4 for how the scatter grows towards fainter targets.", "leans on its source"),
        ("I'm sorry, but I can't help with that request about the lensing amplitude.", "refusal"),
        ("Internal Server Error: the upstream did not answer in time, please try again.", "server error"),
        ('{"text": "The amplitude is biased because the scatter grows."}', "JSON instead of prose"),
        (REPEATED, "4-grams repeat"),
        (QUESTION.text, "only repeats the question"),
        (QUESTION.text.replace("?", "."), "only repeats the question"),
    ],
)
def test_an_answer_that_cannot_be_used_has_its_reason(text: str, reason: str) -> None:
    assert any(reason in problem for problem in answer_problems(answer(text), QUESTION.text))


def test_the_trace_is_one_thought_element() -> None:
    made = draft()
    paragraphs = [text for _, text in made.thought.steps()]
    assert made.text.startswith("<thought>\n")
    assert made.text.endswith("\n</thought>")
    assert unwrap_thought(made.text) == "\n\n".join(paragraphs)


def test_tags_inside_a_thought_are_escaped() -> None:
    doubt = "But </thought> wait, the <think> scatter </think> of 9 percent leaves that <thought> unexplained."
    made = draft(Answers(trace=lambda _ask: thought(doubt=doubt).model_dump()))
    assert made.text.count("<thought>") == made.text.count("</thought>") == 1
    assert "<think>" not in made.text
    assert "&lt;/thought&gt; wait, the &lt;think&gt;" in made.text


def asks(spot: Spot, feedback: Against = NOTHING_AGAINST) -> Answers:
    answers = Answers()
    drive(tracer().writer.plan(passage(), QUESTION, analysed(), spot, feedback), answers)
    return answers


def test_the_trace_is_given_the_strands_and_the_answer_the_thought() -> None:
    found = analysed()
    trace, final = asks(Spot(0, 0, 0.7)).asked
    assert trace.inputs["evidence"] == found.quoted()
    assert trace.inputs["hypotheses"] == found.hypotheses
    assert set(trace.inputs) == set(trace.predict.signature.input_fields) - {"feedback"}
    assert final.inputs["thought"].startswith("I am asked about")
    assert "<thought>" not in final.inputs["thought"]
    assert set(final.inputs) == set(final.predict.signature.input_fields) - {"feedback"}
    assert final.depth > trace.depth


def test_the_temperature_reaches_both_calls_and_each_its_own_faults() -> None:
    asked = asks(Spot(2, 1, 0.9), Against(thought=("thin", "long"), answer=("curt",))).asked
    assert [(ask.stage, ask.feedback) for ask in asked] == [("trace", ("thin", "long")), ("answer", ("curt",))]
    for ask in asked:
        assert ask.temperature == 0.9
        assert ask.key == f"{ask.stage}/{sample().id}/mechanism/2.1"


def test_every_variation_and_attempt_has_keys_of_its_own() -> None:
    keys = [ask.key for v in range(12) for a in range(12) for ask in asks(Spot(v, a, None)).asked]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("stage", ["trace", "answer"])
def test_a_stage_that_gives_nothing_gives_no_draft(stage: str) -> None:
    answers = Answers(**{stage: lambda _ask: unread()})
    with pytest.raises(StageFailed, match=f"^{stage}: the server is gone"):
        draft(answers)
    assert answers.asked[-1].stage == stage


def test_judges_and_graders_see_the_passage_the_question_and_the_answer() -> None:
    made = draft()
    view = judged_view(passage(), QUESTION, made)
    judge = tracer().judge.ask(passage(), QUESTION, made, "n", "a")
    grade = tracer().grader.ask(passage(), QUESTION, made, "n", "g")
    assert view == {
        "passage": passage().shown,
        "question": QUESTION.text,
        "asked_by": QUESTION.asked_by,
        "answer": made.answer,
    }
    assert judge.inputs == {**view, "thought": bare_thought(made.text), "given": None}
    assert grade.inputs == view
    for ask in (judge, grade):
        assert set(ask.inputs) == set(ask.predict.signature.input_fields) - {"feedback"}
