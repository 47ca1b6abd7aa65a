"""What a proof found: results.json, a page (page.md.jinja), and a picture of the intervals (intervals.svg.jinja)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from pydantic import BaseModel

from programs.exports.card import rendered
from programs.files import in_place
from programs.proving.distributions import Distributions
from programs.proving.lift import Lift
from programs.proving.verdict import Training
from programs.statistics.interval import FEW, Interval

HERE = Path(__file__)
PICTURE = "intervals.svg"


class Results(BaseModel):
    """The results of the tiers that were run. `options` are those that were given or defaulted, without paths."""

    document: str
    made: str
    program: str
    versions: dict[str, str]
    seed: int
    options: dict[str, Any]
    student: str | None
    distributions: Distributions
    lift: Lift | None = None
    training: Training | None = None

    def summary_lines(self) -> Iterator[str]:
        """What a person must know first, a line each."""
        found = self.distributions
        if self.training is not None:
            yield self.training.verdict
        yield (
            f"{found.thoughts.traces} traces of {found.papers} papers or texts, {found.vendi:.1f} different thoughts in "
            f"effect among {found.sampled} (Vendi score)"
        )
        yield from found.cautions
        if found.given_away is not None:
            yield f"{len(found.given_away)} texts give a question of the given files away"
        if self.lift is not None:
            yield f"lift of the thoughts, in nats a token of the answer: {interval_text(self.lift.own)}"

    def write(self, folder: Path) -> None:
        """Writes the files. Raises `StorageError` for what the disk refuses."""
        bars = [(name, one) for name, one in self._intervals() if one is not None]
        files = {"results.json": self.model_dump_json(indent=2) + "\n", "README.md": self._page()}
        for name, text in {**files, **({PICTURE: _picture(bars)} if bars else {})}.items():
            with in_place(folder / name) as file:
                file.write(text.encode())

    def _page(self) -> str:
        kinds = {kind: count.traces for kind, count in self.distributions.thoughts.kinds.items()}
        more = {
            "summary": self.summary_lines(),
            "kinds": kinds,
            "picture": PICTURE,
            "few": FEW,
            "interval": interval_text,
        }
        return rendered(HERE.with_name("page.md.jinja"), **vars(self), **more)

    def _intervals(self) -> Iterator[tuple[str, Interval | None]]:
        if found := self.lift:
            yield from (("lift of its own thought", found.own), ("lift of another's thought", found.other))
            yield "own above another's", found.more
        for one in self.training.comparisons if self.training else ():
            if one.figure == "loss":
                yield f"trained: thoughts against {one.against}", one.interval


def interval_text(found: Interval | None) -> str:
    """A difference with its interval."""
    return "unknown: too few papers" if found is None else str(found)


def _picture(bars: list[tuple[str, Interval]]) -> str:
    low, high = min(0.0, *(one.low for _, one in bars)), max(0.0, *(one.high for _, one in bars))
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(HERE.with_name("intervals.svg.jinja").read_text(encoding="utf-8"))
    return template.render(bars=bars, low=low, high=high, scale=380 / ((high - low) or 1))
