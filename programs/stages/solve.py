"""The blind solve as a module: a question answered without its trace, and the answers compared with the trace's."""

from typing import Any

import dspy

from programs.asking.plan import Ask
from programs.passage import Passage
from programs.stages.judge import JUDGE_TEMPERATURE
from programs.stages.questions import Question
from programs.stages.trace import Draft
from programs.text.prose import is_degenerate, leaked
from programs.text.questions import only_asks
from signatures.compare_answers import CompareAnswers
from signatures.solve import SolveQuestion

SOLVE_TEMPERATURE = 0.7
"""Above 0, so that several tries say how sure an answer is; each try has a sampling seed of its own."""


class SolveStages(dspy.Module):
    """Asks for an answer to a question, and for what an answer has in common with another."""

    def __init__(self) -> None:
        super().__init__()
        self.solve = dspy.Predict(SolveQuestion)
        self.compare = dspy.Predict(CompareAnswers)

    def solve_ask(self, passage: Passage, question: Question, with_passage: bool, number: int, solver: str) -> Ask:
        """One try, by the model `solver`. It is not told anything of the trace."""
        shown = {"passage": passage.shown} if with_passage else {}
        return Ask(
            stage="solve",
            key=f"solve/{passage.sample.id}/{question.type.value}/{_try(with_passage, number)}/{solver}",
            predict=self.solve,
            inputs={**shown, "question": question.text, "asked_by": question.asked_by},
            depth=7,
            check=lambda values: solution_problems(values[-1].text),
            judge=solver,
            temperature=SOLVE_TEMPERATURE,
        )

    def compare_ask(self, question: Question, draft: Draft, name: str, tried: Ask, output: Any, judge: str) -> Ask:
        """Compares the output of a try with a draft's answer, by the model `judge`; `name` identifies the draft (sample,
        question, variation, attempt)."""
        number, solver = tried.key.split("/", 4)[3:]
        key = f"compare/{name}/{number}/{solver}/{judge}"
        return self.comparison(question, draft.answer, tried.read(output).text, key, judge)

    def comparison(self, question: Question, reference: str, other: str, key: str, judge: str) -> Ask:
        """Compares one answer to a question with another, by the model `judge`."""
        return Ask(
            stage="compare",
            key=key,
            predict=self.compare,
            inputs={
                "question": question.text,
                "asked_by": question.asked_by,
                "reference": reference,
                "other": other,
            },
            depth=8,
            judge=judge,
            temperature=JUDGE_TEMPERATURE,
        )


def _try(with_passage: bool, number: int) -> str:
    return f"{'with' if with_passage else 'without'}.{number}"


def solution_problems(text: str) -> list[str]:
    """Why a text is no answer at all, in words; nothing wrong: an empty list. Whether it is right is another matter."""
    problems = [why for why in (leaked(text), is_degenerate(text)) if why]
    return [*problems, *(["asks instead of answering"] if only_asks(text) else [])]
