"""The proof of a compilation, which compares the program before and after on texts that no optimizer saw; its report."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import BaseModel

from optimize.measure import Measured
from optimize.metrics import composite_of
from programs.files import atomic_write
from programs.statistics.interval import Interval, interval_by_source

MIN_SOURCES = 20
"""With fewer test sources, no program is called better. If nothing changed, the interval of 8 lies above 0 for 2% of draws
(8% if losses are rarer and larger than gains), that of 20 for 0.3 to 3% (6%): `python -m tests.bench.proof`."""


class MetricComparison(BaseModel):
    """A metric's means over the examples that have it on both sides, their number of sources (`pairs`), and the interval
    of the difference."""

    before: float | None
    after: float | None
    pairs: int
    interval: Interval | None

    @property
    def cells(self) -> tuple[object, ...]:
        before, after = ("-" if mean is None else f"{mean:.3f}" for mean in (self.before, self.after))
        return before, after, self.interval or "-", self.pairs


class Failures(BaseModel):
    """How often a stage was asked, and how often its first try failed."""

    failed_before: int
    asked_before: int
    failed_after: int
    asked_after: int

    @property
    def cells(self) -> tuple[object, ...]:
        return f"{self.failed_before} of {self.asked_before}", f"{self.failed_after} of {self.asked_after}"


class Proof(BaseModel):
    """A comparison over the test split. Examples without a score (`unscored_before`, `unscored_after`) are not compared.
    `improved`: the composite's interval lies above 0, over enough sources."""

    composite: MetricComparison
    metrics: dict[str, MetricComparison]
    stages: dict[str, Failures]
    unscored_before: int = 0
    unscored_after: int = 0

    @property
    def improved(self) -> bool:
        interval = self.composite.interval
        return interval is not None and interval.low > 0 and self.composite.pairs >= MIN_SOURCES


def prove(
    before: Sequence[Measured],
    after: Sequence[Measured],
    sources: Sequence[str],
    *,
    seed: int,
    weights: Mapping[str, float],
) -> Proof:
    """Compares the measures of two programs on the same examples, which have these `sources`, in the same order."""
    both = [*zip(before, after, strict=True)]
    names = dict.fromkeys(name for measured in [*before, *after] for name in measured.metrics)
    stages = dict.fromkeys(stage for measured in [*before, *after] for stage in measured.stages)

    def compared(pairs: Iterable[Pair]) -> MetricComparison:
        sourced = zip(sources, pairs, strict=True)
        known = [(source, old, new) for source, (old, new) in sourced if old is not None and new is not None]
        return MetricComparison(
            before=fmean(old for _, old, _ in known) if known else None,
            after=fmean(new for _, _, new in known) if known else None,
            pairs=len({source for source, _, _ in known}),
            interval=interval_by_source(((source, new - old) for source, old, new in known), seed=seed),
        )

    def failures(stage: str) -> Failures:
        old, new = ([m.stages[stage] for m in side if stage in m.stages] for side in (before, after))
        failed = {"failed_before": len(old) - old.count(None), "failed_after": len(new) - new.count(None)}
        return Failures(**failed, asked_before=len(old), asked_after=len(new))

    return Proof(
        composite=compared(_comparable_scores(old, new, weights) for old, new in both),
        metrics={name: compared((_value(old, name), _value(new, name)) for old, new in both) for name in names},
        stages={stage: failures(stage) for stage in stages},
        unscored_before=sum(measured.score.value is None for measured in before),
        unscored_after=sum(measured.score.value is None for measured in after),
    )


Pair = tuple[float | None, float | None]


def _comparable_scores(old: Measured, new: Measured, weights: Mapping[str, float]) -> Pair:
    """Both composites over the metrics that both sides have: evidence chosen on one side only must not look like a change.
    A program that made no trace keeps its 0, and a judge, which has other metrics, its score. If a side has no score, there
    is nothing to compare."""
    if old.score.value is None or new.score.value is None:
        return None, None
    if weights.keys().isdisjoint(old.metrics) or weights.keys().isdisjoint(new.metrics):
        return old.score.value, new.score.value
    shared = [name for name in weights if None not in (_value(old, name), _value(new, name))]
    before, after = (composite_of({name: m.metrics[name] for name in shared}, weights).value for m in (old, new))
    return before, after


def _value(measured: Measured, name: str) -> float | None:
    return measured.metrics[name].value if name in measured.metrics else None


class TunedPredictor(BaseModel):
    """One predictor before and after; demonstrations and temperature are those after. `changed`: any of these differs."""

    instructions_before: str
    instructions_after: str
    demonstrations: int
    temperature: float | None
    changed: bool


class Report(BaseModel):
    """Everything about a compilation but the program. `data` has the hash and size of each side of the split, `spent` the
    cost by purpose over all sessions. `judges` judged while tuning, or were tuned; the proof used `report_judges`."""

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
    def changed(self) -> dict[str, TunedPredictor]:
        """The predictors that changed, by name."""
        return {name: tuned for name, tuned in self.predictors.items() if tuned.changed}

    @property
    def outcome(self) -> list[str]:
        """The outcome in a sentence, and then the warnings, one sentence each."""
        return [self._verdict(), *(f"Warning: {warning}." for warning in self.warnings)]

    def _verdict(self) -> str:
        composite = self.proof.composite
        if not self.changed:
            return "Nothing better was found: the program is unchanged."
        if composite.interval is None:
            return "Too few texts could be scored to compare the programs."
        if self.improved:
            verdict = "The compiled program is better"
        elif composite.interval.low > 0:
            verdict = "Too few sources to call the compiled program better"
        else:
            verdict = f"The compiled program is {'worse' if composite.interval.high < 0 else 'not shown to be better'}"
        before, after, interval = composite.before, composite.after, composite.interval
        return f"{verdict}: {before:.3f} before, {after:.3f} after; difference {interval}."


def write_report(report: Report, folder: Path) -> None:
    """Writes report.json, for programs, and report.md, for people."""
    for name, text in (("report.json", report.model_dump_json(indent=2) + "\n"), ("report.md", _markdown(report))):
        with atomic_write(folder / name) as file:
            file.write(text.encode())


def _markdown(report: Report) -> str:
    proof, data, settings, stages = report.proof, report.data, report.settings, report.proof.stages
    verdict, *warnings = report.outcome
    licences = ", ".join(f"{name} ({texts})" for name, texts in data["train"].get("licences", {}).items())
    weights = ", ".join(f"{name} {weight:g}" for name, weight in report.weights.items())
    report_judges, judges = (", ".join(names) or "none" for names in (report.report_judges, report.judges))
    total = Failures(**{name: sum(getattr(each, name) for each in stages.values()) for name in Failures.model_fields})
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    sides = "; ".join(f"{name}: {counts_text(side)}, hash {side['hash']}" for name, side in data.items())
    demonstrated = []
    if any(tuned.demonstrations for tuned in report.predictors.values()):
        shared = "program.json holds training texts in its demonstrations: share it only if you may share those."
        demonstrated = [f"{shared} Licences of the training texts: {licences}." if licences else shared]
    parts = [
        f"# {settings['optimizer']} on {', '.join(settings['stage'])}, for {settings['model']}",
        verdict,
        *warnings,
        *demonstrated,
        f"## Held out: {counts_text(data['test'])}",
        f"Composite: {weights}. Judges: {report_judges} here, {judges} while tuning.",
        _table(
            ("metric", "before", "after", "difference (95% interval)", "sources"),
            *((name, *compared.cells) for name, compared in {"composite": proof.composite, **proof.metrics}.items()),
        ),
        "The interval holds for one comparison. Of five optimizers that change nothing and are proved on one test split, "
        "one looks better by luck in 12 to 23% of cases: prove the one that you choose again, with another --seed.",
        "Failed first tries of each stage (missing, truncated, unreadable, or rejected by its check); for a "
        "judge, answers without a verdict:",
        _table(
            ("stage or judge", "before", "after"),
            *((name, *failures.cells) for name, failures in {**stages, "all": total}.items()),
        ),
        "## What it cost",
        _table(("for", "calls", "input tokens", "output tokens"), *map(_cost, report.spent, report.spent.values())),
        *(["## Instructions"] if report.changed else []),
    ]
    for name, tuned in report.changed.items():
        temperature = "unchanged" if tuned.temperature is None else tuned.temperature
        parts.append(f"### {name}: demonstrations {tuned.demonstrations}, temperature {temperature}")
        old, new = tuned.instructions_before, tuned.instructions_after
        parts.append("The instruction is unchanged." if old == new else _table(("before", "after"), (old, new)))
    made = f"{report.created}, commit {report.git_commit or 'unknown'}, {versions}"
    parts += ["## How it was made", f"- {made}\n- {sides}\n- seed {settings['seed']}"]
    return "\n\n".join(parts) + "\n"


def counts_text(side: Mapping[str, Any]) -> str:
    """The counts of a side of the split, in words."""
    return ", ".join(f"{count} {what}" for what, count in side.items() if isinstance(count, int))


def _cost(purpose: str, spend: Mapping[str, Any]) -> tuple[object, ...]:
    bound = "at least " if spend["uncounted"] else ""
    return purpose, spend["calls"], *(f"{bound}{spend[name]}" for name in ("prompt_tokens", "completion_tokens"))


def _table(head: Sequence[object], *rows: Sequence[object]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    texts = ([str(cell).replace("|", "\\|").replace("\n", "<br>") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in texts)
