"""A sample's text as the stages see it: in numbered sentences with known positions."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from programs.inputs.sample import Sample
from programs.text.injection import injection_flags
from programs.text.sentences import Span, numbered_lines, split_sentences


@dataclass(frozen=True)
class Passage:
    """A sample prepared for the stages. `spans[n - 1]` is the position of sentence n in `sample.text`."""

    sample: Sample

    @cached_property
    def spans(self) -> list[Span]:
        return split_sentences(self.sample.text)

    @cached_property
    def flags(self) -> list[str]:
        return injection_flags(self.sample.text)

    @cached_property
    def shown(self) -> str:
        """What every stage is given: the title and domain if they are known, then the numbered sentences."""
        sample = self.sample
        known = ((sample.title, sample.title_given), (sample.domain, sample.domain_given))
        head = " - ".join(words for words, given in known if given)
        body = numbered_lines(sample.text, self.spans)
        return f"{head}\n\n{body}" if head else body

    def quoted(self, number: int) -> dict[str, Any]:
        """Sentence `number`, counted from 1, as records hold it: `quote`, `start` and `end`; empty if there is no such
        sentence."""
        if not 1 <= number <= len(self.spans):
            return {}
        span = self.spans[number - 1]
        return {"quote": self.sample.text[span.start : span.end], "start": span.start, "end": span.end}
