"""The check of an answer against its question's rubric as a module."""

from collections.abc import Collection, Sequence

from programs.asking.ask import Ask
from programs.asking.caller import PredictorModule
from programs.stages.judge import judged_ask
from signatures.grade import CheckRubric


class RubricStage(PredictorModule):
    """Asks which points of a rubric an answer has."""

    signature = CheckRubric

    def ask(self, prompt: str, answer: str, points: Sequence[str], name: str, judge: str) -> Ask:
        """`name` identifies the answer."""
        numbered = "\n".join(f"{number}. {' '.join(text.split())}" for number, text in enumerate(points, start=1))
        inputs = {"prompt": prompt, "answer": answer, "points": numbered}
        return judged_ask(
            "rubric", 6, self.predict, inputs, name, judge, lambda said: _faults(said[-1].met, len(points))
        )


def _faults(met: Collection[int], points: int) -> list[str]:
    wrong = sorted({number for number in met if not 1 <= number <= points})
    return [f"no point is numbered {', '.join(map(str, wrong))}: they are 1 to {points}"] if wrong else []
