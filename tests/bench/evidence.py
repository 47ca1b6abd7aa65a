"""How well contradicted claims are found, by the rules and, when one is named, by a model.

python -m tests.bench.evidence FILE [--model NAME] [--api-base URL] [--concurrency N] [--json OUT]

FILE holds one JSON object a line: `id`, `claim`, `label` (SUPPORT or CONTRADICT), `abstract_sentences` (the passage) and
`evidence` (the indices of the sentences that decide). A claim counts as one step of a thought, and the sentences joined by
spaces as its passage. The lexicon and the thresholds were made on the half `development` (the first byte of the BLAKE2b
hash of the id, 8 bytes long, is even); `held out` is the other.

The rules are asked twice: about the sentences that decide, as if they had been found, and about what they find themselves,
as in a run. A model is asked as in `--check-steps`, one claim a call; what it gives no readable verdict on is unread, and
counts as neither caught nor a false alarm.
"""

import argparse
import asyncio
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import dspy
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.table import Table

from programs.asking.adapter import PassageFirstAdapter
from programs.asking.calling import Caller
from programs.asking.models import ModelTable, concurrency_of
from programs.checks.contradiction import Sentence, contradiction
from programs.checks.passage_search import Source
from programs.checks.sentences import Span
from programs.checks.step_evidence import step_evidence
from programs.cli.options import run_cli
from programs.errors import UserError
from programs.extras.step_checker import likely_sentences
from programs.inputs.sample import sample_of
from programs.passage import Passage
from programs.settings import Settings
from programs.stages.steps import StepStage, StepToCheck, verdicts_in

Row = dict[str, Any]


class Case(BaseModel):
    """A claim about a passage, and what people say of it."""

    id: str
    claim: str
    label: Literal["SUPPORT", "CONTRADICT"]
    abstract_sentences: list[str]
    evidence: list[int]

    @property
    def development(self) -> bool:
        """Whether the rules were made with this case in view."""
        return hashlib.blake2b(self.id.encode(), digest_size=8).digest()[0] % 2 == 0

    @property
    def text(self) -> str:
        return " ".join(self.abstract_sentences)

    @property
    def spans(self) -> list[Span]:
        spans, start = [], 0
        for sentence in self.abstract_sentences:
            spans.append(Span(start, start + len(sentence)))
            start += len(sentence) + 1
        return spans


@dataclass(frozen=True)
class Finding:
    """What the rules find for a case: whether it is contradicted, given the sentences that decide and by what they find
    alone; their ranking of the sentences; how many numbers stand nowhere."""

    given: bool
    alone: bool
    ranked: list[int]
    unfound_numbers: int


def cases_in(path: Path) -> list[Case]:
    """The cases of a file. Raises `UserError` when it holds something else."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    cases = []
    for number, line in enumerate(lines, start=1):
        try:
            cases += [Case.model_validate_json(line)] if line.strip() else []
        except ValidationError as error:
            raise UserError(f"{path}, line {number}, is no claim: {str(error).splitlines()[2].strip()}") from None
    return cases


def by_rules(case: Case) -> Finding:
    """What the rules find."""
    source = Source(case.text, case.spans)
    claim = Sentence(case.claim)
    found = step_evidence(case.claim, source)
    return Finding(
        given=any(contradiction(claim, source.sentences[index]) for index in case.evidence),
        alone=found.status == "contradicted",
        ranked=[one.index for one in source.find(claim)],
        unfound_numbers=len(found.unfound_numbers),
    )


async def by_model(cases: Sequence[Case], settings: Settings) -> list[bool | None]:
    """Whether a model says that the passage contradicts each claim."""
    models = ModelTable(settings)
    turns = asyncio.Semaphore(settings.concurrency or concurrency_of(models.main))
    caller, stage = Caller(models.of, strict=True), StepStage()

    async def ask(case: Case) -> bool | None:
        passage = Passage(sample_of(case.text))
        step = StepToCheck(1, case.claim, likely_sentences(case.claim, passage))
        ask = stage.ask(passage, [step], f"{passage.sample.id}/{case.id}", settings.model)
        async with turns:
            reply = await caller.aanswer(ask)
        verdict = verdicts_in(reply, [1], len(passage.spans)).get(1)
        return None if verdict is None else verdict.status == "contradicted"

    try:
        await models.reach()
        with dspy.context(adapter=PassageFirstAdapter(), disable_history=True, trace=None):
            return list(await asyncio.gather(*map(ask, cases)))
    finally:
        await models.close()


def rows_of(cases: Sequence[Case], findings: Sequence[Finding], said: Sequence[bool | None] | None) -> list[Row]:
    """The figures of each half and of both."""
    numbers = range(len(cases))
    halves: dict[str, list[int]] = {
        "development": [number for number in numbers if cases[number].development],
        "held out": [number for number in numbers if not cases[number].development],
        "both": list(numbers),
    }
    return [
        _row(name, [(cases[i], findings[i], said[i] if said else None) for i in half], said is not None)
        for name, half in halves.items()
    ]


def _row(name: str, half: Sequence[tuple[Case, Finding, bool | None]], asked: bool) -> Row:
    flipped = [(case, found, said) for case, found, said in half if case.label == "CONTRADICT"]
    sound = [(case, found, said) for case, found, said in half if case.label == "SUPPORT"]
    row: Row = {
        "half": name,
        "claims that are contradicted": len(flipped),
        "claims that are supported": len(sound),
        "rules, given the sentences that decide: caught": _share(found.given for _, found, _ in flipped),
        "rules, given the sentences that decide: false alarms": _share(found.given for _, found, _ in sound),
        "rules alone: caught": _share(found.alone for _, found, _ in flipped),
        "rules alone: false alarms": _share(found.alone for _, found, _ in sound),
        "a sentence that decides is the best": _share(_among(case, found, 1) for case, found, _ in half),
        "a sentence that decides is among the best three": _share(_among(case, found, 3) for case, found, _ in half),
        "some sentence is found": _share(bool(found.ranked) for _, found, _ in half),
        "contradicted claims with numbers found nowhere": _share(found.unfound_numbers > 0 for _, found, _ in flipped),
        "supported claims with numbers found nowhere": _share(found.unfound_numbers > 0 for _, found, _ in sound),
    }
    if asked:
        row["model: caught"] = _share(said for _, _, said in flipped)
        row["model: false alarms"] = _share(said for _, _, said in sound)
        row["model: unread"] = _share(said is None for _, _, said in half)
        row["rules or model: caught"] = _share(found.alone or said for _, found, said in flipped)
        row["rules or model: false alarms"] = _share(found.alone or said for _, found, said in sound)
    return row


def _among(case: Case, found: Finding, best: int) -> bool:
    return not set(case.evidence).isdisjoint(found.ranked[:best])


def _share(values: Iterable[bool | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known)}/{len(known)} ({100 * sum(known) / len(known):.0f}%)" if known else "-"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints a table and writes JSON where it is told to."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.evidence", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--model", help="also ask this model, as --check-steps does")
    parser.add_argument("--api-base", nargs="+", default=[])
    parser.add_argument("--concurrency", type=int)
    parser.add_argument("--json", type=Path, help="where to write the figures, and what was found for each claim")
    given = parser.parse_args(arguments)
    cases = cases_in(given.file)
    findings = [by_rules(case) for case in cases]
    said = None
    if given.model:
        settings = Settings(model=given.model, api_base=given.api_base, concurrency=given.concurrency)
        said = asyncio.run(by_model(cases, settings))
    rows = rows_of(cases, findings, said)
    Console().print(_table(rows))
    if given.json:
        each = [
            {"id": case.id, "label": case.label, **asdict(found), "model": said[number] if said else None}
            for number, (case, found) in enumerate(zip(cases, findings, strict=True))
        ]
        given.json.write_text(json.dumps({"model": given.model, "rows": rows, "claims": each}, indent=2) + "\n")
    return 0


def _table(rows: Sequence[Row]) -> Table:
    table = Table(title="contradicted claims")
    table.add_column("")
    for row in rows:
        table.add_column(str(row["half"]), justify="right")
    for key in list(rows[0])[1:]:
        table.add_row(key, *(str(row[key]) for row in rows))
    return table


if __name__ == "__main__":
    run_cli(main)
