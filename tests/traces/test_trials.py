"""Invariants of the trials (`programs.traces.trials`). The blind solve measures what a question needs:

1. The solver tries each question K times without the passage and K times with it; each try has its own seed and a
   temperature above 0. Without the passage nothing of it is sent, and nothing of the trace ever is.
2. A setting is passed if at least half of its comparisons find equivalence. The two make known, needs_paper or unanswered.
3. Absent tries do not count in any rate. If they could have decided the need, it is None.
4. The variations of a question share its tries, need and difficulty. Each answer has its own comparisons, all of which
   decide together. The question is kept or rejected as a whole.
5. A question that is not kept is rejected with the reason. An undecided one waits as long as a later run could decide it.
6. If there is a short answer, no model compares: each try is asked to end with one, and rules score it.
7. The student is asked the same as the solver. Its rates are in the record and decide nothing; its replies are separate.

The step check asks a model about the steps:

8. Each accepted trace costs one more call, to the named model, about all its steps. Without the check, steps have only
   their kind and text. Each quote is the passage's text between its offsets.
9. A verdict is dropped if it names no sentence of the passage or contradicts another on the same step, and so are those of
   an unreadable reply. The step then has no verdict.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.asking.ask import Ask
from programs.asking.caller import seed_of
from programs.record_parts import RULES, StepRecord
from programs.stages.solve import SOLVE_TEMPERATURE
from programs.stages.steps import verdicts_in
from programs.traces.trials import STEP_STAGE, passed, tries_of
from programs.traces.variation import Variation
from signatures.vocabulary import Agreement, Need
from tests.builders import (
    Answers,
    blind_solve_of,
    good_output,
    one_variation,
    passage,
    reply_to,
    run_tracer,
    thought,
    unread_reply,
)

AGREEMENTS = st.lists(st.sampled_from([*get_args(Agreement), None]), min_size=1, max_size=9)


def solve_options(tries: int = 3, *keep: Need) -> dict[str, Any]:
    return {"blind_solve": tries, "solver_model": "solver", "compare_model": "comparer", "keep": list(keep)}


def comparer(right: Callable[[str, int, int], bool]) -> Any:
    """A model that finds a try equivalent if `right` holds for its setting, its number and the variation."""

    def compare(ask: Ask) -> dict[str, Any]:
        _, _, variation, tried, *_ = ask.subject
        setting, _, number = tried.partition(".")
        agreement = "equivalent" if right(setting, int(number), int(variation.partition(".")[0])) else "contradicts"
        return {"reason": "They say the same, or they do not.", "agreement": agreement}

    return compare


def test_each_question_is_tried_in_both_settings_by_the_solver() -> None:
    answers = Answers()
    variation = one_variation(answers, **solve_options(3))
    solves = [ask for ask in answers.asks if ask.stage == "solve"]
    assert len(solves) == 6
    assert {ask.model for ask in solves} == {"solver"}
    assert len({seed_of(ask.key, 0, 0) for ask in solves}) == 6
    assert SOLVE_TEMPERATURE > 0
    assert {ask.temperature for ask in solves} == {SOLVE_TEMPERATURE}
    shown = [ask.inputs.get("passage") for ask in solves]
    assert Counter(shown) == {passage().shown: 3, None: 3}
    assert {tuple(sorted(set(ask.inputs) - {"passage"})) for ask in solves} == {("asked_by", "question")}
    draft = variation.attempts[-1].draft
    assert not any(draft.answer in str(ask.inputs) for ask in solves)
    compares = [ask for ask in answers.asks if ask.stage == "compare"]
    assert [ask.model for ask in compares] == ["comparer"] * 6
    assert {ask.inputs["reference"] for ask in compares} == {draft.answer}
    assert not any("passage" in ask.inputs for ask in compares)
    found = blind_solve_of(variation)
    assert (found.solver, found.compared_by, found.temperature) == ("solver", "comparer", SOLVE_TEMPERATURE)


@pytest.mark.parametrize(
    ("with_passage", "without", "need", "difficulty"),
    [
        (4, 2, "known", 0.0),
        (0, 4, "known", 1.0),
        (2, 1, "needs_paper", 0.5),
        (3, 0, "needs_paper", 0.25),
        (1, 1, "unanswered", 0.75),
        (0, 0, "unanswered", 1.0),
    ],
)
def test_both_settings_decide_a_questions_need(with_passage: int, without: int, need: Need, difficulty: float) -> None:
    compare = comparer(lambda setting, number, _: number < (with_passage if setting == "with" else without))
    found = blind_solve_of(one_variation(Answers(compare=compare), **solve_options(4)))
    assert (found.need, found.difficulty, found.difficulty_without) == (need, difficulty, 1 - without / 4)
    assert found.with_passage.equivalent == with_passage
    assert found.without_passage.contradicts == 4 - without


@given(AGREEMENTS)
def test_a_setting_is_decided_only_when_the_absent_tries_could_not_change_it(found: list[Agreement | None]) -> None:
    at_best = [agreement or "equivalent" for agreement in found]
    at_worst = [agreement or "contradicts" for agreement in found]
    best, worst = (2 * agreements.count("equivalent") >= len(found) for agreements in (at_best, at_worst))
    assert passed(tries_of(found)) == (best if best == worst else None)


def test_failed_tries_are_absent_and_asked_again_by_a_later_run() -> None:
    def solve(ask: Ask) -> Any:
        return unread_reply() if "with.0" in ask.subject else good_output(ask)

    def compare(ask: Ask) -> Any:
        return unread_reply() if "with.1" in ask.subject else good_output(ask)

    answers = Answers(solve=solve, compare=compare)
    variation = one_variation(answers, **solve_options(3))
    found = blind_solve_of(variation)
    assert (found.with_passage.absent, found.with_passage.equivalent, found.with_passage.pass_rate) == (2, 1, 1.0)
    assert (found.need, found.difficulty) == (None, 0.0)
    assert (variation.status, variation.settled) == ("accepted", False)
    assert answers.count("compare") == 5


@pytest.mark.parametrize(
    ("right", "need", "difficulty"),
    [((0, 1, 2), "known", 0.0), ((1, 2), "known", 0.3333), ((2,), "unanswered", 0.6667)],
)
def test_all_variations_of_a_question_share_one_need(right: tuple[int, ...], need: Need, difficulty: float) -> None:
    compare = comparer(lambda _setting, _number, variation: variation in right)
    variations = run_tracer(Answers(compare=compare), **solve_options(2), variations=3).variations
    [solve, *others] = map(blind_solve_of, variations)
    assert others == [solve] * 2
    assert (solve.need, solve.difficulty, solve.variations) == (need, difficulty, [0, 1, 2])
    assert solve.with_passage.asked == solve.without_passage.asked == 6
    kept = run_tracer(Answers(compare=compare), **solve_options(2, "unanswered"), variations=3).variations
    assert len({(variation.status, str(variation.rejection)) for variation in kept}) == 1
    assert kept[0].status == ("accepted" if need == "unanswered" else "rejected")


def test_an_undecided_question_waits_while_a_later_run_could_decide_it() -> None:
    variation = one_variation(Answers(solve=lambda _ask: unread_reply()), **solve_options(2, "needs_paper"))
    assert (variation.status, variation.settled) == ("unjudged", False)
    generation = variation.record().generation
    assert generation is not None
    assert "" not in generation.models.values(), "nobody compared anything"
    assert one_variation(Answers(solve=lambda _ask: unread_reply()), **solve_options(2)).status == "accepted"


def writer(short: dict[str, Any], text: str = "The scatter is what matters here, in all likelihood.") -> Any:
    """A model whose answers have this short answer."""
    return lambda ask: {**good_output(ask), "text": text + good_output(ask)["text"], "short": short}


STUDENT = {**solve_options(2), "student_model": "student"}
CHOICE = writer({"kind": "choice", "answer": "The scatter matters.", "others": ["The lamps matter.", "Dust counts."]})


def solver_knows(ask: Ask) -> Any:
    """The solver is right with the passage. The student never is, and does not reply to its first try without it."""
    if ask.model == "student" and ask.subject[2].startswith("without.0"):
        return unread_reply()
    knows = ask.model == "solver" and "passage" in ask.inputs
    return {"text": f"I have thought about it. \\boxed{{{'The scatter matters.' if knows else 'Dust counts.'}}}"}


def test_rules_compare_if_there_is_a_short_answer() -> None:
    answers = Answers(answer=CHOICE, solve=solver_knows)
    variation = one_variation(answers, **STUDENT)
    found = blind_solve_of(variation)
    assert (found.need, found.difficulty, found.compared_by) == ("needs_paper", 0.0, RULES)
    assert found.student is not None
    assert (found.student.solver, found.student.with_passage.pass_rate) == ("student", 0.0)
    assert (found.student.without_passage.absent, found.student.without_passage.pass_rate) == (1, 0.0)
    assert answers.count("compare") == 0
    assert {name: len(replies) for name, replies in variation.last.trial_replies.items()} == {"solve": 4, "student": 4}
    asks = [ask for ask in answers.asks if ask.stage == "solve"]
    assert len({ask.key for ask in asks}) == len(asks) == 8
    assert all("(A) " in ask.inputs["ending"] and "boxed" in ask.inputs["ending"] for ask in asks)
    assert not any(variation.last.draft.answer in str(ask.inputs) for ask in asks)
    assert not variation.settled, "the student is asked again for its missing reply"


def test_without_a_short_answer_a_model_compares_for_solver_and_student() -> None:
    answers = Answers()
    found = blind_solve_of(one_variation(answers, **STUDENT))
    assert found.student is not None
    assert (found.compared_by, found.student.with_passage.pass_rate) == ("comparer", 1.0)
    assert answers.count("compare") == 8
    assert not any("ending" in ask.inputs for ask in answers.asks)


def test_the_first_short_answer_of_a_question_decides_for_all_of_its_variations() -> None:
    made = run_tracer(Answers(answer=CHOICE, solve=solver_knows), variations=3, **solve_options(2)).variations
    [solve, *others] = map(blind_solve_of, made)
    assert others == [solve] * 2
    assert solve.with_passage.asked == 2, "K tries, whatever the number of variations"


CHECK_OPTIONS: dict[str, Any] = {"check_steps": True, "check_model": "checker"}


def step_verdict(step: int, status: str = "supported", sentence: int = 2) -> dict[str, Any]:
    return {"step": step, "sentence": sentence, "reason": "It says the same.", "status": status}


def steps_of(variation: Variation) -> list[StepRecord]:
    """The steps of the variation's record, after a check of their quotes."""
    record = variation.record()
    text = record.source_paper.text
    assert text is not None
    for step in record.steps:
        assert (step.quote is None) == (step.start is None) == (step.end is None)
        assert step.quote is None or step.quote == text[step.start : step.end]
    return record.steps


def checked(items: list[dict[str, Any]]) -> Variation:
    """A variation whose steps a model checked with these verdicts."""
    answers = Answers(trace=lambda _ask: thought().model_dump(), steps=lambda _ask: {"items": items})
    return one_variation(answers, **CHECK_OPTIONS)


def test_one_call_asks_about_all_steps() -> None:
    answers = Answers()
    variation = one_variation(answers, **CHECK_OPTIONS)
    [ask] = [ask for ask in answers.asks if ask.stage == "steps"]
    assert (ask.model, ask.key) == ("checker", f"steps/{variation.key}.0/checker")
    assert set(ask.inputs) == {"passage", "steps"}
    steps = steps_of(variation)
    assert str(ask.inputs["steps"]).splitlines() == [f"{n}. {step.text}" for n, step in enumerate(steps, start=1)]
    assert {step.judged_by for step in steps} == {"stand-in"}
    generation = variation.record().generation
    assert generation is not None
    assert generation.calls == 8 + 1


def test_the_record_has_the_verdicts_of_the_model() -> None:
    said = [("no_claim", 0), ("outside", 0), ("supported", 2), ("inferred", 3), ("contradicted", 4)]
    steps = steps_of(checked([step_verdict(number, *one) for number, one in enumerate(said, start=1)]))
    assert [step.status for step in steps[:5]] == [None, "outside", "supported", "inferred", "contradicted"]
    assert {(step.judged_by, step.reason) for step in steps[:5]} == {("stand-in", "It says the same.")}
    quotes = [passage().quoted(number)["quote"] for number in (2, 3, 4)]
    assert [step.quote for step in steps[:5]] == [None, None, *quotes]
    assert all((step.status, step.judged_by, step.reason) == (None, None, None) for step in steps[5:])


@pytest.mark.parametrize(
    "items",
    [
        [step_verdict(3, "supported", 0)],
        [step_verdict(3, "supported", 5)],
        [step_verdict(3, "supported"), step_verdict(3, "contradicted")],
        [step_verdict(16)],
    ],
)
def test_an_invalid_step_verdict_is_dropped(items: list[dict[str, Any]]) -> None:
    variation = checked(items)
    assert (variation.status, variation.settled) == ("accepted", True)
    assert {step.judged_by for step in steps_of(variation)} == {None}


def test_the_problems_of_a_step_check_are_named() -> None:
    ask = STEP_STAGE.ask(passage(), ["A.", "B,\nand C."], ("n",), "m")
    assert ask.inputs["steps"] == "1. A.\n2. B, and C."
    assert reply_to(ask, {"items": [step_verdict(1), step_verdict(2, "outside", 0)]}).status == "ok"
    faulty = reply_to(ask, {"items": [step_verdict(1, "inferred", 9), step_verdict(1)]})
    assert len(faulty.problems) == 3, "no verdict on step 2, two on step 1, and no sentence 9"
    twice = reply_to(ask, {"items": [step_verdict(1), step_verdict(1)]})
    assert list(verdicts_in(twice, 2, 4)) == [1]
