"""Benchmarks on disk.

1. A question that shares 13 words in a row, or nearly all content words, with a benchmark's is told with file and line; one
   that does neither is not.
2. Any JSONL is read, packed or not; a file that is missing, cut off or holds no question is a user's mistake.
3. The same files are read into the database once; other ones, or other words in them, are read again.
4. A frame that many prompts share gives nothing away.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from programs.errors import UserError
from programs.selection import benchmarks
from programs.selection.benchmarks import Benchmarks, Hit

CLOCKS = (
    "Which of two identical clocks, one on a hill and one in a valley, runs slower according to general relativity?"
)
DUST = "How does interstellar dust redden starlight?"
OTHER = "By what chain of causes can a companion star spin up a neutron star?"


def bench(path: Path, *records: Any) -> Path:
    text = "".join(f"{record if isinstance(record, str) else json.dumps(record)}\n" for record in records)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["bench.jsonl", "bench.jsonl.gz"])
def test_what_gives_a_question_away_is_told_with_its_place(tmp_path: Path, name: str) -> None:
    file = bench(
        tmp_path / name, {"question": OTHER}, {"answer": "none"}, "", {"prompt": CLOCKS}, "broken", {"text": DUST}
    )
    with Benchmarks(tmp_path / "db", [str(file)]) as found:
        assert len(found) == 3
        longer = f"I wonder: {CLOCKS.lower().replace(',', '')} And would a pilot notice it?"
        assert found.question(longer) == Hit(str(file), 4, CLOCKS, "shares its words with")
        assert found.overlap(f"They ask me {longer}") == Hit(str(file), 4, CLOCKS, "shares its words with")
        assert found.question("How would dust between the stars redden starlight?") is None
        near = found.question("Explain how the interstellar dust reddens starlight")
        assert near == Hit(str(file), 6, DUST, "asks nearly the same as")
        assert str(near) == f"asks nearly the same as {file}:6"
        assert found.overlap("Explain how the interstellar dust reddens starlight") is None
        assert found.question("Which of two clocks runs slower?") is None


def test_a_frame_of_many_prompts_gives_nothing_away(tmp_path: Path) -> None:
    frame = "Read the following question with great care and then answer it with one letter only, please: "
    topics = [
        "quasars",
        "pulsars",
        "comets",
        "nebulae",
        "novae",
        "blazars",
        "magnetars",
        "halos",
        "jets",
        "winds",
        "dust",
    ]
    few = bench(tmp_path / "few.jsonl", *({"question": f"{frame}what are {topic}?"} for topic in topics[:10]))
    many = bench(tmp_path / "many.jsonl", *({"question": f"{frame}what are {topic}?"} for topic in topics))
    asked = f"{frame}which galaxies merge?"
    with Benchmarks(tmp_path / "db", [str(few)]) as found:
        assert found.overlap(asked) is not None
    with Benchmarks(tmp_path / "db", [str(many)]) as found:
        assert found.overlap(asked) is None
        assert found.overlap(f"{frame}what are quasars?") is not None, "its own last words are no frame"


def test_the_same_files_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = bench(tmp_path / "bench.jsonl", {"question": CLOCKS})
    with Benchmarks(tmp_path / "db", [str(file)]) as found:
        content = found.content
    with monkeypatch.context() as patched:
        patched.setattr(benchmarks, "_questions", lambda _file: pytest.fail("read again"))
        with Benchmarks(tmp_path / "db", [str(file)]) as found:
            assert found.content == content
            assert found.overlap(CLOCKS) is not None
    bench(file, {"question": OTHER})
    with Benchmarks(tmp_path / "db", [str(file)]) as found:
        assert found.content != content
        assert (found.overlap(CLOCKS), found.overlap(OTHER) is None) == (None, False)
    elsewhere = bench(tmp_path / "elsewhere.jsonl", {"question": OTHER})
    with Benchmarks(tmp_path / "db", [str(file)]) as one, Benchmarks(tmp_path / "db2", [str(elsewhere)]) as other:
        assert one.content == other.content


def test_a_reading_that_was_broken_off_is_begun_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = bench(tmp_path / "bench.jsonl", {"question": CLOCKS}, {"question": OTHER})

    def broken(path: Path) -> Any:
        yield 1, CLOCKS
        raise KeyboardInterrupt(path)

    with monkeypatch.context() as patched:
        patched.setattr(benchmarks, "_questions", broken)
        patched.setattr(benchmarks, "BATCH", 1)
        with pytest.raises(KeyboardInterrupt):
            Benchmarks(tmp_path / "db", [str(file)])
    with Benchmarks(tmp_path / "db", [str(file)]) as found:
        assert len(found) == 2


def test_what_cannot_be_read_is_a_users_mistake(tmp_path: Path) -> None:
    good = bench(tmp_path / "good.jsonl", {"question": CLOCKS})
    empty = bench(tmp_path / "empty.jsonl", {"answer": "42"}, "not JSON")
    packed = bench(tmp_path / "cut.jsonl.gz", {"question": CLOCKS})
    packed.write_bytes(packed.read_bytes()[:-9])
    for files, said in (
        ([good, tmp_path / "gone.jsonl"], "does not exist"),
        ([good, empty], "holds no question"),
        ([packed], "cut off"),
    ):
        with pytest.raises(UserError, match=f"--decontaminate: .*{said}"):
            Benchmarks(tmp_path / "db", [str(file) for file in files])
