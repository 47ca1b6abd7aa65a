"""What a reply takes word for word from the demonstrations in its prompt: they are about other passages.

Small models copy the questions, claims and numbers of an example into data about something else, larger ones its turns of
phrase into every trace. The rule needs spaces between words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from programs.text.copying import runs
from programs.text.texts import texts_in
from programs.text.words import GRAMMAR

if TYPE_CHECKING:
    import dspy

RUN = 8
"""So many words in a row that a demonstration has, and nothing else in the prompt, are taken from it."""

OF_SENSE = 4
"""So many of them at least must say something: "what is the most likely explanation for the" is nobody's."""

MOST_NAMED, LONGEST_NAMED = 3, 12
"""So many stretches are named, each with so many words at most: a reason goes into the next prompt."""

BORROWED = "from an example, which is about another passage"
"""How every reason ends."""

Run = tuple[str, ...]


def borrowed(value: Any, predict: dspy.Predict, inputs: Mapping[str, Any]) -> list[str]:
    """What a value takes from the predictor's demonstrations, a reason each; nothing: an empty list.

    `value` is a text, or models, lists and mappings of texts. Case and punctuation do not matter. What stands in the
    `inputs` of the call, in the instruction or in the descriptions of the fields is taken from there; the passage of a
    demonstration is shown nowhere, and a demonstration for the very question of the call is no other one's.
    """
    shown = [_shown(demo, predict) for demo in predict.demos if not _is_own(demo, inputs)]
    if not shown:
        return []
    taken = _runs_in(value) & _runs_in(shown)
    taken = taken and taken - _runs_in(dict(inputs)) - _runs_in(_told(predict))
    stretches = dict.fromkeys(found for text in texts_in(value) for found in _stretches(_words(text), taken))
    return [f'takes "{_named(words)}" {BORROWED}' for words in [*stretches][:MOST_NAMED]]


def _shown(demo: Mapping[str, Any], predict: dspy.Predict) -> dict[str, Any]:
    """What the prompt shows of a demonstration."""
    return {name: value for name, value in dict(demo).items() if name in predict.signature.fields and name != "passage"}


def _is_own(demo: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    asked = inputs.get("question")
    return asked is not None and dict(demo).get("question") == asked


def _told(predict: dspy.Predict) -> list[Any]:
    """The instruction, and how the fields and what stands in them are described."""
    fields = predict.signature.fields.values()
    described = [(field.json_schema_extra or {}).get("desc", "") for field in fields]
    models = [field.annotation for field in fields if isinstance(field.annotation, type)]
    schemas = [model.model_json_schema() for model in models if issubclass(model, BaseModel)]
    return [predict.signature.instructions, *described, *schemas]


def _stretches(words: list[str], taken: set[Run]) -> Iterator[Run]:
    """The longest stretches of the words that consist of taken runs."""
    start = end = -1
    for place, run in enumerate(runs(words, RUN)):
        if run not in taken:
            continue
        if place > end:
            if end > 0:
                yield tuple(words[start:end])
            start = place
        end = place + RUN
    if end > 0:
        yield tuple(words[start:end])


def _named(words: Sequence[str]) -> str:
    return " ".join([*words[:LONGEST_NAMED], *(["..."] if len(words) > LONGEST_NAMED else [])])


def _runs_in(value: Any) -> set[Run]:
    return {run for text in texts_in(value) for run in runs(_words(text), RUN) if _has_sense(run)}


def _has_sense(run: Run) -> bool:
    return sum(map(_says_something, run)) >= OF_SENSE


def _says_something(word: str) -> bool:
    """Whether it is neither grammar nor a number, a unit or a sign."""
    return len(word) > 2 and word not in GRAMMAR and not any(map(str.isdigit, word))


def _words(text: str) -> list[str]:
    """The words without the signs around them; "10^-15" and "cool-core" are one each."""
    plain = unicodedata.normalize("NFC", text).casefold()
    bare = (word.strip("\"'“”‘’«».,;:!?()[]{}<>*_…–—-") for word in plain.split())
    return [word for word in bare if word]
