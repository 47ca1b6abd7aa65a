"""JSON lines as input: each line is accepted or skipped with a reason, no bad line affects another, and memory does not
grow with the input (that the first sample comes at once: tests/run/test_reading.py)."""

import gzip
import json
import tempfile
import tracemalloc
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import UserError
from programs.inputs.jsonl import DEFAULT_LINE_LIMIT, read_objects
from programs.inputs.reader import read_samples
from programs.inputs.report import ReadReport, SkipReason
from programs.inputs.sample import Place, content_id
from tests.inputs.test_lines import COMPRESS, each_compressor
from tests.inputs.writing import line, read, write

BEFORE, AFTER = line("Before the dirt."), line("After the dirt.")

SKIPPED = {
    "half an object": (b'{"text": "cut of', SkipReason.NOT_JSON),
    "two objects": (b'{"text": "a"}{"text": "b"}', SkipReason.NOT_JSON),
    "list": (b'[{"text": "a"}]', SkipReason.NOT_AN_OBJECT),
    "huge number": (b"9" * 100_000, SkipReason.NOT_AN_OBJECT),
    "deep list": (b'{"text": "a", "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", SkipReason.NESTED_TOO_DEEP),
    "deeper than writers go": (b'{"text": "a", "x": ' + b"[" * 150 + b"]" * 150 + b"}", SkipReason.NESTED_TOO_DEEP),
    "no text": (b'{"title": "a"}', SkipReason.NO_TEXT),
    "NaN text": (b'{"text": NaN}', SkipReason.NO_TEXT),
    "number": (b'{"text": 3}', SkipReason.TEXT_NOT_STRING),
    "white space": (b'{"text": " \\n\\u2028\\u0000 "}', SkipReason.EMPTY_TEXT),
    "latin-1": ('{"text": "é"}'.encode("latin-1"), SkipReason.BAD_UTF8),
    "surrogate in UTF-8": (b'{"text": "\xed\xa0\xbd"}', SkipReason.BAD_UTF8),
    "duplicate": (BEFORE, SkipReason.DUPLICATE),
    "duplicate but for its dirt": (line("Before\x00 the dirt.\r\n"), SkipReason.DUPLICATE),
}


@pytest.mark.parametrize(("data", "reason"), SKIPPED.values(), ids=SKIPPED.keys())
def test_a_line_without_usable_text_is_skipped_with_its_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    path = write(tmp_path / "a.jsonl", BEFORE, data, AFTER)
    samples, report = read(path)
    assert [sample.text for sample in samples] == ["Before the dirt.", "After the dirt."]
    assert report.skipped == {reason: 1}
    assert report.first_examples == {reason: Place(file="a.jsonl", line=2)}


ACCEPTED = {
    "NUL escaped": (rb'{"text": "a\u0000b"}', "ab"),
    "NUL raw": (b'{"text": "a\x00b"}', "ab"),
    "padded with NULs": (b"\x00" * 4096 + b'{"text": "ab"}' + b"\x00" * 10, "ab"),
    "raw tab": (b'{"text": "a\tb"}', "a\tb"),
    "byte order mark": (b'\xef\xbb\xbf{"text": "ab"}', "ab"),
    "CRLF": (b'{"text": "a\\r\\nb"}\r', "a\nb"),
    "U+2028 raw": ('{"text": "a\u2028b"}'.encode(), "a\nb"),
    "lone surrogate": (rb'{"text": "a\ud83db"}', "a\ufffdb"),
    "surrogate pair": (rb'{"text": "a\ud83d\ude00"}', "a\U0001f600"),
    "equal keys: the last": (b'{"text": "first", "text": "last"}', "last"),
}


@pytest.mark.parametrize(("data", "text"), ACCEPTED.values(), ids=ACCEPTED.keys())
@pytest.mark.parametrize("position", [1, 2])
def test_a_line_that_can_be_cleaned_is_accepted(tmp_path: Path, data: bytes, text: str, position: int) -> None:
    lines = [BEFORE, AFTER]
    lines.insert(position - 1, data)
    samples, report = read(write(tmp_path / "a.jsonl", *lines))
    assert len(samples) == 3
    assert samples[position - 1].text == text
    assert samples[position - 1].id == content_id(text)
    assert not report.skipped


def test_read_objects_raises_at_a_bad_line_and_names_its_place(tmp_path: Path) -> None:
    for data, reason in ((b"prose", "not JSON"), (line("a" * DEFAULT_LINE_LIMIT), "line too long")):
        path = write(tmp_path / "a.jsonl", BEFORE, b"", data)
        with pytest.raises(UserError, match=f"a.jsonl:3: {reason}"):
            list(read_objects(path))
    path.write_bytes('{"text": "a"}'.encode("utf-16"))
    with pytest.raises(UserError, match=r"a\.jsonl is not UTF-8 text"):
        list(read_objects(path))


def test_blank_lines_are_counted_separately_and_the_last_line_needs_no_line_end(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf\n" + BEFORE + b"\r\n \t\r\n\n\x00\x00\n" + AFTER)
    samples, report = read(path)
    assert [sample.place.line for sample in samples] == [2, 6]
    assert (report.lines, report.blank, report.skipped) == (6, 4, {})


def test_the_fields_of_a_record_are_kept(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        line("One.", id="p-1", title=" A\r\ntitle ", domain="stars", year=2020, tags=["a", {"b": None}]),
        line("Two.", id=17, title=None, domain=" \n"),
        line("Three.", id=True, title=3, domain=["a", "b"]),
    )
    one, two, three = read(path)[0]
    assert (one.given_id, one.title, one.title_given) == ("p-1", "A title", True)
    assert (one.domain, one.domain_given) == ("stars", True)
    assert one.extra == {"year": 2020, "tags": ["a", {"b": None}]}
    assert (two.given_id, two.title, two.title_given) == ("17", "Scientific Paper 2", False)
    assert (two.domain, two.domain_given, two.extra) == ("General Science", False, {})
    assert (three.given_id, three.title, three.domain) == (None, "Scientific Paper 3", "General Science")
    assert three.extra == {"id": True, "title": 3, "domain": ["a", "b"]}
    assert (three.place, three.cut_from) == (Place(file="a.jsonl", line=3), None)


def test_extra_fields_can_be_written_by_every_json_library(tmp_path: Path) -> None:
    extra = rb'"a": NaN, "b": [-Infinity, 1e999], "c": 123456789012345678901234567890, "d\ud800": "\udfff", "e": 1.5'
    deep = b"[" * 90 + b"]" * 90
    samples, _ = read(write(tmp_path / "a.jsonl", b'{"text": "x", ' + extra + b', "f": ' + deep + b"}"))
    assert orjson.loads(orjson.dumps(samples[0].extra)) == samples[0].extra
    assert json.loads(samples[0].model_dump_json())["extra"] == samples[0].extra
    expected = {"a": None, "b": [None, None], "c": "123456789012345678901234567890", "d\ufffd": "\ufffd", "e": 1.5}
    assert {key: value for key, value in samples[0].extra.items() if key != "f"} == expected


@each_compressor
def test_a_truncated_archive_is_reported_and_no_complete_record_is_lost(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.jsonl{ending}"
    lines = [line(f"Text {n}.", note="é" * n) for n in range(500)]
    first, second = COMPRESS[ending](b"\n".join(lines[:250]) + b"\n"), COMPRESS[ending](b"\n".join(lines[250:]))
    packed, minimum = first + second, 0
    for size in (0, 1, 3, 40, len(first) // 2, len(first) + 20, len(packed) - 1):
        path.write_bytes(packed[:size])
        samples, report = read(path)
        assert [sample.text for sample in samples] == [f"Text {n}." for n in range(len(samples))]
        assert report.skipped == {SkipReason.TRUNCATED_ARCHIVE: 1}
        assert report.lines - 1 == len(samples) >= minimum
        assert report.first_examples == {SkipReason.TRUNCATED_ARCHIVE: Place(file=path.name, line=report.lines)}
        minimum = 250 * (size >= len(first) // 2)
    assert len(samples) == 499 or ending == ".zst", "only the last line may be cut"


def test_a_long_text_is_truncated_at_a_sentence_and_keeps_its_id(tmp_path: Path) -> None:
    text = "The first sentence is short. The second one says a little more. The third is not read."
    path = write(tmp_path / "a.jsonl", line(text), line("Short."))
    whole = read(path)[0][0]
    samples, report = read(path, max_chars=70)
    assert samples[0].text == "The first sentence is short. The second one says a little more."
    assert samples[0].cut_from == len(text)
    assert samples[0].id == whole.id
    assert (samples[1].text, samples[1].cut_from) == ("Short.", None)
    assert report.cut == 1
    assert read(path, max_chars=len(text))[1].cut == 0


def test_memory_does_not_grow_with_the_input(tmp_path: Path) -> None:
    text = "A star. " * 250
    path = write(tmp_path / "a.jsonl", *(line(text + str(n)) for n in range(3000)), *([b"no JSON"] * 3000))
    report = ReadReport()
    tracemalloc.start()
    try:
        for _ in read_samples([str(path)], max_chars=None, report=report):
            pass
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert (report.samples, report.skipped_lines) == (3000, 3000)


garbage = st.one_of(st.binary(max_size=30), st.sampled_from([data for data, _ in SKIPPED.values() if len(data) < 100]))


@given(st.lists(st.one_of(garbage, st.integers(0, 8)), max_size=12), st.booleans())
def test_all_good_lines_are_read_from_a_mixture_with_garbage(mixture: list[bytes | int], packed: bool) -> None:
    good = [f"Good text {item}." for item in mixture if isinstance(item, int)]
    lines = [line(f"Good text {item}.") if isinstance(item, int) else item.replace(b"\n", b"") for item in mixture]
    # The first bytes decide the type of a file; test_lines tests garbage there.
    content = b"\n".join([AFTER, *lines])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(gzip.compress(content) if packed else content)
        samples, report = read(path)
    assert [sample.text for sample in samples if sample.text.startswith("Good")] == list(dict.fromkeys(good))
    assert report.lines == content.count(b"\n") + (not content.endswith(b"\n"))
