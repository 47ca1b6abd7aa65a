"""What `python -m tests.bench.false_alarms` counts, on a passage that says a thing and its contrary."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from programs.errors import UserError
from tests.bench.false_alarms import counted, main, passages_in

RISES = "The scatter between repeated exposures increases towards the faint targets, and it always did."
FALLS = "The scatter between repeated exposures decreases towards the faint targets of the survey."
OTHER = "Nobody was asked about it."


def test_a_passage_that_contradicts_itself_is_counted() -> None:
    passage = f"{RISES} {FALLS} {OTHER}"
    assert counted([passage, passage]) == {"the rest": (2, 2), "the whole": (2, 0), "clauses": (1, 0)}


def test_passages_are_texts_or_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "passages.jsonl"
    path.write_text(f"{json.dumps({'text': RISES})}\n{json.dumps({'abstract_sentences': [FALLS, OTHER]})}\n")
    assert list(passages_in(path)) == [RISES, f"{FALLS} {OTHER}"]
    assert main([str(path)]) == 0
    assert "0 of 2 (0.0%)" in capsys.readouterr().out
    path.write_text('{"claim": "It grows."}\n')
    with pytest.raises(UserError, match=":1 has neither"):
        list(passages_in(path))
