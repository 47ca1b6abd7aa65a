"""Finds what a text copies word for word: from its source, or from the demonstrations in a prompt.

Small models copy the questions, claims and numbers of an example into data about something else; larger ones repeat its
turns of phrase in every trace. The rules only work for languages with spaces between words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Set
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from programs.text.words import GRAMMAR, ngrams, texts_in

if TYPE_CHECKING:
    import dspy

COPIED_RUN = 12
"""A run of this many words that a text shares with its source counts as copied: names and phrases are shorter."""
BORROWED_RUN = 8
"""A run of this many words counts as borrowed if a demonstration has it and nothing else in the prompt does."""
MIN_MEANINGFUL_WORDS = 4
"""At least this many of its words must carry meaning: anybody writes "what is the most likely explanation for the"."""
MAX_REPORTED, MAX_REPORTED_WORDS = 3, 12
"""Limits on the number of reported stretches and on the words of each, since the reasons go into the next prompt."""

_WORD = re.compile(r"\w+")
NGram = tuple[str, ...]


def copied_share(text: str, source: str) -> float:
    """The share (0-1) of the words of `text` in runs of COPIED_RUN or more that `source` has, ignoring case and signs."""
    words = _WORD.findall(text.casefold())
    return len(_covered_positions(words, _copied_runs(source), COPIED_RUN)) / len(words) if words else 0.0


# Cached, since a passage has many runs and is compared with each note about it.
@lru_cache(maxsize=4)
def _copied_runs(source: str) -> Set[NGram]:
    return frozenset(ngrams(_WORD.findall(source.casefold()), COPIED_RUN))


def _covered_positions(words: list[str], copied: Set[NGram], length: int) -> set[int]:
    """The positions of the words that lie in one of the `copied` runs of this length."""
    starts = [start for start, run in enumerate(ngrams(words, length)) if run in copied]
    return {start + offset for start in starts for offset in range(length)}


def borrowing_problems(value: Any, predict: dspy.Predict, inputs: Mapping[str, Any]) -> list[str]:
    """A reason for each stretch of words that a value takes from the predictor's demonstrations; an empty list if none.

    `value` is a text, or models, lists and mappings of texts. Case and punctuation are ignored. Words from the `inputs` of
    the call, the instruction or the descriptions of the fields are not borrowed. Neither are words from the passage of a
    demonstration, which prompts do not show, or from a demonstration for the same question.
    """
    asked = inputs.get("question")
    demos = [dict(demo) for demo in predict.demos if asked is None or dict(demo).get("question") != asked]
    if not demos:
        return []
    fields = predict.signature.fields
    shown = [{name: part for name, part in demo.items() if name in fields and name != "passage"} for demo in demos]
    if borrowed := _runs_in(value) & _runs_in(shown):
        borrowed -= _runs_in(dict(inputs)) | _runs_in(_descriptions(predict))
    stretches = dict.fromkeys(stretch for text in texts_in(value) for stretch in _stretches(_words(text), borrowed))
    return [f'takes "{words}" from an example, which is about another passage' for words in [*stretches][:MAX_REPORTED]]


def _descriptions(predict: dspy.Predict) -> list[Any]:
    """The instruction, the descriptions of the fields, and the schemas of their models."""
    fields = predict.signature.fields.values()
    described = [(field.json_schema_extra or {}).get("desc", "") for field in fields]
    models = [field.annotation for field in fields if isinstance(field.annotation, type)]
    schemas = [model.model_json_schema() for model in models if issubclass(model, BaseModel)]
    return [predict.signature.instructions, *described, *schemas]


def _stretches(words: list[str], borrowed: set[NGram]) -> Iterator[str]:
    """The longest stretches of words that consist of borrowed runs, each shortened to its first words."""
    covered = _covered_positions(words, borrowed, BORROWED_RUN)
    for is_borrowed, positions in groupby(range(len(words)), covered.__contains__):
        stretch = [words[position] for position in positions]
        if is_borrowed:
            yield " ".join(stretch if len(stretch) <= MAX_REPORTED_WORDS else [*stretch[:MAX_REPORTED_WORDS], "..."])


def _runs_in(value: Any) -> set[NGram]:
    all_runs = (run for text in texts_in(value) for run in ngrams(_words(text), BORROWED_RUN))
    return {run for run in all_runs if sum(map(_is_meaningful, run)) >= MIN_MEANINGFUL_WORDS}


def _is_meaningful(word: str) -> bool:
    return len(word) > 2 and word not in GRAMMAR and not any(map(str.isdigit, word))


def _words(text: str) -> list[str]:
    """The words without the punctuation around them; "10^-15" and "cool-core" are one word each."""
    plain = unicodedata.normalize("NFC", text).casefold()
    bare = (word.strip("\"'“”‘’«».,;:!?()[]{}<>*_…–—-") for word in plain.split())
    return [word for word in bare if word]
