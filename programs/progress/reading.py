"""The input as a run reads it, and how much of it is still to come."""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from programs.inputs.report import ReadReport
from programs.inputs.sample import Place, Sample
from programs.progress.extent import Extent

Samples = Callable[[bool], Iterator[Sample | None]]
"""Starts reading anew: a sample or None for each line. The reading with True is the one that is counted."""


class Reading:
    """Reads with `source`. `report` is of the counted reading; `done` texts of the input were finished by earlier runs.

    The texts to come are expected of the lines, rows and documents that are left, as many of each as of those before.
    """

    def __init__(self, source: Samples, report: ReadReport, extent: Extent, done: int) -> None:
        self._source = source
        self._report = report
        self._extent = extent
        self._done = done
        self._numbers = {str(one.name): number for number, one in enumerate(extent.sources)}
        self._at: Place | None = None
        self._given = self._given_before = self._done_before = 0
        self._held = 0
        self._over = False

    def samples(self, counted: bool) -> Iterator[Sample | None]:
        """The input from its beginning."""
        for sample in self._source(counted):
            if counted and sample is not None:
                self._gives(sample.place)
            # Whoever reads holds a text until there is room for it, and asks for another only then.
            self._held = int(sample is not None) if counted else self._held
            yield sample
        if counted:
            self._held, self._over = 0, True

    def to_begin(self) -> float | None:
        """How many texts are still to be begun, the one that was read last included; None where nobody knows."""
        if self._over:
            return float(self._held)
        sizes = self._extent.sizes
        if sizes is None:
            return None
        passed = self._passed(sizes)
        before = self._given_before + self._done_before
        texts_a_unit = before / passed if passed else self._first_guess()
        if texts_a_unit is None:
            return None
        rest = texts_a_unit * (sum(sizes) - passed) - max(0, self._done - self._done_before)
        return max(0.0, rest - (self._given - self._given_before)) + self._held

    def _gives(self, place: Place) -> None:
        """A text of this place is given. Those before it come of the units that are passed."""
        if self._at is None or self._unit(place) != self._unit(self._at):
            self._at, self._given_before, self._done_before = place, self._given, self._report.done
        self._given += 1

    def _unit(self, place: Place) -> tuple[int, int]:
        """The source, and the line or row in it; passages of a document are one unit."""
        number = self._numbers[place.file]
        return number, place.line if self._extent.sources[number].kind in ("lines", "parquet") else 1

    def _passed(self, sizes: Sequence[int]) -> int:
        if self._at is None:
            return 0
        number, line = self._unit(self._at)
        return list(accumulate(sizes, initial=0))[number] + line - 1

    def _first_guess(self) -> float | None:
        """A line or a row has one text; what a document has only its like can tell."""
        counted = all(source.kind in ("lines", "parquet") for source in self._extent.sources)
        return 1.0 if counted else None


class Chosen:
    """Gives the texts that a pilot chose, in place of the input."""

    def __init__(self, texts: Sequence[Sample]) -> None:
        self._texts = texts
        self._left = len(texts)

    def samples(self, counted: bool) -> Iterator[Sample | None]:
        """The texts from the first."""
        for sample in self._texts:
            yield sample
            self._left -= int(counted)

    def to_begin(self) -> float | None:
        """How many texts are still to be begun, the one that was given last included."""
        return float(self._left)
