"""Invariants of `programs.compiled.shipped`:

1. What ships for a model loads into the program as it is today: a stale one must be compiled again or taken out.
2. It is used only where its report says that it is better.
3. A stale one is left, with one line in the log; one that is named is refused.
4. `none` is the plain program. A program of another model is used, and said.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from programs.compiled import shipped
from programs.compiled.load import load_tracer
from programs.errors import UserError
from programs.tracer import Tracer

ORDER = "passage-first"


def compiled(folder: Path, *, improved: bool = True, model: str = "tiny", stale: bool = False) -> Path:
    tracer = Tracer()
    tracer.writer.answer.signature = tracer.writer.answer.signature.with_instructions("Answer slowly.")
    folder.mkdir(parents=True)
    tracer.save(folder / "program.json", model=model, prompt_order=ORDER)
    (folder / "report.json").write_text(json.dumps({"improved": improved}))
    if stale:
        text = (folder / "program.json").read_text()
        (folder / "program.json").write_text(text.replace('"adapter_version": ', '"adapter_version": 9'))
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where programs that ship are looked for."""
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "programs" / "compiled" / "shipped.py"))
    return tmp_path / "data" / "compiled"


def instructions(tracer: Tracer) -> str:
    return str(tracer.writer.answer.signature.instructions)


def test_what_ships_is_not_stale() -> None:
    folders = [path.parent for path in (Path(__file__).parents[2] / "data" / "compiled").glob("*/program.json")]
    for folder in folders:
        load_tracer(folder, prompt_order=ORDER)
        assert (folder / "report.json").is_file()
        assert (folder / "report.md").is_file()


def test_a_better_one_is_used(place: Path) -> None:
    compiled(place / "tiny")
    assert instructions(shipped.tracer_for(None, "tiny", ORDER)) == "Answer slowly."
    assert instructions(shipped.tracer_for(None, "other", ORDER)) != "Answer slowly."
    assert instructions(shipped.tracer_for(shipped.PLAIN, "tiny", ORDER)) != "Answer slowly."


def test_one_that_is_not_better_is_not_used(place: Path) -> None:
    compiled(place / "tiny", improved=False)
    assert shipped.shipped_program("tiny") is None
    assert instructions(shipped.tracer_for(None, "tiny", ORDER)) != "Answer slowly."


@pytest.mark.parametrize("report", ["", "[]", "{}", '{"improved": "yes"}'])
def test_a_report_that_does_not_say_so_proves_nothing(place: Path, report: str) -> None:
    (compiled(place / "tiny") / "report.json").write_text(report)
    assert shipped.shipped_program("tiny") is None


def test_a_stale_one_is_left(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = compiled(place / "tiny", stale=True)
    with caplog.at_level(logging.WARNING):
        assert instructions(shipped.tracer_for(None, "tiny", ORDER)) != "Answer slowly."
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "is not used" in caplog.text
    with pytest.raises(UserError, match="the adapter's version was"):
        shipped.tracer_for(folder, "tiny", ORDER)


def test_one_for_another_order_of_prompts_is_left(place: Path) -> None:
    compiled(place / "tiny")
    assert instructions(shipped.tracer_for(None, "tiny", "stock")) != "Answer slowly."


def test_a_program_of_another_model_is_used_and_said(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = compiled(place / "tiny")
    with caplog.at_level(logging.WARNING):
        assert instructions(shipped.tracer_for(folder, "gpt41", ORDER)) == "Answer slowly."
    assert "was compiled for tiny, and is used with gpt41" in caplog.text
