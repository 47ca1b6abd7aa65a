"""What becomes of an attempt, given its verdicts: pure functions, so that a resumed run with another threshold or panel
decides again from what is stored. And the biases of the judges that gave them (`--judge-calibration FILE`): a bias belongs
to a model with a prompt, so the file says which prompt it was measured with, and is refused with another.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import dspy
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from programs.compiled import program_fingerprint
from programs.errors import UserError
from programs.option_groups import QualityOptions
from programs.records import NO_FAULT, Verdict
from programs.stages.judge import panel_score

Standing = Literal["accepted", "below", "unjudged"]


def standing(verdicts: list[Verdict], options: QualityOptions) -> Standing:
    """accepted: judged at or above the threshold and by no judge below a floor, or not to be judged; unjudged: no judge
    gave a score."""
    if not options.quality_check:
        return "accepted"
    score = panel_score(verdicts)
    if score is None:
        return "unjudged"
    return "accepted" if score >= options.min_quality_score and not floors_missed(verdicts) else "below"


def floors_missed(verdicts: list[Verdict]) -> list[str]:
    """The ratings by which single judges turn a trace down, whatever the mean (`programs.records.FLOORS`)."""
    return [f"{rating} by {verdict.judge}" for verdict in verdicts for rating in verdict.too_low]


def reasons_against(verdicts: list[Verdict], part: Literal["thought", "answer"]) -> tuple[str, ...]:
    """The faults that the judges found in a part of an attempt, whole, for the next one to mend."""
    return tuple(
        verdict.fault
        for verdict in verdicts
        if verdict.fault and verdict.fault_in in (part, "both") and verdict.fault.strip(" .\"'").lower() != NO_FAULT
    )


LEAST_RATINGS = 30
"""So many ratings of people a bias is measured on at least."""


class JudgeBias(BaseModel):
    """A judge's mean rating less people's, over so many answers (`ratings`) that both rated from 1 to 10."""

    model_config = ConfigDict(allow_inf_nan=False)

    bias: float = Field(ge=-9, le=9)
    ratings: int = Field(ge=LEAST_RATINGS)


class Calibration(BaseModel):
    """The file. `prompt` is what `prompt_of` says of the judges' prompt."""

    prompt: str
    judges: dict[str, JudgeBias]


def prompt_of(judge: dspy.Module, prompt_order: str) -> str:
    """A hash of all that shapes the prompts of a judge's stage."""
    return program_fingerprint(judge, prompt_order)


def biases_of(path: Path, judges: Sequence[str], prompt: str) -> dict[str, float]:
    """The bias of each judge of a panel. Raises `UserError` for a file that is none, was made with another prompt, or
    lacks one of them."""
    try:
        found = Calibration.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"--judge-calibration: cannot read {path}: {error.strerror}") from None
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        why = f"{'.'.join(map(str, detail['loc']))} {detail['msg']}"
        raise UserError(f"--judge-calibration: {path} has no biases of programs.calibrate: {why}") from None
    missing = [judge for judge in judges if judge not in found.judges]
    if found.prompt != prompt:
        why = (
            "was measured with another prompt of the judges; calibrate again with the same --program and --prompt-order"
        )
    elif missing:
        why = f"says nothing of {', '.join(missing)}, only of {', '.join(found.judges)}; calibrate the whole panel together"
    else:
        return {judge: found.judges[judge].bias for judge in judges}
    raise UserError(f"--judge-calibration: {path} {why}")
