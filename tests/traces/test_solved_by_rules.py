"""Blind solving by short answers, and a student's pass rates beside the solver's (`programs.traces.blind_solve`).

1. Where an answer has a short answer, no model compares: each try is asked to end with it, and is scored by rules.
2. The student is asked what the solver is; its rates stand in the record, and decide nothing; its
   replies are kept apart, so that the record names it.
3. Another short answer is another ask. Nothing of the trace is sent but the options of a choice.
"""

from typing import Any

from programs.asking.ask import Ask
from programs.records import RULES
from tests.making import Answers, good_output, made_of, only, solve_of, unread

SOLVING: dict[str, Any] = {"blind_solve": 2, "solver_model": "solver", "compare_model": "comparer"}
STUDENT = {**SOLVING, "student_model": "student"}


def answering(short: dict[str, Any], text: str = "The scatter is what matters here, in all likelihood.") -> Any:
    """A writer whose answers have a short answer."""
    return lambda ask: {**good_output(ask), "text": text + good_output(ask)["text"], "short": short}


CHOICE = answering(
    {"kind": "choice", "answer": "The scatter matters.", "others": ["The lamps matter.", "Dust counts."]}
)


def solving(ask: Ask) -> Any:
    """The solver knows with the passage; the student never does, and says nothing at its first try without it."""
    if ask.judge == "student" and "/without.0" in ask.key:
        return unread()
    knows = ask.judge == "solver" and "passage" in ask.inputs
    return {"text": f"I have thought about it. \\boxed{{{'The scatter matters.' if knows else 'Dust counts.'}}}"}


def test_rules_compare_where_there_is_a_short_answer() -> None:
    answers = Answers(answer=CHOICE, solve=solving)
    variation = only(answers, **STUDENT)
    found = solve_of(variation)
    assert (found.need, found.difficulty, found.compared_by) == ("needs_paper", 0.0, RULES)
    assert found.student is not None
    assert (found.student.solver, found.student.with_passage.pass_rate) == ("student", 0.0)
    assert (found.student.without_passage.absent, found.student.without_passage.pass_rate) == (1, 0.0)
    assert answers.count("compare") == 0
    assert {name: len(replies) for name, replies in variation.last.more.items()} == {"solve": 4, "student": 4}
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
    made = made_of(Answers(answer=CHOICE, solve=solving), variations=3, **SOLVING).variations
    [solve, *others] = map(solve_of, made)
    assert others == [solve] * 2
    assert solve.with_passage.asked == 2, "K tries, whatever the number of variations"
