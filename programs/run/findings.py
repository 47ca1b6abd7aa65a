"""What a unit's line tells of the optional checks, and what all of them come to. Pure, so that the index can keep the
counts as lines come and replace one another."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from programs.run.tally import CONTAMINATED, given_away_in

NEED = "need: "
RATED = "difficulty: rated"
DIFFICULTY = "difficulty: sum of 1/10000"
GIVEN_AWAY = "attempts that give a benchmark away"
STEPS, CHECKED, STATUS = "steps: all", "steps: checked", "steps: "
UNDECIDED = "undecided"

VERDICTS = ("supported", "inferred", "outside", "contradicted", "no_claim")
SOLVED_ONES = ("accepted", "rejected", "unjudged", CONTAMINATED)
"""A question that was withdrawn counts nowhere."""


class SolveFindings(BaseModel):
    """How many questions have which need, those included that were turned down for it; and the mean measured difficulty
    (1 - pass rate with the passage) over the `rated` ones, None where there is none."""

    known: int
    needs_paper: int
    unanswered: int
    undecided: int
    rated: int
    mean_difficulty: float | None


class StepFindings(BaseModel):
    """The steps of the accepted traces: how many there are, on how many of them a model gave a readable verdict, and which
    one. `no_claim` ones only ask, plan or doubt."""

    steps: int
    checked: int
    supported: int
    inferred: int
    outside: int
    contradicted: int
    no_claim: int


class Findings(BaseModel):
    """What the checks found over all runs of a journal; None: nothing was checked. `attempts_given_away` are those that
    were not taken and give a benchmark away, None where there is none: no export has them."""

    steps: StepFindings | None = None
    blind_solve: SolveFindings | None = None
    attempts_given_away: int | None = None


def of_line(line: Mapping[str, Any]) -> Counter[str]:
    """What a unit's line counts for."""
    record = line["record"] or (line.get("attempts") or [None])[-1]
    if record is None:
        return Counter()
    counts: Counter[str] = Counter()
    if given_away_in(line) and line["status"] != CONTAMINATED:
        counts[GIVEN_AWAY] += len(line["contaminated"])
    solve = record.get("blind_solve")
    if solve and line["status"] in SOLVED_ONES and _stands_for_its_question(line["key"], solve):
        counts[f"{NEED}{solve['need'] or UNDECIDED}"] += 1
        if solve["difficulty"] is not None:
            counts.update({RATED: 1, DIFFICULTY: round(solve["difficulty"] * 10_000)})
    if line["status"] == "accepted":
        counts += _of_steps(record.get("steps") or [])
    return counts


def findings_in(counts: Mapping[str, int]) -> Findings:
    """What the counts of many lines come to."""
    return Findings(
        steps=_steps(counts),
        blind_solve=_solve(counts),
        attempts_given_away=counts.get(GIVEN_AWAY) or None,
    )


def in_words_of(found: Findings) -> list[tuple[str, str]]:
    """The findings for a person: a name and a line for each."""
    lines = []
    if (steps := found.steps) is not None:
        verdicts = ", ".join(f"{getattr(steps, name)} {name.replace('_', ' ')}" for name in VERDICTS)
        lines.append(("steps", f"{steps.checked} of {steps.steps} checked: {verdicts}"))
    if (solve := found.blind_solve) is not None:
        asked = solve.known + solve.needs_paper + solve.unanswered + solve.undecided
        mean = "unknown" if solve.mean_difficulty is None else f"{solve.mean_difficulty:.2f}"
        lines.append(
            (
                "blind solve",
                f"of {asked} questions {solve.known} known, {solve.needs_paper} need the paper, "
                f"{solve.unanswered} unanswered, {solve.undecided} undecided; mean difficulty {mean} over {solve.rated}",
            )
        )
    if found.attempts_given_away:
        lines.append(("benchmarks", f"{found.attempts_given_away} attempts that give one away are in no export"))
    return lines


def _stands_for_its_question(key: str, solve: Mapping[str, Any]) -> bool:
    """Whether a question is counted by this unit: the first of those that were solved together. Those of older versions
    stand for themselves."""
    together = solve.get("variations")
    return not together or key.rpartition("/")[2] == str(together[0])


def _of_steps(steps: list[dict[str, Any]]) -> Counter[str]:
    # In older versions rules gave a status too. They could not know.
    checked = [step for step in steps if step.get("judged_by") not in (None, "rule")]
    if not checked:
        return Counter()
    counts = Counter({STEPS: len(steps), CHECKED: len(checked)})
    counts.update(f"{STATUS}{step.get('status') or 'no_claim'}" for step in checked)
    return counts


def _steps(counts: Mapping[str, int]) -> StepFindings | None:
    if not counts.get(STEPS):
        return None
    verdicts = {name: counts.get(f"{STATUS}{name}", 0) for name in VERDICTS}
    return StepFindings(steps=counts[STEPS], checked=counts[CHECKED], **verdicts)


def _solve(counts: Mapping[str, int]) -> SolveFindings | None:
    needs = {name: counts.get(f"{NEED}{name}", 0) for name in ("known", "needs_paper", "unanswered", UNDECIDED)}
    if not any(needs.values()):
        return None
    rated = counts.get(RATED, 0)
    mean = round(counts.get(DIFFICULTY, 0) / 10_000 / rated, 4) if rated else None
    return SolveFindings(**needs, rated=rated, mean_difficulty=mean)
