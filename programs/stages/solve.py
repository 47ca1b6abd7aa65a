"""The blind solve as modules: one answers a question without its trace, one compares two answers."""

import hashlib

from programs.asking.ask import Ask, Subject
from programs.asking.caller import PredictorModule
from programs.inputs.passage import Passage
from programs.record_parts import ShortAnswer
from programs.stages.checks import solution_problems
from programs.stages.judge import output_ask
from programs.stages.questions import Question
from signatures.trials import CompareAnswers, SolveQuestion

SOLVE_TEMPERATURE = 0.7
"""Above 0, so that several tries show how sure an answer is. Each try has its own sampling seed."""


class SolveStage(PredictorModule):
    """Asks for an answer to a question."""

    signature = SolveQuestion

    def ask(
        self,
        passage: Passage,
        question: Question,
        with_passage: bool,
        number: int,
        solver: str,
        short: ShortAnswer | None = None,
    ) -> Ask:
        """One try, by the model `solver`. All that it learns of the trace is the kind of `short` and a choice's options."""
        shown = {"passage": passage.shown} if with_passage else {}
        name = f"{'with' if with_passage else 'without'}.{number}"
        if short is not None:
            shown["ending"] = short.prompt_ending
            # Another short answer to the same question may need another ending.
            name += f".{hashlib.blake2b(short.prompt_ending.encode(), digest_size=4).hexdigest()}"
        inputs = {**shown, "question": question.text, "asked_by": question.asked_by}
        subject = (passage.sample.id, question.type, name)
        return output_ask(
            "solve",
            self.predict,
            inputs,
            subject,
            solver,
            lambda got: solution_problems(got[-1].text),
            SOLVE_TEMPERATURE,
        )


class CompareStage(PredictorModule):
    """Asks whether two answers make the same main claim."""

    signature = CompareAnswers

    def ask(self, question: Question, reference: str, other: str, subject: Subject, judge: str) -> Ask:
        """Has the model `judge` compare two answers to a question; `subject` identifies the pair."""
        inputs = {"question": question.text, "asked_by": question.asked_by, "reference": reference, "other": other}
        return output_ask("compare", self.predict, inputs, subject, judge)
