"""What a reply takes word for word from the demonstrations in its prompt: they are about other passages.

Small models copy the questions, claims and numbers of an example into data about something else, larger ones its turns of
phrase into every trace.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from programs.checks.copying import runs, words_in

RUN = 8
"""So many words in a row that a demonstration has, and nothing else that the stage was given, are taken from it."""

BORROWED = "from an example, which is about another passage"
"""How every reason ends."""

MOST_NAMED = 3
"""Of what was taken so much is named: a reason goes into the next prompt."""


def borrowed(value: Any, demos: Sequence[Mapping[str, Any]], inputs: Mapping[str, Any]) -> list[str]:
    """What a value takes from demonstrations, a reason each; nothing: an empty list. `value` is a text, or models, lists
    and mappings of texts. Case and punctuation do not matter, and the passage of a demonstration is shown nowhere."""
    if not demos:
        return []
    shown = [{name: part for name, part in dict(demo).items() if name != "passage"} for demo in demos]
    foreign = _runs_in(shown) - _runs_in(dict(inputs))
    taken = dict.fromkeys(run for text in _texts(value) for run in _taken(words_in(text), foreign))
    return [f'takes "{run}" {BORROWED}' for run in [*taken][:MOST_NAMED]]


def _taken(words: list[str], foreign: set[tuple[str, ...]]) -> Iterator[str]:
    """The longest stretches of the words that consist of foreign runs."""
    start = end = -1
    for place, run in enumerate(runs(words, RUN)):
        if run not in foreign:
            continue
        if place > end:
            if end > 0:
                yield " ".join(words[start:end])
            start = place
        end = place + RUN
    if end > 0:
        yield " ".join(words[start:end])


def _runs_in(value: Any) -> set[tuple[str, ...]]:
    return {run for text in _texts(value) for run in runs(words_in(text), RUN)}


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value, depth first."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        yield from _texts(value.model_dump(mode="json"))
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
