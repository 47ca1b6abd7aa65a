"""Invariants of `programs.asking.reading` and `objects`: which replies are read without asking again, and which are not.

1. Each row of the table in docs/pipeline.md is read as it says, and nothing else is: `READ` is that table.
2. A value that would have to be guessed is left out if the type allows it, or else the reply is rejected with its faults.
3. Prose that stops in the middle of a sentence is rejected at the end of a reply, and nowhere else.
4. A value of the requested form comes back unchanged.
"""

import json
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from programs.asking.objects import objects_in
from programs.asking.reading import UnreadableFields, read_fields, unfinished_field
from signatures.prompt import WHOLE, characters
from signatures.strands import EvidenceSet

Bearing = Literal["supports", "contradicts", "no_claim"]


class Item(BaseModel):
    """A sentence and what it says."""

    sentence: Annotated[int, Field(ge=1, le=9999)]
    bearing: Bearing = "no_claim"


class Note(BaseModel):
    """A text alone."""

    text: str = characters(5, 20)


class Sheet(BaseModel):
    """One of everything."""

    level: Literal["beginner", "intermediate", "advanced"] = "beginner"
    rating: Annotated[int, Field(ge=1, le=10)] = 1
    percent: Annotated[int, Field(ge=0, le=100)] = 0
    sentences: Annotated[list[Annotated[int, Field(ge=1, le=9999)]], Field(min_length=1, max_length=3)] = [1]
    items: Annotated[list[Item], Field(min_length=1, max_length=2)] = []
    notes: Annotated[list[Annotated[str, characters(2, 10)]], Field(min_length=1, max_length=2)] = []
    thought: Annotated[list[Item], Field(min_length=1, max_length=2, json_schema_extra={WHOLE: True})] = []
    note: Note | None = None
    value: str = ""


class Strict(BaseModel):
    """Nothing may be missing."""

    level: Literal["yes", "no", "neither"]
    rating: Annotated[int, Field(ge=1, le=10)]
    items: Annotated[list[Item], Field(min_length=2, max_length=3)]
    notes: list[str]


def read(**fields: Any) -> Sheet:
    sheet: Sheet = read_fields({"sheet": fields}, (("sheet", Sheet),))["sheet"]
    return sheet


READ: list[tuple[str, Any, Any]] = [
    ("level", "Beginner", "beginner"),
    ("level", "intermed", "intermediate"),
    ("level", "advanced (for experts)", "advanced"),
    ("level", ["advanced"], "advanced"),
    ("rating", "7", 7),
    ("rating", 8.0, 8),
    ("rating", "8/10", 8),
    ("percent", "85%", 85),
    ("percent", "85/100", 85),
    ("sentences", 8, [8]),
    ("sentences", "[8, 9]", [8, 9]),
    ("sentences", ["[8]", "9.", "Sentence [10]"], [8, 9, 10]),
    ("sentences", [8, 9, 10, 11], [8, 9, 10]),
    ("items", {"sentence": 8, "bearing": "Support"}, [Item(sentence=8, bearing="supports")]),
    ("items", [{"Sentence": "8", "bearing": "no claim"}], [Item(sentence=8, bearing="no_claim")]),
    ("items", [{"sentence": 8, "bearing": "perhaps"}], [Item(sentence=8)]),
    ("items", [{"sentence": 8, "bearing": "supported, but not fully"}], [Item(sentence=8)]),
    ("items", [{"sentence": "none"}, {"sentence": 9}], [Item(sentence=9)]),
    ("items", '[{"sentence": 8}]', [Item(sentence=8)]),
    ("notes", ["one", "two", "three"], ["one", "two"]),
    ("notes", '["one", "two"]', ["one", "two"]),
    ("notes", ["a" * 15], ["a" * 15]),
    ("notes", ["a" * 31, "two"], ["two"]),
    ("note", "a text alone", Note(text="a text alone")),
    ("note", {"text": "a text\x00 alone\r\n"}, Note(text="a text alone\n")),
    ("note", '{"text": "a text alone"}', Note(text="a text alone")),
    ("note", {"text": "far too long " * 9}, None),
    (
        "note",
        {"text": "It is far too long. " * 9},
        Note(text="It is far too long. It is far too long. It is far too long."),
    ),
    ("value", 42, "42"),
]


@pytest.mark.parametrize(("field", "said", "meant"), READ)
def test_1_a_value_is_read_without_asking_again(field: str, said: Any, meant: Any) -> None:
    assert getattr(read(**{field: said}), field) == meant


NOT_READ: dict[str, list[Any]] = {
    "level": ["none", "not sure", "yes and no", True],
    "rating": [True, "7.5", "-7", "p = .07", "7 or 8", "7/100", "1" * 30],
    "items": [[{"sentence": 1}], None],
    "notes": ["['one']"],
}


@pytest.mark.parametrize(("field", "said"), [(field, said) for field, values in NOT_READ.items() for said in values])
def test_2_a_value_that_would_be_guessed_is_rejected_and_named(field: str, said: Any) -> None:
    good = {"level": "no", "rating": 7, "items": [{"sentence": 1}, {"sentence": 2}], "notes": []}
    assert read_fields({"a": good}, (("a", Strict),))["a"].level == "no"
    with pytest.raises(UnreadableFields) as caught:
        read_fields({"a": {**good, field: said}}, (("a", Strict),))
    assert all(fault.startswith(f"a.{field}") for fault in caught.value.faults)


def test_2_nothing_is_left_out_of_a_list_that_must_be_whole() -> None:
    good, bad = {"sentence": 1}, {"sentence": "x"}
    assert read(thought=[good, good]).thought == [Item(sentence=1)] * 2
    for said in ([good, bad], [good, good, good]):
        assert read(thought=said).thought == []
        with pytest.raises(UnreadableFields):
            read_fields(
                {"a": said}, (("a", Annotated[list[Item], Field(max_length=2, json_schema_extra={WHOLE: True})]),)
            )


PROSE = "The scatter grows towards fainter targets, and so the amplitude is biased"


class Prose(BaseModel):
    """A note, then prose."""

    note: Annotated[str, characters(5, 200)] = "A note."
    text: Annotated[str, characters(5, 900)] = "So it is."
    more: Literal["yes", "no"] = "no"


def read_prose(**fields: str) -> Prose:
    made: Prose = read_fields({"a": fields}, (("a", Prose),))["a"]
    return made


@pytest.mark.parametrize("end", [" and", ",", " (see", ": the", " a", " –"])
def test_3_a_reply_that_stops_in_the_middle_of_a_sentence_is_rejected(end: str) -> None:
    with pytest.raises(UnreadableFields, match=r"a\.text stops in the middle") as caught:
        read_prose(text=PROSE + end)
    assert caught.value.cut
    assert read_prose(text=PROSE + end, more="yes").text == PROSE + end, "a field after it was written"


@pytest.mark.parametrize(
    "end", [".", "!", "?", "…", ".)", '."', ".”", ".*", " 27", " 27%", " $E = mc^2$", r" \sigma", " v"]
)
def test_3_complete_prose_is_read(end: str) -> None:
    assert read_prose(text=PROSE + end).text == PROSE + end


def test_3_a_mapping_with_any_keys_is_read_like_other_objects() -> None:
    outputs, ends = (("advice", dict[str, str]),), {"one": "The dust was swept away at dawn.", "other": "Be brief."}
    assert read_fields({"advice": ends}, outputs) == {"advice": ends}
    assert read_fields({"advice": {**ends, "more": ["x", "y"]}}, outputs) == {"advice": ends}
    assert unfinished_field({"share": [80, 90]}, {"properties": {"share": {"type": "integer"}}}) is None
    with pytest.raises(UnreadableFields, match="other stops in the middle"):
        read_fields({"advice": {**ends, "other": "The dust was swept away because"}}, outputs)


def test_3_a_note_needs_no_full_stop_unless_it_has_several_sentences() -> None:
    assert read_prose(text="So it is.", note=PROSE).note == PROSE
    with pytest.raises(UnreadableFields, match=r"a\.note stops"):
        read_prose(note=f"So it is. {PROSE}")


SHEETS = st.builds(
    Sheet,
    level=st.sampled_from(["beginner", "advanced"]),
    rating=st.integers(1, 10),
    items=st.just([Item(sentence=3)]),
    notes=st.just(["note."]),
    sentences=st.lists(st.integers(1, 9999), min_size=1, max_size=3),
)


@given(SHEETS)
def test_4_a_value_of_the_requested_form_comes_back_unchanged(sheet: Sheet) -> None:
    assert read(**sheet.model_dump(exclude={"thought"})) == sheet


EVIDENCE = """
{"evidence": {"items": [
 {"sentence": "[8]", "claim": "No difference at the short duration."},
 {"sentence": "9", "claim": "Thresholds were higher at the long one (p = .03)."},
 {"sentence": 1, "claim": "Earlier work blamed the perception of motion.", "bearing": "contradicts"},
]}}"""


@pytest.mark.parametrize(
    "wrap",
    [
        "{}",
        "```json{}\n```",
        '<think>\nThe brace { should not matter. {"not": "json yet"} Now then.\n</think>\n{}',
        '[REASON]{"evidence": {"items": [{"sentence": 3, "claim": "A draft."}]}}[/REASON]{}',
        'First {"evidence": {"items": ["?"]}}, or rather:{}',
    ],
)
def test_1_a_mediocre_reply_is_read_whatever_surrounds_it(wrap: str) -> None:
    objects, cut = objects_in(wrap.replace("{}", EVIDENCE))
    evidence: EvidenceSet = read_fields(objects[-1], (("evidence", EvidenceSet),))["evidence"]
    assert not cut
    assert [item.sentence for item in evidence.items] == [8, 9, 1]


@pytest.mark.parametrize(
    ("said", "objects"),
    [
        ('{"a": [1, 2,], "b": "x, }",}', [{"a": [1, 2], "b": "x, }"}]),
        ("{'a': 'it'}", []),
        (r'{"a": "it\'s"}', [{"a": "it's"}]),
        (json.dumps('{"a": "x \\" y"}'), [{"a": 'x " y'}]),
        ('{"a": {}} and {b} and {"c": 1}', [{"a": {}}, {"c": 1}]),
        ('{"a": 1} {"b": {"c": 2}', []),
        ('{"a":' * 50_000, []),
    ],
)
def test_1_objects_are_found_in_a_text(said: str, objects: list[Any]) -> None:
    assert objects_in(said).objects == objects


LATEX = [
    r"\sigma",
    r"\theta_s \times \text{km}",
    r"\textrm{s} \right) \rangle",
    r"\nabla \bar{x} \forall \upsilon",
    r"\, \% \{ \rm Mpc",
    r"\tfrac{1}{2} of \tanh x, \ttfamily",
    r"x \ne 0, y \notin S, a \neq b, x\ne 1, \nVdash",
    r"A \rightleftharpoons B, \rVert, \beth, \flat, \frown",
    r"the frequency \nu is high; h\nu, \Delta\nu, $\nu$, \nu_0",
    r"T_{\mu,\nu}, $\mu,\nu$, $a \ne b,\ni x$",
    r"\nu,\, \nu/c, \nano\metre, \newton, \nequiv",
]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"the speed.\nu is the speed", "the speed.\nu is the speed"),
        (r"the speed\nu is the speed\n\nu, too", "the speed\nu is the speed\n\nu, too"),
        (r"so\ni think\num, e.g.\neg this\nNext\nnot", "so\ni think\num, e.g.\neg this\nNext\nnot"),
        (r"grew\nless than, \nless b, a \nparallel b", "grew\nless than, \\nless b, a \\nparallel b"),
        *((command, command) for command in LATEX),
        (r"for $E=mc^2$\nu is; x = 5\nu is; in 2019\ni think", "for $E=mc^2$\nu is; x = 5\nu is; in 2019\ni think"),
        (r"\\nu and \\tau stay, \u00e9", r"\nu and \tau stay, é"),
    ],
)
def test_1_latex_is_read_as_it_was_meant(written: str, meant: str) -> None:
    assert objects_in(f'{{"a": "{written}"}}').objects == [{"a": meant}]
