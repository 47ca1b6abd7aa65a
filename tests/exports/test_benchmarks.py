"""The questions of benchmarks.

1. A question that shares 13 words in a row, or nearly all content words, with a benchmark's is told with file and line; one
   that does neither is not; of other texts, the words in a row alone count.
2. A file that is missing, cut off or holds no question is a user's mistake; any JSONL is read, packed or not.
3. A frame that many prompts share gives nothing away.
4. Texts share a gram just when they share so many words in a row; a question is found in whatever form benchmarks have it.
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


def bench(path: Path, *records: Any) -> Path:
    text = "".join(f"{record if isinstance(record, str) else json.dumps(record)}\n" for record in records)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def benchmarks(*files: Path) -> Benchmarks:
    found = Benchmarks(sqlite3.connect(":memory:"))
    found.read([str(file) for file in files], "--decontaminate")
    return found


@pytest.mark.parametrize("name", ["bench.jsonl", "bench.jsonl.gz"])
def test_what_gives_a_question_away_is_told_with_its_place(tmp_path: Path, name: str) -> None:
    lines = ({"question": OTHER}, {"answer": "none"}, "", {"prompt": CLOCKS}, "broken", {"text": DUST})
    found = benchmarks(bench(tmp_path / name, *lines))
    longer = f"I wonder: {CLOCKS.lower().replace(',', '')} And would a pilot notice it?"
    assert found.match_question(longer) == f"shares a run of words with {name}:4"
    assert found.match_text(f"They ask me {longer}") == f"shares a run of words with {name}:4"
    assert found.match_question("How would dust between the stars redden starlight?") is None
    near = "Explain how the interstellar dust reddens starlight"
    assert found.match_question(near) == f"asks nearly the same as {name}:6"
    assert found.match_text(near) is None
    assert found.match_question("Which of two clocks runs slower?") is None


def test_a_frame_of_many_prompts_gives_nothing_away(tmp_path: Path) -> None:
    frame = "Read the following question with great care and then answer it with one letter only, please: "
    topics = [f"stars{letter}" for letter in "abcdefghijk"]
    few = bench(tmp_path / "few.jsonl", *({"question": f"{frame}what are {topic}?"} for topic in topics[:10]))
    many = bench(tmp_path / "many.jsonl", *({"question": f"{frame}what are {topic}?"} for topic in topics * 3))
    asked = f"{frame}which galaxies merge?"
    assert benchmarks(few).match_text(asked) is not None
    assert benchmarks(many).match_text(asked) is None
    assert benchmarks(many).match_text(f"{frame}what are starsa?") is not None, "its own last words are no frame"


def test_what_cannot_be_read_is_a_users_mistake(tmp_path: Path) -> None:
    good = bench(tmp_path / "good.jsonl", {"question": CLOCKS})
    empty = bench(tmp_path / "empty.jsonl", {"answer": "42"}, "not JSON")
    packed = bench(tmp_path / "cut.jsonl.gz", {"question": CLOCKS})
    packed.write_bytes(packed.read_bytes()[:-9])
    for files, said in (
        ([good, tmp_path / "gone.jsonl"], "does not exist"),
        ([good, empty], "has no readable question"),
        ([packed], "truncated"),
    ):
        with pytest.raises(UserError, match=f"--decontaminate: .*{said}"):
            benchmarks(*files)


words = st.lists(st.sampled_from("abcdefghij"), min_size=0, max_size=40)


@given(words, words, st.integers(1, 5))
def test_texts_share_a_gram_just_when_they_share_the_words(one: list[str], other: list[str], length: int) -> None:
    runs = [{tuple(text[n : n + length]) for n in range(len(text) - length + 1)} for text in (one, other)]
    found = set(ngram_hashes(one, [length])) & set(ngram_hashes(other, [length]))
    assert len(found) == len(runs[0] & runs[1])


def test_a_short_question_is_one_gram_of_its_own_length(tmp_path: Path) -> None:
    for count, shared, given_away in ((7, 7, False), (8, 8, True), (8, 7, False), (15, 13, True)):
        words = [f"w{n}" for n in range(count)]
        found = benchmarks(bench(tmp_path / "a.jsonl", {"question": " ".join(words)}))
        assert (found.match_text(f"so {' '.join(words[-shared:])} it is") is not None) == given_away, (count, shared)


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
