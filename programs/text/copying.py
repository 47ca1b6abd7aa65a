"""What a text takes word for word: from its source, from the demonstrations in a prompt, or from a benchmark.

Small models copy the questions, claims and numbers of an example into data about something else, larger ones its turns of
phrase into every trace. The rules need spaces between words.

A text gives a benchmark's question away by either of two rules:

1. an overlap of words, after appendix C of "Language Models are Few-Shot Learners" (Brown et al., 2020; arXiv 2005.14165):
   the text and the benchmark's question share GRAM words in a row, without case and punctuation. There N lies between 8
   and 13 by the length of a benchmark's examples, and what collides with more than 10 documents is taken for a common
   phrase; here a benchmark question of SHORTEST to GRAM - 1 words is one gram of its own length, and a gram that stands
   in more than COMMON of the benchmarks' questions, the frame of a prompt, say, counts for nothing;
2. nearness, of questions alone: the Jaccard similarity of their words (`near_duplicates.features`) is NEAR or more. Numbers
   and negations are not looked at: a question dropped for nothing costs little, a benchmark given away cannot be trusted
   again.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
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

GRAM = 13
SHORTEST = 8
COMMON = 10
NEAR = 0.8

FIELDS = ("question", "questionstem", "problem", "query", "prompt", "instruction", "input", "text", "messages")
"""The fields of a benchmark's record in which its question is looked for, without case and separators; the first that
holds words counts."""
FRAMES = ("prompt", "instruction")
"""Of these, where there is an `input` too, either may be the question: both count."""

_LETTERS = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"['’]")
_WORD = re.compile(r"\w+")
Run = tuple[str, ...]


def copied_share(text: str, source: str) -> float:
    """The share (0-1) of the words of `text` that lie in a run of COPIED_RUN words or more that `source` has too. Case and
    punctuation do not matter."""
    words, given = (_WORD.findall(each.casefold()) for each in (text, source))
    return len(_covered(words, {*runs(given, COPIED_RUN)}, COPIED_RUN)) / len(words) if words else 0.0


def _covered(words: list[str], taken: set[Run], length: int) -> set[int]:
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
    taken = _runs_in(value) & _runs_in(shown)
    taken = taken and taken - _runs_in(dict(inputs)) - _runs_in(_told(predict))
    stretches = dict.fromkeys(found for text in texts_in(value) for found in _stretches(_words(text), taken))
    named = [[*words[:LONGEST_NAMED], *["..."] * (len(words) > LONGEST_NAMED)] for words in [*stretches][:MOST_NAMED]]
    return [f'takes "{" ".join(words)}" from an example, which is about another passage' for words in named]


def _told(predict: dspy.Predict) -> list[Any]:
    """The instruction, and how the fields and what stands in them are described."""
    fields = predict.signature.fields.values()
    described = [(field.json_schema_extra or {}).get("desc", "") for field in fields]
    models = [field.annotation for field in fields if isinstance(field.annotation, type)]
    schemas = [model.model_json_schema() for model in models if issubclass(model, BaseModel)]
    return [predict.signature.instructions, *described, *schemas]


def _stretches(words: list[str], taken: set[Run]) -> Iterator[Run]:
    """The longest stretches of the words that consist of taken runs."""
    covered = _covered(words, taken, BORROWED_RUN)
    for within, places in groupby(range(len(words)), covered.__contains__):
        if within:
            yield tuple(words[place] for place in places)


def _runs_in(value: Any) -> set[Run]:
    found = (run for text in texts_in(value) for run in runs(_words(text), BORROWED_RUN))
    return {run for run in found if sum(map(_says_something, run)) >= OF_SENSE}


def _says_something(word: str) -> bool:
    """Whether it is neither grammar nor a number, a unit or a sign."""
    return len(word) > 2 and word not in GRAMMAR and not any(map(str.isdigit, word))


def _words(text: str) -> list[str]:
    """The words without the signs around them; "10^-15" and "cool-core" are one each."""
    plain = unicodedata.normalize("NFC", text).casefold()
    bare = (word.strip("\"'“”‘’«».,;:!?()[]{}<>*_…–—-") for word in plain.split())
    return [word for word in bare if word]


def words_of(text: str) -> list[str]:
    """The words of a text as grams are made of: compatibility forms unified, no case, no punctuation."""
    return _LETTERS.findall(_APOSTROPHE.sub("", unicodedata.normalize("NFKC", text).casefold()))


def grams(text: str, lengths: Iterable[int] = (GRAM,)) -> Iterator[int]:
    """A signed 64-bit hash for each run of so many words of a text, in order."""
    words = words_of(text)
    for run in (run for length in lengths for run in runs(words, length)):
        yield int.from_bytes(hashlib.blake2b(" ".join(run).encode(), digest_size=8).digest(), "big", signed=True)


def benchmark_grams(question: str) -> tuple[int, set[int]]:
    """The length of a benchmark question's grams and their hashes; none for a question of fewer than SHORTEST words."""
    length = min(GRAM, len(words_of(question)))
    return length, set(grams(question, (length,))) if length >= SHORTEST else set()


def questions_in(record: Mapping[str, Any]) -> list[str]:
    """The question of a benchmark's record, or what may be it; empty when no field of FIELDS holds one.

    A field is a text, a list of chat messages (what the user says in them), or an object with its `stem` or `text`.
    """
    squeezed = {re.sub(r"[\W_]", "", name.lower()): value for name, value in record.items()}
    texts = {name: text for name in FIELDS if words_of(text := _said_in(squeezed.get(name)))}
    first = next(iter(texts), None)
    if first in FRAMES and "input" in texts:
        return [texts[first], texts["input"]]
    return [texts[first]] if first else []


def _said_in(value: Any) -> str:
    if isinstance(value, dict):
        return _said_in(value.get("stem") or value.get("text") or value.get("content"))
    if isinstance(value, list):
        said = [item for item in value if not isinstance(item, dict) or item.get("role", "user") == "user"]
        return "\n".join(filter(None, map(_said_in, said)))
    return value if isinstance(value, str) else ""
