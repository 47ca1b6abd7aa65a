"""What a page holds of the traces: it can be read back whole, and what is left out never depends on the order of reading.

1. A place in a text, counted as a browser counts, cuts out the same text.
2. Packed and unpacked, every trace has its texts: the passage, the thought, the quotes.
3. A sample is the same whatever the order, holds traces of a passage together, and is as large as allowed, not larger.
"""

from __future__ import annotations

import base64
import random
import zlib
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from programs.records import Record
from programs.reports.embedded import Places, rest_of
from programs.reports.origin import Seen
from programs.reports.packing import pack
from programs.reports.sample import Sample
from programs.text.thought import bare_thought
from tests.reports.building import HOSTILE, record

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
PLENTY = 10**9


def unpacked(piece: str) -> Any:
    return orjson.loads(zlib.decompress(base64.b64decode(piece)))


def rows_of(index: str) -> list[dict[str, Any]]:
    found = unpacked(index)
    fields, names = found["fields"], found["names"]
    return [
        {field: names[field][value] if field in names else value for field, value in zip(fields, row, strict=True)}
        for row in found["rows"]
    ]


def as_browser(text: str, start: int, end: int) -> str:
    """What JavaScript's slice gives."""
    return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")


@given(TEXTS, TEXTS, TEXTS)
def test_places_are_those_of_a_browser(before: str, quote: str, after: str) -> None:
    text = before + quote + after
    span = Places(text).span(quote, len(before), len(before) + len(quote))
    assert span is not None
    assert as_browser(text, *span) == quote


def test_a_quote_that_stands_elsewhere_has_no_place() -> None:
    assert Places("abc").span("b", 0, 1) is None
    assert Places("abc").span("b", None, None) is None
    step = {"kind": "tries", "text": "So it is.", "quote": "not there", "start": 0, "end": 9}
    [made] = rest_of(Record.model_validate(record(4, steps=[step]).model_dump()))["steps"]
    assert (made["quote"], "span" in made) == ("not there", False)


def test_what_is_packed_can_be_read_back() -> None:
    records = [record(number, variation=variation) for number in range(12) for variation in range(3)]
    sample = Sample(100, PLENTY)
    for made in records:
        sample.add(Seen(made, "accepted", "unit"), 0)
    packed = pack(sample, PLENTY, {"runs": ["a"]})
    rows = rows_of(packed.index)
    assert [row["key"] for row in rows] == [made.id for made in records]
    held = [unpacked(piece) for piece in packed.pieces]
    texts = [text for piece in held for text in piece["passages"]]
    assert len(texts) == len(set(texts)) == 6, "a passage is stored once"
    for row, made in zip(rows, records, strict=True):
        piece = held[row["chunk"]]
        trace = piece["traces"][row["place"]]
        text = piece["passages"][trace["passage"]]
        assert text == made.source_paper.text
        assert "\n\n".join(step["text"] for step in trace["steps"]) == bare_thought(made.reasoning_trace)
        assert "thought" not in trace
        for step, shown in zip(made.steps, trace["steps"], strict=True):
            assert (as_browser(text, *shown["span"]) if "span" in shown else None) == step.quote
        assert trace["final_answer"] == made.final_answer


def test_a_thought_that_is_more_than_its_steps_is_kept_whole() -> None:
    made = record(4, reasoning_trace="<thought>\nAnother thought.\n</thought>")
    assert rest_of(made)["thought"] == "Another thought."


def test_traces_of_one_id_can_be_told_apart() -> None:
    sample = Sample(10, PLENTY)
    for _ in range(2):
        sample.add(Seen(record(4)), 0)
    sample.add(Seen(record(4, id=None)), 1)
    keys = [row["key"] for row in rows_of(pack(sample, PLENTY, {}).index)]
    assert len(set(keys)) == 3
    assert keys[0] == "id-4-0-0"


def sampled(records: list[Record], traces: int, room: int = PLENTY) -> set[str]:
    sample = Sample(traces, room)
    for made in records:
        sample.add(Seen(made), 0)
    assert sample.seen == len(records)
    return {row["key"] for row in rows_of(pack(sample, room, {}).index)}


def test_a_sample_does_not_depend_on_the_order() -> None:
    # Traces of a passage in their order, since those of one that is cut are told apart by it.
    groups = [[record(2 * text, variation=variation) for variation in range(3)] for text in range(20)]
    first = sampled([made for group in groups for made in group], 24)
    shuffled = groups[:]
    random.Random(1).shuffle(shuffled)
    assert len(first) == 24
    assert sampled([made for group in shuffled for made in group], 24) == first
    assert len({key.split("-")[1] for key in first}) == 8, "traces of a passage stay together"


def test_a_sample_keeps_to_the_room() -> None:
    texts = random.Random(2)
    records = [record(2 * text, final_answer=f"{texts.getrandbits(8000):x}") for text in range(60)]
    for text, made in enumerate(records):
        made.source_paper.text = f"{text} {texts.getrandbits(400_000):x}"
    few = sampled(records, 100, 1_000_000)
    sample = Sample(100, 1_000_000)
    for made in records:
        sample.add(Seen(made), 0)
    packed = pack(sample, 1_000_000, {})
    assert 5 < len(few) < len(records)
    assert sum(map(len, packed.pieces)) + len(packed.index) <= 1_000_000
    assert few < sampled(records, 100), "what there is room for is of what there would be with more"


def test_what_is_embedded_can_end_no_element() -> None:
    sample = Sample(10, PLENTY)
    sample.add(Seen(record(0)), 0)
    packed = pack(sample, PLENTY, {"runs": [HOSTILE]})
    assert "<" not in packed.index + "".join(packed.pieces)
    assert unpacked(packed.index)["runs"] == [HOSTILE]
