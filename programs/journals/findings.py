"""What a unit's line tells of the optional checks, and what all of them come to. Pure, so that the index can keep the
counts as lines come and replace one another."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from programs.journals.tally import CONTAMINATED, NOT_MENDED, WITHDRAWN, given_away_in, loss_of

NEED = "need: "
RATED = "difficulty: rated"
DIFFICULTY = "difficulty: sum of 1/10000"
SEEDED = "seeded error: given"
CORRECTED = "seeded error: corrected"
AT_ONCE = "seeded error: corrected at the first try"
CAUSAL = "causal: "
GIVEN_AWAY = "attempts that give a benchmark away"
STEPS, QUOTED, CHECKED = "steps: all", "steps: quoted", "steps: checked by a model"
STATUS, CONFLICTS = "steps: ", "steps: in conflict by rule"
UNFOUND, WITH_UNFOUND = "steps: unfound numbers", "steps: with unfound numbers"
WITH_UNQUOTED = "steps: with numbers beside their quote"
UNDECIDED, UNALTERED, UNMADE = "undecided", "not alterable", "not made again"

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


class SeededFindings(BaseModel):
    """How many traces were given a wrong step and came to an end, how many of them took it back, and how many at the first
    try, whatever the judges said of them; and the share of those that took it back. Traces that failed for another reason
    than the error are not among them."""

    given: int
    corrected: int
    at_first_try: int
    share_corrected: float


class CausalFindings(BaseModel):
    """What became of the accepted traces that were checked. `share_followed` and `share_ignored` are of those with an
    outcome, None where there is none; `not_alterable` and `not_made_again` ones have none."""

    checked: int
    followed: int
    ignored: int
    unclear: int
    not_alterable: int
    not_made_again: int
    share_followed: float | None
    share_ignored: float | None


class StepFindings(BaseModel):
    """The steps of the accepted traces: how many there are, have a quote, are judged which way (by rule or by a model),
    contradict their quote by rule whatever a model says, hold numbers that stand nowhere in the passage (and how many
    such numbers), hold numbers that stand in the passage but not in their quote, and how many a model was asked about
    with a readable verdict."""

    steps: int
    quoted: int
    supported: int
    inferred: int
    outside: int
    contradicted: int
    conflicts: int
    with_unfound_numbers: int
    unfound_numbers: int
    with_unquoted_numbers: int
    checked_by_model: int


class Findings(BaseModel):
    """What the checks found over all runs of a journal; None: nothing was checked. `attempts_given_away` are those that
    were not taken and give a benchmark away, None where there is none: no export has them."""

    steps: StepFindings | None = None
    blind_solve: SolveFindings | None = None
    seeded_errors: SeededFindings | None = None
    causal_check: CausalFindings | None = None
    attempts_given_away: int | None = None


def of_line(line: Mapping[str, Any]) -> Counter[str]:
    """What a unit's line counts for."""
    if loss_of(line["status"], line.get("reason")) == NOT_MENDED:
        return Counter({SEEDED: 1})
    record = line["record"] or (line.get("attempts") or [None])[-1]
    if record is None:
        return Counter()
    counts: Counter[str] = Counter()
    if given_away_in(line) and line["status"] != CONTAMINATED:
        counts[GIVEN_AWAY] += len(line["contaminated"])
    solve, seeded, causal = (record.get(name) for name in ("blind_solve", "seeded_error", "causal_check"))
    if solve and line["status"] in SOLVED_ONES and _stands_for_its_question(line["key"], solve):
        counts[f"{NEED}{solve['need'] or UNDECIDED}"] += 1
        if solve["difficulty"] is not None:
            counts.update({RATED: 1, DIFFICULTY: round(solve["difficulty"] * 10_000)})
    if seeded and line["status"] != WITHDRAWN:
        counts.update({SEEDED: 1, CORRECTED: 1, AT_ONCE: int(seeded["tries"] == 1)})
    if line["status"] != "accepted":
        return counts
    counts += _of_steps(record.get("steps") or [])
    if causal:
        counts[f"{CAUSAL}{causal['outcome'] or (UNMADE if causal['old'] is not None else UNALTERED)}"] += 1
    return counts


def findings_in(counts: Mapping[str, int]) -> Findings:
    """What the counts of many lines come to."""
    return Findings(
        steps=_steps(counts),
        blind_solve=_solve(counts),
        seeded_errors=_seeded(counts),
        causal_check=_causal(counts),
        attempts_given_away=counts.get(GIVEN_AWAY) or None,
    )


def in_words_of(found: Findings) -> list[tuple[str, str]]:
    """The findings for a person: a name and a line for each."""
    lines = []
    if (steps := found.steps) is not None:
        checked = ""
        if steps.checked_by_model:
            checked = (
                f"; {steps.supported} supported, {steps.inferred} inferred, {steps.outside} from outside "
                f"({steps.checked_by_model} asked of a model)"
            )
        lines.append(
            (
                "steps",
                f"{steps.quoted} of {steps.steps} with a quote, {steps.contradicted} contradicted{checked}; "
                f"{steps.unfound_numbers} numbers in {steps.with_unfound_numbers} steps stand nowhere in the text",
            )
        )
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
    if (seeded := found.seeded_errors) is not None:
        lines.append(
            (
                "seeded errors",
                f"of {seeded.given} {seeded.corrected} found and taken back, {seeded.at_first_try} at the first try",
            )
        )
    if (causal := found.causal_check) is not None:
        share = "" if causal.share_followed is None else f" ({causal.share_followed:.0%} followed)"
        lines.append(
            (
                "causal check",
                f"{causal.followed} followed, {causal.ignored} ignored, {causal.unclear} unclear{share}; "
                f"{causal.not_alterable} not alterable, {causal.not_made_again} not made again",
            )
        )
    if found.attempts_given_away:
        lines.append(("benchmarks", f"{found.attempts_given_away} attempts that give one away are in no export"))
    return lines


def _stands_for_its_question(key: str, solve: Mapping[str, Any]) -> bool:
    """Whether a question is counted by this unit: the first of those that were solved together. Those of older versions
    stand for themselves."""
    together = solve.get("variations")
    return not together or key.rpartition("/")[2] == str(min(together))


def _of_steps(steps: list[dict[str, Any]]) -> Counter[str]:
    # Steps of older versions say nothing of what carries them.
    known = [step for step in steps if "unfound_numbers" in step]
    counts = Counter({STEPS: len(known)})
    for step in known:
        counts[QUOTED] += step["quote"] is not None
        counts[CONFLICTS] += step["conflict"] is not None
        counts[WITH_UNFOUND] += bool(step["unfound_numbers"])
        counts[UNFOUND] += len(step["unfound_numbers"])
        counts[WITH_UNQUOTED] += bool(step.get("unquoted_numbers"))
        counts[CHECKED] += step["reason"] is not None
        if step["status"] is not None:
            counts[f"{STATUS}{step['status']}"] += 1
    return +counts


def _steps(counts: Mapping[str, int]) -> StepFindings | None:
    if not counts.get(STEPS):
        return None
    statuses = {name: counts.get(f"{STATUS}{name}", 0) for name in ("supported", "inferred", "outside", "contradicted")}
    return StepFindings(
        steps=counts[STEPS],
        quoted=counts.get(QUOTED, 0),
        conflicts=counts.get(CONFLICTS, 0),
        with_unfound_numbers=counts.get(WITH_UNFOUND, 0),
        unfound_numbers=counts.get(UNFOUND, 0),
        with_unquoted_numbers=counts.get(WITH_UNQUOTED, 0),
        checked_by_model=counts.get(CHECKED, 0),
        **statuses,
    )


def _solve(counts: Mapping[str, int]) -> SolveFindings | None:
    needs = {name: counts.get(f"{NEED}{name}", 0) for name in ("known", "needs_paper", "unanswered", UNDECIDED)}
    if not any(needs.values()):
        return None
    rated = counts.get(RATED, 0)
    mean = round(counts.get(DIFFICULTY, 0) / 10_000 / rated, 4) if rated else None
    return SolveFindings(**needs, rated=rated, mean_difficulty=mean)


def _seeded(counts: Mapping[str, int]) -> SeededFindings | None:
    given, corrected = counts.get(SEEDED, 0), counts.get(CORRECTED, 0)
    if not given:
        return None
    share = round(corrected / given, 4)
    return SeededFindings(given=given, corrected=corrected, at_first_try=counts.get(AT_ONCE, 0), share_corrected=share)


def _causal(counts: Mapping[str, int]) -> CausalFindings | None:
    names = ("followed", "ignored", "unclear", UNALTERED, UNMADE)
    followed, ignored, unclear, unaltered, unmade = (counts.get(f"{CAUSAL}{name}", 0) for name in names)
    checked = followed + ignored + unclear + unaltered + unmade
    if not checked:
        return None
    decided = followed + ignored + unclear
    return CausalFindings(
        checked=checked,
        followed=followed,
        ignored=ignored,
        unclear=unclear,
        not_alterable=unaltered,
        not_made_again=unmade,
        share_followed=round(followed / decided, 4) if decided else None,
        share_ignored=round(ignored / decided, 4) if decided else None,
    )
