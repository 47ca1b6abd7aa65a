"""Questions of benchmarks in the texts of traces.

1. A question that shares 13 words in a row, or nearly all content words, with one of a benchmark is reported with file and
   line, and no other is; for other texts only words in a row count.
2. A file that is missing, truncated or without a question is a user error; any JSONL is read, compressed or not.
3. A template that many prompts share is no match.
4. Texts have a common n-gram exactly if they share its words in a row; a question is found in every form of benchmarks.
"""

import gzip
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import UserError
from programs.exports.benchmarks import Benchmarks, ngram_hashes, questions_in

CLOCKS = "Which of two identical clocks, one on a hill and one in a valley, runs slower by general relativity?"
DUST = "How does interstellar dust redden starlight?"
OTHER = "By what chain of causes can a companion star spin up a neutron star?"


def write(path: Path, *records: Any) -> Path:
    text = "".join(f"{record if isinstance(record, str) else json.dumps(record)}\n" for record in records)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def load(*files: Path) -> Benchmarks:
    found = Benchmarks(sqlite3.connect(":memory:"))
    found.read([str(file) for file in files], "--decontaminate")
    return found


@pytest.mark.parametrize("name", ["bench.jsonl", "bench.jsonl.gz"])
def test_a_benchmark_question_is_reported_with_its_place(tmp_path: Path, name: str) -> None:
    lines = ({"question": OTHER}, {"answer": "none"}, "", {"prompt": CLOCKS}, "broken", {"text": DUST})
    found = load(write(tmp_path / name, *lines))
    longer = f"I wonder: {CLOCKS.lower().replace(',', '')} And would a pilot notice it?"
    assert found.match_question(longer) == f"shares a run of words with {name}:4"
    assert found.match_text(f"They ask me {longer}") == f"shares a run of words with {name}:4"
    assert found.match_question("How would dust between the stars redden starlight?") is None
    near = "Explain how the interstellar dust reddens starlight"
    assert found.match_question(near) == f"asks nearly the same as {name}:6"
    assert found.match_text(near) is None
    assert found.match_question("Which of two clocks runs slower?") is None


def test_a_template_of_many_prompts_is_no_match(tmp_path: Path) -> None:
    template = "Read the following question with great care and then answer it with one letter only, please: "
    topics = [f"stars{letter}" for letter in "abcdefghijk"]
    few = write(tmp_path / "few.jsonl", *({"question": f"{template}what are {topic}?"} for topic in topics[:10]))
    many = write(tmp_path / "many.jsonl", *({"question": f"{template}what are {topic}?"} for topic in topics * 3))
    asked = f"{template}which galaxies merge?"
    assert load(few).match_text(asked) is not None
    assert load(many).match_text(asked) is None
    assert load(many).match_text(f"{template}what are starsa?") is not None, "its own last words are not shared"


def test_an_unreadable_benchmark_is_a_user_error(tmp_path: Path) -> None:
    good = write(tmp_path / "good.jsonl", {"question": CLOCKS})
    empty = write(tmp_path / "empty.jsonl", {"answer": "42"}, "not JSON")
    truncated = write(tmp_path / "cut.jsonl.gz", {"question": CLOCKS})
    truncated.write_bytes(truncated.read_bytes()[:-9])
    for files, message in (
        ([good, tmp_path / "gone.jsonl"], "does not exist"),
        ([good, empty], "has no readable question"),
        ([truncated], "truncated"),
    ):
        with pytest.raises(UserError, match=f"--decontaminate: .*{message}"):
            load(*files)


words = st.lists(st.sampled_from("abcdefghij"), min_size=0, max_size=40)


@given(words, words, st.integers(1, 5))
def test_texts_share_an_ngram_exactly_if_they_share_its_words(one: list[str], other: list[str], length: int) -> None:
    runs = [{tuple(text[n : n + length]) for n in range(len(text) - length + 1)} for text in (one, other)]
    found = set(ngram_hashes(one, [length])) & set(ngram_hashes(other, [length]))
    assert len(found) == len(runs[0] & runs[1])


def test_a_short_question_is_one_ngram_of_its_own_length(tmp_path: Path) -> None:
    for count, shared, matches in ((7, 7, False), (8, 8, True), (8, 7, False), (15, 13, True)):
        words = [f"w{n}" for n in range(count)]
        found = load(write(tmp_path / "a.jsonl", {"question": " ".join(words)}))
        assert (found.match_text(f"so {' '.join(words[-shared:])} it is") is not None) == matches, (count, shared)


@pytest.mark.parametrize(
    ("record", "question"),
    [
        ({"question": "Why?", "text": "A long passage."}, "Why?"),
        ({"text": "Why?", "answer": "So."}, "Why?"),
        ({"Question": {"stem": "Why?", "choices": []}}, "Why?"),
        ({"question_stem": "Why?"}, "Why?"),
        ({"question": "", "prompt": "Why?"}, "Why?"),
        ({"question": 7, "problem": "Why?"}, "Why?"),
        ({"prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]}, "Why?"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Why?"}]}]}, "Why?"),
        ({"messages": [{"role": "assistant", "content": "Why?"}]}, None),
        ({"answer": "So."}, None),
        ({"question": "???"}, None),
    ],
)
def test_a_question_is_found_in_its_field(record: dict[str, Any], question: str | None) -> None:
    assert questions_in(record) == ([] if question is None else [question])
