"""Invariants of `optimize.workspace`:

1. The first compilation in a folder writes what it is for; the same one finds it, whatever it may spend.
2. Another model, optimizer, stage, metric, judge, split, seed or program is refused, naming the option and both values.
3. A damaged file is refused, never overwritten.
4. Results without the calls that they were made of are never written over, and neither is somebody else's settings.json.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from optimize.settings import CompileSettings
from optimize.workspace import NAME, check_folder
from programs.errors import UserError

TEXTS = "12ab"


def settings(folder: Path, **given: Any) -> CompileSettings:
    return CompileSettings.model_validate({"model": "gpt41", "output": folder, **given})


def test_the_same_compilation_goes_on(tmp_path: Path) -> None:
    check_folder(tmp_path, settings(tmp_path), TEXTS)
    written = (tmp_path / NAME).read_bytes()
    check_folder(
        tmp_path,
        settings(tmp_path, max_calls=9, concurrency=3, budget="heavy", api_base="http://user:pw@host/v1"),
        TEXTS,
    )
    assert (tmp_path / NAME).read_bytes() == written
    assert b"pw" not in written


OTHERWISE: list[dict[str, Any]] = [
    {"model": "gpt4o"},
    {"optimizer": "gepa"},
    {"stage": ["trace"]},
    {"metric": "form"},
    {"judge_models": "none"},
    {"report_judge_models": ["x"]},
    {"reflection_model": "x"},
    {"num_test": 7},
    {"seed": 5},
    {"program": "elsewhere"},
    {"prompt_order": "stock"},
    {"trainset": ["other.jsonl"]},
]


@pytest.mark.parametrize("given", OTHERWISE, ids=lambda given: next(iter(given)))
def test_another_compilation_is_refused(tmp_path: Path, given: dict[str, Any]) -> None:
    check_folder(tmp_path, settings(tmp_path), TEXTS)
    option = next(iter(given)).replace("_", "-")
    with pytest.raises(UserError, match=f"--{option} was .* and is now "):
        check_folder(tmp_path, settings(tmp_path, **given), TEXTS)


def test_other_texts_are_refused(tmp_path: Path) -> None:
    """A file that was written anew has its old name."""
    check_folder(tmp_path, settings(tmp_path), TEXTS)
    with pytest.raises(UserError, match="the hash of the texts was 12ab and is now 34cd"):
        check_folder(tmp_path, settings(tmp_path), "34cd")


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content)
    with pytest.raises(UserError, match="--no-resume"):
        check_folder(tmp_path, settings(tmp_path), TEXTS)
    assert (tmp_path / NAME).read_text() == content


@pytest.mark.parametrize("name", ["program.json", "report.json", "report.md"])
def test_results_without_their_calls_are_not_written_over(tmp_path: Path, name: str) -> None:
    check_folder(tmp_path, settings(tmp_path), TEXTS)
    (tmp_path / name).write_text("{}")
    check_folder(tmp_path, settings(tmp_path), TEXTS)
    before = (tmp_path / NAME).read_bytes()
    with pytest.raises(UserError, match=f"holds {name} without the calls"):
        check_folder(tmp_path, settings(tmp_path, seed=5), TEXTS, begun=False)
    assert (tmp_path / NAME).read_bytes() == before


def test_where_nothing_was_begun_anything_can_be(tmp_path: Path) -> None:
    check_folder(tmp_path, settings(tmp_path), TEXTS, begun=False)
    check_folder(tmp_path, settings(tmp_path, seed=5), TEXTS, begun=False)
    assert '"seed": 5' in (tmp_path / NAME).read_text()
    (tmp_path / NAME).write_text('{"editor": "mine"}')
    with pytest.raises(UserError, match="without the calls"):
        check_folder(tmp_path, settings(tmp_path), TEXTS, begun=False)
