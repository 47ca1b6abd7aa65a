"""One run as a report sees it: what it says of itself, what was counted of its traces."""

from dataclasses import dataclass
from pathlib import Path

from programs.document_metadata import JudgeAgreement, ThoughtDistributions
from programs.reports.options import ReportOptions
from programs.reports.origin import Facts, opened
from programs.reports.sample import Sample
from programs.reports.statistics import Statistics


@dataclass(frozen=True)
class Reading:
    """A run that was read. `name` is its short name in this report, `note` what its file lacks."""

    name: str
    path: Path
    note: str | None
    facts: Facts
    counted: Statistics

    @property
    def judges(self) -> JudgeAgreement | None:
        """How far the judges agree: as the document says, which knows what was turned down, else as counted."""
        return self.facts.judges or self.counted.agreement.result()

    @property
    def thoughts(self) -> ThoughtDistributions | None:
        """How the accepted traces' thoughts are distributed; None without one."""
        return self.counted.thoughts.result()


def read(options: ReportOptions) -> tuple[list[Reading], Sample]:
    """Reads all that a report is made from, once, as a stream. Raises `UserError` and `JournalError`."""
    sample = Sample(options.max_traces, int(2 * options.max_megabytes * 1e6))
    names = _names(options.inputs)
    readings = []
    for number, (path, name) in enumerate(zip(options.inputs, names, strict=True)):
        with opened(path) as origin:
            counted = Statistics()
            for seen in origin.seen():
                counted.add(seen)
                sample.add(seen, number)
            readings.append(Reading(name, origin.path, origin.note, origin.facts(), counted))
    return readings, sample


def _names(paths: list[Path]) -> list[str]:
    """The shortest names that tell the documents apart."""
    stems = [path.name.removesuffix(".jsonl").removesuffix(".json").removesuffix(".journal") for path in paths]
    if len(set(stems)) == len(stems):
        return stems
    folders = [f"{path.resolve().parent.name}/{stem}" for path, stem in zip(paths, stems, strict=True)]
    return folders if len(set(folders)) == len(folders) else [str(path) for path in paths]
