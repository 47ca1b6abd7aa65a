"""Stage 6 as a module: grades the final answer; and, for rewards, finds which points of a rubric an answer has."""

from collections.abc import Sequence

from programs.asking.ask import Ask, Subject
from programs.asking.caller import PredictorModule
from programs.asking.reply import Reply
from programs.inputs.passage import Passage
from programs.record_parts import GRADES, Grades
from programs.stages.judge import judge_inputs, output_ask
from programs.stages.questions import Question
from programs.stages.thought import Draft
from signatures.grade import CheckRubric, GradeAnswer, GradeSheet, PointsMet
from signatures.vocabulary import Setting


class GradeStage(PredictorModule):
    """Asks for the grades of one answer."""

    signature = GradeAnswer

    def ask(
        self, passage: Passage, question: Question, draft: Draft, subject: Subject, grader: str, setting: Setting
    ) -> Ask:
        """`subject` identifies the draft (sample, question, attempt); `grader` names the model."""
        inputs = judge_inputs(passage, question, draft, setting)
        return output_ask("grade", self.predict, inputs, subject, grader, _sheet_problems)


def grades_of(reply: Reply) -> Grades:
    """Grades from 0 to 1. One that could not be read is None, and then so is the overall score, their mean."""
    output = reply.output or {}
    grades = [None if (percent := output.get(name)) is None else round(percent / 100, 2) for name in GRADES]
    known = [value for value in grades if value is not None]
    overall = round(sum(known) / len(known), 4) if len(known) == len(grades) else None
    reason = output.get("reason") or "; ".join(reply.problems) or None
    return Grades(**dict(zip(GRADES, grades, strict=True)), overall_score=overall, reason=reason)


def _sheet_problems(sheets: list[GradeSheet]) -> list[str]:
    missing = [name for name in GRADES if getattr(sheets[-1], name) is None]
    return [f"{name} must be a whole number from 0 to 100" for name in missing]


class RubricStage(PredictorModule):
    """Asks which points of a rubric an answer has."""

    signature = CheckRubric

    def ask(self, prompt: str, answer: str, points: Sequence[str], name: str, judge: str) -> Ask:
        """`name` identifies the answer."""
        numbered = "\n".join(f"{number}. {' '.join(text.split())}" for number, text in enumerate(points, start=1))
        inputs = {"prompt": prompt, "answer": answer, "points": numbered}

        def wrong_numbers(said: list[PointsMet]) -> list[str]:
            wrong = sorted(number for number in {*said[-1].met} if number > len(points))
            return [f"no point is numbered {', '.join(map(str, wrong))}: they are 1 to {len(points)}"] if wrong else []

        return output_ask("rubric", self.predict, inputs, (name,), judge, wrong_numbers)
