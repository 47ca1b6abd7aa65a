"""Reads a reply as it was meant, or says what is wrong with it.

Values whose meaning is clear to a person are read (see the table in `docs/pipeline.md`). Others are left out if the type
allows that (an item of a list, a field with a default); otherwise the reply is rejected.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from programs.asking.objects import objects_in
from programs.asking.schema import Outputs, Schema, lenient_schema, reply_type
from programs.text.sentences import cut_at_sentence
from signatures.prompt import NOTE, WHOLE, max_accepted_length

_MIN_PREFIX = 3
_MIN_INFLECTED = 5
"""From this length on, a name may be followed by up to three letters: "beginners" is "beginner", but "none" is not "no"."""

_RESTRICTIONS = frozenset({"not", "no", "never", "but", "or", "hardly", "partly", "except", "unless"})

NO_OBJECT = "The reply is not one whole JSON object."

_MAX_FAULTS = 20
_MIN_PROSE_WORDS, _MAX_WORD_CHARS = 5, 50
_UNREADABLE: Any = object()
"""Marks a value that cannot be read."""

# One whole number, perhaps in words or brackets: "[8]", "8.", "sentence 8", "85%", "8/10", "85 out of 100".
_WHOLE_NUMBER = re.compile(
    r"(?:[^\d.,%/-]|\.\s){0,24}(?P<number>\d{1,9})(?:\.0*)?"
    r"\s*(?:(?P<percent>%)|(?:/|out\s+of|of)\s*(?P<maximum>\d{1,9})(?:\.0*)?)?[^\d%/]{0,24}"
)
_NUMBER_SEPARATOR = re.compile(r"[,;]|\band\b")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

Location = tuple[int | str, ...]
"""The path of a value in a reply, as in pydantic's errors."""


class UnreadableFields(ValueError):
    """Raised for a reply of another form than requested, or (`cut`) one that stops in the middle. `faults` are complete
    messages of what is wrong and where."""

    def __init__(self, faults: list[str], cut: bool = False) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults
        self.cut = cut


def read_reply(text: str, outputs: Outputs) -> dict[str, Any]:
    """The typed values of the last object in a text with the requested form. Raises `UnreadableFields` if none has."""
    found, unreadable = objects_in(text), None
    for fields in reversed(found.objects):
        try:
            return read_fields(fields, outputs)
        except UnreadableFields as error:
            # Objects before the last are drafts, whose faults do not matter.
            unreadable = unreadable or error
    raise unreadable or UnreadableFields(["The reply stops in the middle." if found.cut else NO_OBJECT], found.cut)


def read_fields(fields: Mapping[str, Any], outputs: Outputs) -> dict[str, Any]:
    """The typed values of a reply's fields. Raises `UnreadableFields` if they do not have the requested form."""
    schema = lenient_schema(outputs)
    value = _coerce_object(fields, schema)
    while True:
        try:
            parsed = reply_type(outputs).model_validate(value)
            break
        except ValidationError as error:
            better = _without_faults(value, schema, [fault["loc"] for fault in error.errors(include_url=False)])
            if better is _UNREADABLE or better == value:
                raise UnreadableFields(_describe_faults(error)) from error
            value = better
    cut = unfinished_field(value, schema)
    if cut is not None:
        raise UnreadableFields([f"{cut} stops in the middle of a sentence: write it to its end"], cut=True)
    return {name: getattr(parsed, name) for name, _ in outputs}


def _coerce(value: Any, schema: Schema) -> Any:
    """The value converted to the type of the schema if its meaning is clear, otherwise unchanged."""
    kind = schema.get("type")
    if isinstance(value, list) and len(value) == 1 and kind != "array":
        value = value[0]
    if "enum" in schema or "const" in schema:
        return _coerce_choice(value, schema.get("enum") or [schema["const"]]) if isinstance(value, str) else value
    if kind == "integer":
        return _coerce_whole_number(value, schema)
    if kind == "string":
        number = isinstance(value, int | float) and not isinstance(value, bool)
        value = json.dumps(value) if number else value
        return _coerce_text(value, schema) if isinstance(value, str) else value
    if kind == "array" and value is not None:
        return _coerce_list(value, schema)
    # A mapping with arbitrary keys has no properties.
    return _coerce_object(value, schema) if "properties" in schema else value


def _coerce_text(value: str, schema: Schema) -> str:
    """The text without control characters; a note that is too long is cut after the last whole sentence that fits."""
    text, limit = _CONTROL_CHARACTER.sub("", value.replace("\r\n", "\n")), schema.get("maxLength", NOTE + 1)
    if limit <= NOTE and len(text) > (max_chars := max_accepted_length(limit)):
        whole = cut_at_sentence(text, max_chars)
        return whole if whole.endswith((".", "!", "?")) else text
    return text


def _coerce_choice(value: str, names: Sequence[Any]) -> Any:
    said, known = _normalize_name(value), {_normalize_name(str(name)): name for name in names}
    matches = [known[said]] if said in known else [known[plain] for plain in known if _is_meant(said, plain, known)]
    return matches[0] if len(matches) == 1 else value


def _is_meant(said: str, name: str, known: Mapping[str, Any]) -> bool:
    """Whether `said` is the start of `name`, or `name` and more words, none of which is another name or takes it back."""
    if name.startswith(said):
        return len(said) >= _MIN_PREFIX
    ending, *more = said[len(name) :].split("_")
    inflected = len(ending) <= (3 if len(name) >= _MIN_INFLECTED else 0)
    return said.startswith(name) and inflected and not any(word in known or word in _RESTRICTIONS for word in more)


@lru_cache(maxsize=1024)
def _normalize_name(name: str) -> str:
    return re.sub(r"\W+|_+", "_", name.casefold()).strip("_")


def _coerce_whole_number(value: Any, schema: Schema) -> Any:
    if isinstance(value, bool):
        # As text, since pydantic reads true and false as 1 and 0.
        return json.dumps(value)
    match = _WHOLE_NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return value
    maximum = 100 if match["percent"] else match["maximum"] and int(match["maximum"])
    return int(match["number"]) if maximum in (None, schema.get("maximum")) else value


def _coerce_list(value: Any, schema: Schema) -> Any:
    items = schema["items"]
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value, strict=False)
        except (ValueError, RecursionError):
            return value
    if isinstance(value, str) and items.get("type") == "integer":
        value = [part for part in _NUMBER_SEPARATOR.split(value) if part.strip()]
    read = [_coerce(item, items) for item in (value if isinstance(value, list) else [value])]
    return read if schema.get(WHOLE) else read[: schema.get("maxItems")]


def _coerce_object(value: Any, schema: Schema) -> Any:
    parts, required = schema["properties"], schema.get("required", [])
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = next(reversed(objects_in(value).objects), None)
    if isinstance(value, str | list) and len(required) == 1:
        # The value of the only required field, given without its object.
        kind, enum = parts[required[0]].get("type"), "enum" in parts[required[0]]
        if kind == ("array" if isinstance(value, list) else "string") and not enum:
            value = {required[0]: value}
    if not isinstance(value, Mapping):
        return value
    names = {_normalize_name(name): name for name in parts}
    given = {names.get(_normalize_name(str(key)), ""): part for key, part in value.items()}
    return {name: _coerce(part, parts[name]) for name, part in given.items() if name}


def _part_schema(schema: Schema, name: Any) -> Schema:
    """The schema of a property, or of any value of a mapping with arbitrary keys; empty if there is none."""
    found = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
    return found if isinstance(found, dict) else {}


def _without_faults(value: Any, schema: Schema, faults: list[Location]) -> Any:
    """The value without its faulty parts, or `_UNREADABLE` if the schema requires them."""
    if () in faults or not isinstance(value, list | dict):
        return _UNREADABLE
    nested: dict[int | str, list[Location]] = {}
    for key, *rest in faults:
        nested.setdefault(key, []).append(tuple(rest))
    pairs = enumerate(value) if isinstance(value, list) else value.items()
    schemas = {key: schema["items"] if isinstance(value, list) else _part_schema(schema, key) for key in nested}
    kept = {key: _without_faults(part, schemas[key], nested[key]) if key in nested else part for key, part in pairs}
    good = {key: part for key, part in kept.items() if part is not _UNREADABLE}
    if isinstance(value, dict):
        return good if good.keys() >= set(schema.get("required", [])) else _UNREADABLE
    too_few = len(good) < len(kept) and (schema.get(WHOLE) or len(good) < schema.get("minItems", 0))
    return _UNREADABLE if too_few else list(good.values())


_SEVERAL_SENTENCES = re.compile(r"[.!?][\"'”’)\]]*\s+[A-Z]")
# A last word, but no command or index in a formula, or a sign that something must follow.
_UNFINISHED_END = re.compile(r"(?<![\\\w])[^\W\d_]+\Z|[,;:([{=+<&/–—-]\Z")
_LIST_ITEM = re.compile(r"(?:[-*•]|\d+[.)])\s")


# pydantic's messages speak of strings; a small model that is shown them writes them into its next try.
_FAULT_MESSAGES = {
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


def _describe_faults(error: ValidationError) -> list[str]:
    """Each fault with its path; list items are counted from 1. The given value is not repeated, since the prompt of the
    re-ask shows the reply."""
    details = error.errors(include_url=False)
    faults = []
    for detail in details[:_MAX_FAULTS]:
        path = ".".join(str(part + 1 if isinstance(part, int) else part) for part in detail["loc"])
        message = _FAULT_MESSAGES.get(detail["type"])
        faults.append(f"{path} {message.format(**detail.get('ctx', {}))}" if message else f"{path}: {detail['msg']}")
    return faults + ([f"and {len(details) - _MAX_FAULTS} more"] if len(details) > _MAX_FAULTS else [])


def unfinished_field(value: Any, schema: Schema, name: str = "") -> str | None:
    """The name of the field that stops in the middle of a sentence, or None. Only the end of a reply can have been cut off,
    so the parts of `value` must be in the order in which they were written."""
    if isinstance(value, Mapping) and value:
        last = list(value)[-1]
        return unfinished_field(value[last], _part_schema(schema, last), f"{name}.{last}".lstrip("."))
    if isinstance(value, list) and value:
        return unfinished_field(value[-1], schema.get("items", {}), f"{name}.{len(value)}")
    if not isinstance(value, str) or schema.get("type") != "string" or "enum" in schema or "const" in schema:
        return None
    # Fields that may be longer than a note hold prose; shorter ones count as prose only with several sentences.
    is_prose = schema.get("maxLength", NOTE + 1) > NOTE or _SEVERAL_SENTENCES.search(value)
    return name if is_prose and len(value.split()) >= _MIN_PROSE_WORDS and _stops_midway(value) else None


def _stops_midway(text: str) -> bool:
    """Whether prose ends with a word, or with a sign that something must follow. Formulas, numbers and lists may end
    without a full stop, and scripts without upper and lower case use other full stops."""
    text = text.rstrip()
    end = _UNFINISHED_END.search(text, max(0, len(text) - _MAX_WORD_CHARS))
    if end is None or _LIST_ITEM.match(text.rpartition("\n")[2].lstrip()):
        return False
    word = end.group()
    symbol = len(word) == 1 and word.isalpha() and word not in "aAI"
    return not symbol and (not word.isalpha() or word.lower() != word.upper())
