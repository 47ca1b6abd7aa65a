"""Reading a reply as it was meant, and saying what is wrong with one that cannot be.

What people would read without asking back is read: `docs/pipeline.md` has the table. What they would have to guess is not:
it is left out where the type allows that (an item of a list, a field with a default), or else the reply is not read.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from programs.asking.objects import objects_in
from programs.asking.schema import Outputs, Schema, reply_type, taken_schema
from programs.text.sentences import cut_at_sentence
from signatures.prompt import NOTE, WHOLE, longest_taken

_SHORTEST_BEGINNING = 3
_INFLECTED = 5
"""A name of so many letters may have up to three more at its end: "beginners" is a beginner, "none" is not "no"."""

_TAKES_BACK = frozenset({"not", "no", "never", "but", "or", "hardly", "partly", "except", "unless"})

NO_OBJECT = "The reply is not one whole JSON object."

_MOST_FAULTS = 20
_FEWEST_WORDS, _LONGEST_WORD = 5, 50
_BAD: Any = object()
"""In place of a value that cannot be read."""

# One whole number, with words or brackets around it: "[8]", "8.", "sentence 8", "85%", "8/10", "85 out of 100".
_NUMBER = re.compile(
    r"(?:[^\d.,%/-]|\.\s){0,24}(?P<number>\d{1,9})(?:\.0*)?"
    r"\s*(?:(?P<percent>%)|(?:/|out\s+of|of)\s*(?P<most>\d{1,9})(?:\.0*)?)?[^\d%/]{0,24}"
)
_BETWEEN_NUMBERS = re.compile(r"[,;]|\band\b")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

Location = tuple[int | str, ...]
"""Where in a reply a fault is, as pydantic says it."""


class Misread(ValueError):
    """A reply that has another form than was asked for, or (`cut`) ends in the middle of a sentence; `faults` says where
    and how, each whole."""

    def __init__(self, faults: list[str], cut: bool = False) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults
        self.cut = cut


def read(text: str, outputs: Outputs) -> dict[str, Any]:
    """The values of the last object in a text that is as it was asked for, in their types. Raises `Misread`."""
    found, misread = objects_in(text), None
    for fields in reversed(found.objects):
        try:
            return as_meant(fields, outputs)
        except Misread as error:
            # What stands before a reply is a draft: its faults say nothing.
            misread = misread or error
    raise misread or Misread(["The reply stops in the middle." if found.cut else NO_OBJECT], found.cut)


def as_meant(fields: Mapping[str, Any], outputs: Outputs) -> dict[str, Any]:
    """The values of a reply's fields, in their types. Raises `Misread`."""
    schema = taken_schema(outputs)
    value = _object(fields, schema)
    while True:
        try:
            made = reply_type(outputs).model_validate(value)
            break
        except ValidationError as error:
            better = _without_faults(value, schema, [fault["loc"] for fault in error.errors(include_url=False)])
            if better is _BAD or better == value:
                raise Misread(_faults(error)) from error
            value = better
    cut = unfinished_field(value, schema)
    if cut is not None:
        raise Misread([f"{cut} stops in the middle of a sentence: write it to its end"], cut=True)
    return {name: getattr(made, name) for name, _ in outputs}


def _as_meant(value: Any, schema: Schema) -> Any:
    """The value as the schema's kind of value, where there is no doubt about it; otherwise as it is."""
    kind = schema.get("type")
    if isinstance(value, list) and len(value) == 1 and kind != "array":
        value = value[0]
    if "enum" in schema or "const" in schema:
        return _choice(value, schema.get("enum") or [schema["const"]]) if isinstance(value, str) else value
    if kind == "integer":
        return _whole_number(value, schema)
    if kind == "string":
        number = isinstance(value, int | float) and not isinstance(value, bool)
        value = json.dumps(value) if number else value
        return _text(value, schema) if isinstance(value, str) else value
    if kind == "array" and value is not None:
        return _list(value, schema)
    # A mapping of any names has no properties.
    return _object(value, schema) if "properties" in schema else value


def _text(value: str, schema: Schema) -> str:
    """A text without control characters. A note that runs on is taken as far as its last whole sentence that fits."""
    text, most = _CONTROL.sub("", value.replace("\r\n", "\n")), schema.get("maxLength", NOTE + 1)
    if most <= NOTE and len(text) > (taken := longest_taken(most)):
        whole = cut_at_sentence(text, taken)
        return whole if whole.endswith((".", "!", "?")) else text
    return text


def _choice(value: str, names: Sequence[Any]) -> Any:
    said, known = _plain(value), {_plain(str(name)): name for name in names}
    near = [known[said]] if said in known else [known[plain] for plain in known if _means(said, plain, known)]
    return near[0] if len(near) == 1 else value


def _means(said: str, name: str, known: Mapping[str, Any]) -> bool:
    """Whether what was said is the beginning of a name, or the name and more, which names no other and denies nothing."""
    if name.startswith(said):
        return len(said) >= _SHORTEST_BEGINNING
    ending, *more = said[len(name) :].split("_")
    inflected = len(ending) <= (3 if len(name) >= _INFLECTED else 0)
    return said.startswith(name) and inflected and not any(word in known or word in _TAKES_BACK for word in more)


@lru_cache(maxsize=1024)
def _plain(name: str) -> str:
    return re.sub(r"\W+|_+", "_", name.casefold()).strip("_")


def _whole_number(value: Any, schema: Schema) -> Any:
    if isinstance(value, bool):
        # To pydantic they are 1 and 0.
        return json.dumps(value)
    found = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return value
    most = 100 if found["percent"] else found["most"] and int(found["most"])
    return int(found["number"]) if most in (None, schema.get("maximum")) else value


def _list(value: Any, schema: Schema) -> Any:
    items = schema["items"]
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value, strict=False)
        except (ValueError, RecursionError):
            return value
    if isinstance(value, str) and items.get("type") == "integer":
        value = [part for part in _BETWEEN_NUMBERS.split(value) if part.strip()]
    read = [_as_meant(item, items) for item in (value if isinstance(value, list) else [value])]
    return read if schema.get(WHOLE) else read[: schema.get("maxItems")]


def _object(value: Any, schema: Schema) -> Any:
    parts, required = schema["properties"], schema.get("required", [])
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = next(reversed(objects_in(value).objects), None)
    if isinstance(value, str | list) and len(required) == 1:
        # The one text or list that the object is about.
        kind, enum = parts[required[0]].get("type"), "enum" in parts[required[0]]
        if kind == ("array" if isinstance(value, list) else "string") and not enum:
            value = {required[0]: value}
    if not isinstance(value, Mapping):
        return value
    names = {_plain(name): name for name in parts}
    given = {names.get(_plain(str(key)), ""): part for key, part in value.items()}
    return {name: _as_meant(part, parts[name]) for name, part in given.items() if name}


def _part_of(schema: Schema, name: Any) -> Schema:
    """The schema of an object's part; of a mapping of any names that of all. Empty where there is none."""
    found = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
    return found if isinstance(found, dict) else {}


def _without_faults(value: Any, schema: Schema, faults: list[Location]) -> Any:
    """The value without the parts that hold faults, where it may lack them; `_BAD` where it may not."""
    if () in faults or not isinstance(value, list | dict):
        return _BAD
    inside: dict[int | str, list[Location]] = {}
    for key, *rest in faults:
        inside.setdefault(key, []).append(tuple(rest))
    pairs = enumerate(value) if isinstance(value, list) else value.items()
    inner = {key: schema["items"] if isinstance(value, list) else _part_of(schema, key) for key in inside}
    kept = {key: _without_faults(part, inner[key], inside[key]) if key in inside else part for key, part in pairs}
    good = {key: part for key, part in kept.items() if part is not _BAD}
    if isinstance(value, dict):
        return good if good.keys() >= set(schema.get("required", [])) else _BAD
    lacks = len(good) < len(kept) and (schema.get(WHOLE) or len(good) < schema.get("minItems", 0))
    return _BAD if lacks else list(good.values())


_SEVERAL_SENTENCES = re.compile(r"[.!?][\"'”’)\]]*\s+[A-Z]")
# No command and no index of a formula.
_WORD_OR_LINK = re.compile(r"(?<![\\\w])[^\W\d_]+\Z|[,;:([{=+<&/–—-]\Z")
_LIST_ITEM = re.compile(r"(?:[-*•]|\d+[.)])\s")


# pydantic's words are about strings; a small model that is shown them writes them into its next try.
_IN_WORDS = {
    "missing": "is missing",
    "string_too_short": "is too short: write at least {min_length} characters",
    "string_too_long": "is too long: write at most {max_length} characters",
    "too_short": "has too few items: give at least {min_length}",
    "too_long": "has too many items: give at most {max_length}",
    "literal_error": "must be one of {expected}",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "string_type": "must be a text",
    "list_type": "must be a list",
}


def _faults(error: ValidationError) -> list[str]:
    """Each fault with its location, where items of lists are counted from one. What is due there stands in the form beside
    it, and in the reply what was given."""
    details = error.errors(include_url=False)
    faults = []
    for detail in details[:_MOST_FAULTS]:
        place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in detail["loc"])
        words = _IN_WORDS.get(detail["type"])
        faults.append(f"{place} {words.format(**detail.get('ctx', {}))}" if words else f"{place}: {detail['msg']}")
    return faults + ([f"and {len(details) - _MOST_FAULTS} more"] if len(details) > _MOST_FAULTS else [])


def unfinished_field(value: Any, schema: Schema, name: str = "") -> str | None:
    """The name of the field that stops in the middle of a sentence: only what a reply ends with can have been cut. `value`
    is in the order in which it was written."""
    if isinstance(value, Mapping) and value:
        last = list(value)[-1]
        return unfinished_field(value[last], _part_of(schema, last), f"{name}.{last}".lstrip("."))
    if isinstance(value, list) and value:
        return unfinished_field(value[-1], schema.get("items", {}), f"{name}.{len(value) - 1}")
    if not isinstance(value, str) or schema.get("type") != "string" or "enum" in schema or "const" in schema:
        return None
    # What may be longer than a note is prose; of what may not, only a text of several sentences is.
    long = schema.get("maxLength", NOTE + 1) > NOTE or _SEVERAL_SENTENCES.search(value)
    return name if long and len(value.split()) >= _FEWEST_WORDS and _stops_midway(value) else None


def _stops_midway(text: str) -> bool:
    """Whether prose ends with a word or with a sign that something follows. Formulas, numbers and lists may end without
    a full stop, and writing without upper and lower case has other ones."""
    text = text.rstrip()
    end = _WORD_OR_LINK.search(text, max(0, len(text) - _LONGEST_WORD))
    if end is None or _LIST_ITEM.match(text.rpartition("\n")[2].lstrip()):
        return False
    word = end.group()
    symbol = len(word) == 1 and word.isalpha() and word not in "aAI"
    return not symbol and (not word.isalpha() or word.lower() != word.upper())
