"""Invariants of the trials (`programs.traces.trials`). Of the blind solve, which measures what a question needs:

1. Each question is tried K times without the passage and K times with it, by the solver; each try has a seed of its own and
   a temperature above 0. Without the passage nothing of it is sent, and never anything of the trace.
2. A setting is passed with at least half of its comparisons; known, needs_paper and unanswered follow from the two.
3. Absent tries count nowhere: they move no rate, and where they could have decided, the need is None.
4. The variations of a question share its tries, its need and its difficulty; each answer has its own comparisons, and the
   question is decided over all of them. It is kept or turned down as a whole.
5. What is not kept is rejected with the reason; an undecided one waits while a later run could decide it.
6. Where an answer has a short answer, no model compares: each try is asked to end with it, and is scored by rules.
7. The student is asked what the solver is; its rates stand in the record, and decide nothing; its replies are kept apart.

And of the step check:

8. With it each accepted trace costs one call more, to the model that is named, about all its steps; without it no step has
   anything else than its kind and text. Each quote is cut from the passage at its place.
9. A verdict that names no sentence of the passage, or contradicts another on the same step, is none; so is that of a reply
   that could not be read. The step then has none.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.asking.ask import Ask
from programs.asking.caller import seed_of
from programs.records import RULES, Need, StepRecord
from programs.stages.solve import SOLVE_TEMPERATURE
from programs.stages.steps import verdicts_in
from programs.traces.trials import STEP_STAGE, passed, tries_of
from programs.traces.variation import Variation
from signatures.vocabulary import Agreement
from tests.making import Answers, answered, good_output, made_of, only, passage, solve_of, thought, unread

AGREEMENTS = st.lists(st.sampled_from([*get_args(Agreement), None]), min_size=1, max_size=9)


def solving(tries: int = 3, *keep: Need) -> dict[str, Any]:
    return {"blind_solve": tries, "solver_model": "solver", "compare_model": "comparer", "keep": list(keep)}


def comparing(right: Callable[[str, int, int], bool]) -> Any:
    """A comparer that finds a try equivalent where that is right for its setting, its number and the variation."""

    def compare(ask: Ask) -> dict[str, Any]:
        *_, variation, tried = ask.key.split("/")[:5]
        setting, _, number = tried.partition(".")
        agreement = "equivalent" if right(setting, int(number), int(variation.partition(".")[0])) else "contradicts"
        return {"reason": "They say the same, or they do not.", "agreement": agreement}

    return compare


def test_each_question_is_tried_in_both_settings_by_the_solver() -> None:
    answers = Answers()
    variation = only(answers, **solving(3))
    solves = [ask for ask in answers.asked if ask.stage == "solve"]
    assert len(solves) == 6
    assert {ask.judge for ask in solves} == {"solver"}
    assert len({seed_of(ask.key, 0, 0) for ask in solves}) == 6
    assert SOLVE_TEMPERATURE > 0
    assert {ask.temperature for ask in solves} == {SOLVE_TEMPERATURE}
    shown = [ask.inputs.get("passage") for ask in solves]
    assert Counter(shown) == {passage().shown: 3, None: 3}
    assert {tuple(sorted(set(ask.inputs) - {"passage"})) for ask in solves} == {("asked_by", "question")}
    draft = variation.attempts[-1].draft
    assert not any(draft.answer in str(ask.inputs) for ask in solves)
    compares = [ask for ask in answers.asked if ask.stage == "compare"]
    assert [ask.judge for ask in compares] == ["comparer"] * 6
    assert {ask.inputs["reference"] for ask in compares} == {draft.answer}
    assert not any("passage" in ask.inputs for ask in compares)
    found = solve_of(variation)
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
def test_what_a_question_needs(with_passage: int, without: int, need: Need, difficulty: float) -> None:
    compare = comparing(lambda setting, number, _: number < (with_passage if setting == "with" else without))
    found = solve_of(only(Answers(compare=compare), **solving(4)))
    assert (found.need, found.difficulty, found.difficulty_without) == (need, difficulty, 1 - without / 4)
    assert found.with_passage.equivalent == with_passage
    assert found.without_passage.contradicts == 4 - without


@given(AGREEMENTS)
def test_a_setting_is_decided_only_when_the_absent_tries_could_not_change_it(found: list[Agreement | None]) -> None:
    at_best = [each or "equivalent" for each in found]
    at_worst = [each or "contradicts" for each in found]
    best, worst = (2 * each.count("equivalent") >= len(found) for each in (at_best, at_worst))
    assert passed(tries_of(found)) == (best if best == worst else None)


def test_tries_that_failed_are_absent_and_asked_again_by_a_later_run() -> None:
    def solve(ask: Ask) -> Any:
        return unread() if "/with.0/" in ask.key else good_output(ask)

    def compare(ask: Ask) -> Any:
        return unread() if "/with.1/" in ask.key else good_output(ask)

    answers = Answers(solve=solve, compare=compare)
    variation = only(answers, **solving(3))
    found = solve_of(variation)
    assert (found.with_passage.absent, found.with_passage.equivalent, found.with_passage.pass_rate) == (2, 1, 1.0)
    assert (found.need, found.difficulty) == (None, 0.0)
    assert (variation.status, variation.settled) == ("accepted", False)
    assert answers.count("compare") == 5


@pytest.mark.parametrize(
    ("right", "need", "difficulty"),
    [((0, 1, 2), "known", 0.0), ((1, 2), "known", 0.3333), ((2,), "unanswered", 0.6667)],
)
def test_a_question_has_one_need_over_its_variations(right: tuple[int, ...], need: Need, difficulty: float) -> None:
    compare = comparing(lambda _setting, _number, variation: variation in right)
    variations = made_of(Answers(compare=compare), **solving(2), variations=3).variations
    [solve, *others] = map(solve_of, variations)
    assert others == [solve] * 2
    assert (solve.need, solve.difficulty, solve.variations) == (need, difficulty, [0, 1, 2])
    assert solve.with_passage.asked == solve.without_passage.asked == 6
    kept = made_of(Answers(compare=compare), **solving(2, "unanswered"), variations=3).variations
    assert len({(variation.status, str(variation.rejection)) for variation in kept}) == 1
    assert kept[0].status == ("accepted" if need == "unanswered" else "rejected")


def test_an_undecided_one_waits_while_a_later_run_could_decide_it() -> None:
    variation = only(Answers(solve=lambda _ask: unread()), **solving(2, "needs_paper"))
    assert (variation.status, variation.settled) == ("unjudged", False)
    generation = variation.record().generation
    assert generation is not None
    assert "" not in generation.models.values(), "nobody compared anything"
    assert only(Answers(solve=lambda _ask: unread()), **solving(2)).status == "accepted"


def answering(short: dict[str, Any], text: str = "The scatter is what matters here, in all likelihood.") -> Any:
    """A writer whose answers have a short answer."""
    return lambda ask: {**good_output(ask), "text": text + good_output(ask)["text"], "short": short}


STUDENT = {**solving(2), "student_model": "student"}
CHOICE = answering(
    {"kind": "choice", "answer": "The scatter matters.", "others": ["The lamps matter.", "Dust counts."]}
)


def knowing(ask: Ask) -> Any:
    """The solver knows with the passage; the student never does, and says nothing at its first try without it."""
    if ask.judge == "student" and "/without.0" in ask.key:
        return unread()
    knows = ask.judge == "solver" and "passage" in ask.inputs
    return {"text": f"I have thought about it. \\boxed{{{'The scatter matters.' if knows else 'Dust counts.'}}}"}


def test_rules_compare_where_there_is_a_short_answer() -> None:
    answers = Answers(answer=CHOICE, solve=knowing)
    variation = only(answers, **STUDENT)
    found = solve_of(variation)
    assert (found.need, found.difficulty, found.compared_by) == ("needs_paper", 0.0, RULES)
    assert found.student is not None
    assert (found.student.solver, found.student.with_passage.pass_rate) == ("student", 0.0)
    assert (found.student.without_passage.absent, found.student.without_passage.pass_rate) == (1, 0.0)
    assert answers.count("compare") == 0
    assert {name: len(replies) for name, replies in variation.last.trial_replies.items()} == {"solve": 4, "student": 4}
    asks = [ask for ask in answers.asked if ask.stage == "solve"]
    assert len({ask.key for ask in asks}) == len(asks) == 8
    assert all("(A) " in ask.inputs["ending"] and "boxed" in ask.inputs["ending"] for ask in asks)
    assert not any(variation.last.draft.answer in str(ask.inputs) for ask in asks)
    assert not variation.settled, "what the student did not answer is asked again"


def test_without_one_a_model_compares_for_both() -> None:
    answers = Answers()
    found = solve_of(only(answers, **STUDENT))
    assert found.student is not None
    assert (found.compared_by, found.student.with_passage.pass_rate) == ("comparer", 1.0)
    assert answers.count("compare") == 8
    assert not any("ending" in ask.inputs for ask in answers.asked)


def test_the_first_short_answer_of_a_question_decides_for_all_of_its_variations() -> None:
    made = made_of(Answers(answer=CHOICE, solve=knowing), variations=3, **solving(2)).variations
    [solve, *others] = map(solve_of, made)
    assert others == [solve] * 2
    assert solve.with_passage.asked == 2, "K tries, whatever the number of variations"


CHECKING: dict[str, Any] = {"check_steps": True, "check_model": "checker"}


def verdict(step: int, status: str = "supported", sentence: int = 2) -> dict[str, Any]:
    return {"step": step, "sentence": sentence, "reason": "It says the same.", "status": status}


def steps_of(variation: Variation) -> list[StepRecord]:
    """The steps of the unit's record, each held to what every record promises."""
    record = variation.record()
    text = record.source_paper.text
    assert text is not None
    for step in record.steps:
        assert (step.quote is None) == (step.start is None) == (step.end is None)
        assert step.quote is None or step.quote == text[step.start : step.end]
    return record.steps


def checked(items: list[dict[str, Any]]) -> Variation:
    """A trace of whose steps the model says so."""
    answers = Answers(trace=lambda _ask: thought().model_dump(), steps=lambda _ask: {"items": items})
    return only(answers, **CHECKING)


def test_one_call_asks_about_all_steps() -> None:
    answers = Answers()
    variation = only(answers, **CHECKING)
    [ask] = [ask for ask in answers.asked if ask.stage == "steps"]
    assert (ask.judge, ask.key) == ("checker", f"steps/{variation.key}.0/checker")
    assert set(ask.inputs) == {"passage", "steps"}
    steps = steps_of(variation)
    assert str(ask.inputs["steps"]).splitlines() == [f"{n}. {step.text}" for n, step in enumerate(steps, start=1)]
    assert {step.judged_by for step in steps} == {"stand-in"}
    generation = variation.record().generation
    assert generation is not None
    assert generation.calls == 8 + 1


def test_what_the_model_says_stands_in_the_record() -> None:
    said = [("no_claim", 0), ("outside", 0), ("supported", 2), ("inferred", 3), ("contradicted", 4)]
    steps = steps_of(checked([verdict(number, *one) for number, one in enumerate(said, start=1)]))
    assert [step.status for step in steps[:5]] == [None, "outside", "supported", "inferred", "contradicted"]
    assert {(step.judged_by, step.reason) for step in steps[:5]} == {("stand-in", "It says the same.")}
    quotes = [passage().quoted(number)["quote"] for number in (2, 3, 4)]
    assert [step.quote for step in steps[:5]] == [None, None, *quotes]
    assert all((step.status, step.judged_by, step.reason) == (None, None, None) for step in steps[5:])


@pytest.mark.parametrize(
    "items",
    [
        [verdict(3, "supported", 0)],
        [verdict(3, "supported", 5)],
        [verdict(3, "supported"), verdict(3, "contradicted")],
        [verdict(16)],
    ],
)
def test_a_verdict_that_cannot_stand_is_none(items: list[dict[str, Any]]) -> None:
    variation = checked(items)
    assert (variation.status, variation.settled) == ("accepted", True)
    assert {step.judged_by for step in steps_of(variation)} == {None}


def test_what_is_wrong_with_a_reply_is_said() -> None:
    ask = STEP_STAGE.ask(passage(), ["A.", "B,\nand C."], "n", "m")
    assert ask.inputs["steps"] == "1. A.\n2. B, and C."
    assert answered(ask, {"items": [verdict(1), verdict(2, "outside", 0)]}).status == "ok"
    faulty = answered(ask, {"items": [verdict(1, "inferred", 9), verdict(1)]})
    assert len(faulty.problems) == 3, "no verdict on step 2, two on step 1, and no sentence 9"
    twice = answered(ask, {"items": [verdict(1), verdict(1)]})
    assert list(verdicts_in(twice, 2, 4)) == [1]
