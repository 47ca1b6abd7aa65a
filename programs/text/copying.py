"""What a text takes word for word: from its source, or from the demonstrations in a prompt.

Small models copy the questions, claims and numbers of an example into data about something else, larger ones its turns of
phrase into every trace. The rules need spaces between words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Set
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from programs.text.words import GRAMMAR, runs, texts_in

if TYPE_CHECKING:
    import dspy

COPIED_RUN = 12
"""So many words in a row that a text and its source have are copied: names and phrases are shorter."""
BORROWED_RUN = 8
"""So many words in a row that a demonstration has, and nothing else in the prompt, are taken from it."""
OF_SENSE = 4
"""So many of them at least must say something: "what is the most likely explanation for the" is nobody's."""
MOST_NAMED, LONGEST_NAMED = 3, 12
"""So many stretches are named, each with so many words at most: a reason goes into the next prompt."""

_WORD = re.compile(r"\w+")
Run = tuple[str, ...]


def copied_share(text: str, source: str) -> float:
    """The share (0-1) of the words of `text` in runs of COPIED_RUN or more that `source` has, but for case and signs."""
    words = _WORD.findall(text.casefold())
    return len(_covered(words, _copied_runs(source), COPIED_RUN)) / len(words) if words else 0.0


# A passage is looked at again for each of the notes about it, and its runs are many.
@lru_cache(maxsize=4)
def _copied_runs(source: str) -> Set[Run]:
    return frozenset(runs(_WORD.findall(source.casefold()), COPIED_RUN))


def _covered(words: list[str], taken: Set[Run], length: int) -> set[int]:
    """The places of the words that lie in a taken run, all of which are so long."""
    starts = [start for start, run in enumerate(runs(words, length)) if run in taken]
    return {start + place for start in starts for place in range(length)}


def borrowed(value: Any, predict: dspy.Predict, inputs: Mapping[str, Any]) -> list[str]:
    """What a value takes from the predictor's demonstrations, a reason each; nothing: an empty list.

    `value` is a text, or models, lists and mappings of texts. Case and punctuation do not matter. What stands in the
    `inputs` of the call, in the instruction or in the descriptions of the fields is taken from there; the passage of a
    demonstration is shown nowhere, and a demonstration for the very question of the call is no other one's.
    """
    asked = inputs.get("question")
    others = [dict(demo) for demo in predict.demos if asked is None or dict(demo).get("question") != asked]
    if not others:
        return []
    fields = predict.signature.fields
    shown = [{name: part for name, part in demo.items() if name in fields and name != "passage"} for demo in others]
    if taken := _runs_in(value) & _runs_in(shown):
        taken -= _runs_in(dict(inputs)) | _runs_in(_descriptions(predict))
    stretches = dict.fromkeys(found for text in texts_in(value) for found in _stretches(_words(text), taken))
    return [f'takes "{words}" from an example, which is about another passage' for words in [*stretches][:MOST_NAMED]]


def _descriptions(predict: dspy.Predict) -> list[Any]:
    """The instruction, and how the fields and what stands in them are described."""
    fields = predict.signature.fields.values()
    described = [(field.json_schema_extra or {}).get("desc", "") for field in fields]
    models = [field.annotation for field in fields if isinstance(field.annotation, type)]
    schemas = [model.model_json_schema() for model in models if issubclass(model, BaseModel)]
    return [predict.signature.instructions, *described, *schemas]


def _stretches(words: list[str], taken: set[Run]) -> Iterator[str]:
    """The longest stretches of the words that consist of taken runs, each by its first words."""
    covered = _covered(words, taken, BORROWED_RUN)
    for within, places in groupby(range(len(words)), covered.__contains__):
        stretch = [words[place] for place in places]
        if within:
            yield " ".join(stretch if len(stretch) <= LONGEST_NAMED else [*stretch[:LONGEST_NAMED], "..."])


def _runs_in(value: Any) -> set[Run]:
    found = (run for text in texts_in(value) for run in runs(_words(text), BORROWED_RUN))
    return {run for run in found if sum(map(_says_something, run)) >= OF_SENSE}


def _says_something(word: str) -> bool:
    return len(word) > 2 and word not in GRAMMAR and not any(map(str.isdigit, word))


def _words(text: str) -> list[str]:
    """The words without the signs around them; "10^-15" and "cool-core" are one each."""
    plain = unicodedata.normalize("NFC", text).casefold()
    bare = (word.strip("\"'“”‘’«».,;:!?()[]{}<>*_…–—-") for word in plain.split())
    return [word for word in bare if word]
