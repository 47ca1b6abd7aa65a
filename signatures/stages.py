"""The stages of the pipeline, each one kind of request to a model. Imports no DSPy, since options are read without it.

To add one, write its signature in this folder and the module that builds its `Ask` in `programs/stages/`, ask it in
`programs/tracer.py` or `programs/traces/`, and add a line to `STAGES`. If `--stage-model` can name its model, add it to
`models_by_kind` in `programs/settings.py` as well."""

from typing import NamedTuple


class Stage(NamedTuple):
    """`depth`: how far along its text a stage is. The waiting call of the greatest depth gets the next permit
    (`programs.run.gate`); a stage that can be tuned has its inputs from stages of smaller depth. `predictor`: its name in
    the `Tracer`; without one the stage is neither compiled nor given guidance. `stage_model`: whether `--stage-model` can
    name its model; other stages have an option of their own for that."""

    depth: int
    predictor: str = ""
    stage_model: bool = False


STAGES = {
    "questions": Stage(0, "questions.predict", stage_model=True),
    "context": Stage(1, "strands.context", stage_model=True),
    "hypotheses": Stage(2, "strands.hypotheses", stage_model=True),
    "evidence": Stage(2, "strands.evidence", stage_model=True),
    "critique": Stage(2, "strands.critique", stage_model=True),
    "perspective": Stage(2, "strands.perspective", stage_model=True),
    "trace": Stage(3, "writer.trace", stage_model=True),
    "answer": Stage(4, "writer.answer", stage_model=True),
    "judge": Stage(5, "judge.predict"),
    "own": Stage(6, stage_model=True),
    "grade": Stage(6, "grader.predict"),
    "rubric": Stage(6),
    "solve": Stage(7),
    "compare": Stage(8),
    "steps": Stage(9),
}

STRANDS = tuple(name for name, stage in STAGES.items() if stage.depth == 2)
"""The stages that are asked in parallel once the context is known."""
