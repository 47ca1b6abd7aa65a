"""What a compilation is worth on texts that no optimizer saw, before and after: the proof; and its report."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import BaseModel

from optimize.measure import Measured
from optimize.metrics import combined
from programs.files import in_place
from programs.statistics.interval import Interval, interval_over

FEWEST_SOURCES = 20
"""With fewer test sources nothing is called better. Where nothing changed, the interval of 8 lies above 0 for 2% of draws
(8% where losses are rarer and larger than gains), that of 20 for 0.3 to 3% (6%): `python -m tests.bench.proof`."""


class Compared(BaseModel):
    """A metric's means over what has it before and after, of so many sources (`pairs`), and the difference's interval."""

    before: float | None
    after: float | None
    pairs: int
    interval: Interval | None

    @property
    def cells(self) -> tuple[object, ...]:
        before, after = ("-" if mean is None else f"{mean:.3f}" for mean in (self.before, self.after))
        return before, after, self.interval or "-", self.pairs


class Failures(BaseModel):
    """How often a stage's first try failed, of how often it was asked."""

    failed_before: int
    asked_before: int
    failed_after: int
    asked_after: int

    @property
    def cells(self) -> tuple[object, ...]:
        return f"{self.failed_before} of {self.asked_before}", f"{self.failed_after} of {self.asked_after}"


class Proof(BaseModel):
    """A comparison over the test split. Examples without a score (`unscored_before`, `unscored_after`) are not compared.
    `improved`: the composite's interval lies above 0, over sources enough."""

    composite: Compared
    metrics: dict[str, Compared]
    stages: dict[str, Failures]
    unscored_before: int = 0
    unscored_after: int = 0

    @property
    def improved(self) -> bool:
        interval = self.composite.interval
        return interval is not None and interval.low > 0 and self.composite.pairs >= FEWEST_SOURCES


def prove(
    before: Sequence[Measured],
    after: Sequence[Measured],
    sources: Sequence[str],
    *,
    seed: int,
    weights: Mapping[str, float],
) -> Proof:
    """Compares two programs' measures, by these weights, of the same examples of these sources, in the same order."""
    both = [*zip(before, after, strict=True)]
    names = dict.fromkeys(name for one in [*before, *after] for name in one.metrics)
    stages = dict.fromkeys(stage for one in [*before, *after] for stage in one.stages)

    def compared(pairs: Iterable[Pair]) -> Compared:
        sided = zip(sources, pairs, strict=True)
        known = [(source, old, new) for source, (old, new) in sided if old is not None and new is not None]
        return Compared(
            before=fmean(old for _, old, _ in known) if known else None,
            after=fmean(new for _, _, new in known) if known else None,
            pairs=len({source for source, _, _ in known}),
            interval=interval_over(((source, new - old) for source, old, new in known), seed=seed),
        )

    def failures(stage: str) -> Failures:
        old, new = ([one.stages[stage] for one in side if stage in one.stages] for side in (before, after))
        failed = {"failed_before": len(old) - old.count(None), "failed_after": len(new) - new.count(None)}
        return Failures(**failed, asked_before=len(old), asked_after=len(new))

    return Proof(
        composite=compared(_comparable(one, other, weights) for one, other in both),
        metrics={name: compared((_value(one, name), _value(other, name)) for one, other in both) for name in names},
        stages={stage: failures(stage) for stage in stages},
        unscored_before=sum(one.score.value is None for one in before),
        unscored_after=sum(one.score.value is None for one in after),
    )


Pair = tuple[float | None, float | None]


def _comparable(one: Measured, other: Measured, weights: Mapping[str, float]) -> Pair:
    """Both scores over the metrics that both have: evidence that was chosen on one side alone must not look like a change.
    A program that gave no trace keeps its 0; a side without a score leaves nothing to compare."""
    if one.score.value is None or other.score.value is None:
        return None, None
    if one.record is None or other.record is None:
        return one.score.value, other.score.value
    shared = [name for name in weights if None not in (_value(one, name), _value(other, name))]
    old, new = (combined({name: m.metrics[name] for name in shared}, weights).value for m in (one, other))
    return old, new


def _value(measured: Measured, name: str) -> float | None:
    return measured.metrics[name].value if name in measured.metrics else None


class TunedPredictor(BaseModel):
    """One predictor before and after; demonstrations and temperature are those after. `changed`: in any of these."""

    instructions_before: str
    instructions_after: str
    demonstrations: int
    temperature: float | None
    changed: bool


class Report(BaseModel):
    """Everything about a compilation but the program. `data` has the hash and the size of each split, `spent` what was paid
    by purpose over all sessions. `judges` optimised, or were tuned; `report_judges` judged the proof, or were proved."""

    settings: dict[str, Any]
    created: str
    versions: dict[str, str]
    git_commit: str | None
    data: dict[str, dict[str, Any]]
    improved: bool
    spent: dict[str, dict[str, Any]]
    warnings: list[str]
    predictors: dict[str, TunedPredictor]
    judges: list[str]
    report_judges: list[str]
    weights: dict[str, float]
    proof: Proof

    @property
    def outcome(self) -> list[str]:
        """The outcome in a sentence, and then what a reader should know before believing it, a sentence each."""
        return [self._verdict(), *(f"Warning: {warning}." for warning in self.warnings)]

    def _verdict(self) -> str:
        found = self.proof.composite
        if not any(tuned.changed for tuned in self.predictors.values()):
            return "Nothing better was found: the program is as it was."
        if found.interval is None:
            return "Too few texts could be scored to compare the programs."
        if self.improved:
            verdict = "The compiled program is better"
        elif found.interval.low > 0:
            verdict = "Too few sources prove to call the compiled program better"
        else:
            verdict = f"The compiled program is {'worse' if found.interval.high < 0 else 'not shown to be better'}"
        return f"{verdict}: {found.before:.3f} before, {found.after:.3f} after; the difference {found.interval}."


def write_report(report: Report, folder: Path) -> None:
    """Writes report.json, for programs, and report.md, for people."""
    for name, text in (("report.json", report.model_dump_json(indent=2) + "\n"), ("report.md", _markdown(report))):
        with in_place(folder / name) as file:
            file.write(text.encode())


def _markdown(report: Report) -> str:
    proof, data, given, stages = report.proof, report.data, report.settings, report.proof.stages
    verdict, *warned = report.outcome
    licences = ", ".join(f"{name} ({texts})" for name, texts in data["train"].get("licences", {}).items())
    weights = ", ".join(f"{name} {weight:g}" for name, weight in report.weights.items())
    judges, others = (", ".join(names) or "nobody" for names in (report.report_judges, report.judges))
    total = Failures(**{name: sum(getattr(one, name) for one in stages.values()) for name in Failures.model_fields})
    made_by = ", ".join(f"{name} {found}" for name, found in report.versions.items())
    sides = "; ".join(f"{name}: {counts(side)}, hash {side['hash']}" for name, side in data.items())
    parts = [
        f"# {given['optimizer']} on {', '.join(given['stage'])}, for {given['model']}",
        verdict,
        *warned,
        "program.json holds training texts in its demonstrations: share it only where you may share those."
        + (f" Licences of the training texts: {licences}." if licences else ""),
        f"## Held out: {counts(data['test'])}",
        f"The composite: {weights}. Judged by {judges}; while tuning by {others}.",
        _table(
            ("metric", "before", "after", "difference (95% interval)", "sources"),
            *((name, *one.cells) for name, one in {"composite": proof.composite, **proof.metrics}.items()),
        ),
        "The interval holds for one comparison. Of five optimizers that are proved on one test split and change nothing, "
        "one is found better by luck in 12 to 23% of cases: prove what you choose again, with another --seed.",
        "First tries of a stage that failed (missing, cut off, unreadable, repetitive, or against its check); for a judge, "
        "answers without a verdict:",
        _table(
            ("stage or judge", "before", "after"),
            *((name, *one.cells) for name, one in {**stages, "all": total}.items()),
        ),
        "## What it cost",
        _table(("for", "calls", "tokens read", "tokens written"), *map(_cost, report.spent, report.spent.values())),
        "## The instructions",
    ]
    for name, tuned in report.predictors.items():
        if tuned.changed:
            heat = "as it was" if tuned.temperature is None else tuned.temperature
            parts.append(f"### {name}: demonstrations {tuned.demonstrations}, temperature {heat}")
            old, new = tuned.instructions_before, tuned.instructions_after
            parts.append("The instruction is as it was." if old == new else _table(("before", "after"), (old, new)))
    made = f"{report.created}, commit {report.git_commit or 'unknown'}, {made_by}"
    parts += ["## How it was made", f"- {made}\n- {sides}\n- seed {given['seed']}"]
    return "\n\n".join(parts) + "\n"


def counts(side: Mapping[str, Any]) -> str:
    """How much there is on a side, in words."""
    return ", ".join(f"{count} {what}" for what, count in side.items() if isinstance(count, int))


def _cost(purpose: str, spend: Mapping[str, Any]) -> tuple[object, ...]:
    least = "at least " if spend["uncounted"] else ""
    return purpose, spend["calls"], *(f"{least}{spend[name]}" for name in ("prompt_tokens", "completion_tokens"))


def _table(head: Sequence[object], *rows: Sequence[object]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    texts = ([str(cell).replace("|", "\\|").replace("\n", "<br>") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in texts)
