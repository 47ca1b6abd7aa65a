"""What a reader of a report should know before believing it."""

from optimize.course import Course
from optimize.proof import Proof
from optimize.stages import WRITERS
from programs.inputs.papers import source_key

FEW_SOURCES = 20
"""Below so many sources of the proof the report warns."""


def warnings_of(course: Course) -> list[str]:
    """What a reader of the report should know about its judges."""
    settings = course.settings
    if not course.report_judging:
        return ["no judge took part: the scores are of form, grounding and wording alone, not of truth"]
    found = []
    judged = any(stage == "all" or stage in WRITERS for stage in settings.stage)
    if judged and {*settings.report_judges} & {*settings.judges}:
        found.append("the judges that report are those that optimised: the program may have learned to please them")
    if settings.model in settings.report_judges:
        found.append("the model judges itself")
    return found


def few(count: int, what: str) -> list[str]:
    """A warning where so many (`what`: sources, questions) are few to prove by."""
    return [f"only {count} {what} prove: the interval of so few is too narrow"] if count < FEW_SOURCES else []


def doubts_of(course: Course, proof: Proof) -> list[str]:
    """What a reader should know about the figures of the proof."""
    found = few(len(course.splits.test), "sources")
    if all(source_key(sample) == f"text:{sample.id}" for sample in course.splits.test):
        found.append("no text names its source: passages of one paper may be on both sides")
    if proof.unscored_before or proof.unscored_after:
        found.append(
            f"{proof.unscored_before} texts had no score before, {proof.unscored_after} after, and are left out"
        )
    return found
