"""Invariants of `programs.compiled`: a compiled program is data.

1. Without a file the program is as it is. What was saved comes back: instructions, demonstrations, field descriptions.
2. A folder means the program.json in it.
3. What is no program of ours is a UserError of one line: no file, no JSON, another program, renamed, missing or
   reordered fields, damaged predictors.
4. No model, address, key or other attribute is ever taken from a file.
5. Loading changes no other program.
6. A program made for other fields, types, another adapter or order of prompts is refused, naming the difference.
7. Tuned temperatures come back, and nothing else of a predictor's configuration. Another model is said.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dspy
import pytest

from programs.compiled import read_identity
from programs.errors import UserError
from programs.settings import Settings
from programs.tracer import Tracer, load_tracer
from tests.compiled.test_fingerprint import demos
from tests.making import thought

State = dict[str, Any]


def changed() -> Tracer:
    """A program with other instructions, a demonstration with values, and another description."""
    tracer = Tracer()
    tracer.writer.trace.signature = tracer.writer.trace.signature.with_instructions("Think slowly.")
    tracer.writer.trace.demos = [dspy.Example(augmented=True, **demos()[0])]
    return tracer


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "program.json"
    changed().save(path)
    return path


def plain(state: Any) -> Any:
    return json.loads(json.dumps(state, default=lambda value: value.model_dump(mode="json")))


def test_what_was_saved_comes_back(saved: Path) -> None:
    loaded = load_tracer(saved)
    assert Settings.model_validate({"program": "none"}).program is None, "the plain one"
    assert loaded.writer.trace.signature.instructions == "Think slowly."
    assert loaded.writer.trace.demos[0]["question"] == "Why?"
    assert plain(loaded.dump_state()) == plain(changed().dump_state())
    assert loaded.writer.trace.signature.output_fields["thought"].annotation is type(thought())


NAME = "writer.trace"


def reorder(state: State) -> None:
    fields = state[NAME]["signature"]["fields"]
    fields[0], fields[1] = fields[1], fields[0]


def setting(**values: Any) -> Callable[[State], None]:
    return lambda state: state[NAME].update(values)


def made_for(change: Callable[[State], object]) -> Callable[[State], object]:
    """Changes what the program says that it was made for."""
    return lambda state: change(state["metadata"]["synthreasoner"])


REFUSED: dict[str, tuple[Callable[[State], object], str]] = {
    "renamed": (lambda state: state.update(other=state.pop(NAME)), "differences: other, writer.trace"),
    "reordered fields": (reorder, "differences: writer.trace"),
    "config": (setting(config={"api_base": "http://evil.example"}), "writer.trace.config: Extra inputs"),
    "an attribute": (setting(stage="x", callbacks=[]), "writer.trace.stage: Extra inputs"),
    "a signature of words": (setting(signature="question -> answer"), "writer.trace.signature: Input should be"),
    "a field without description": (
        lambda state: state[NAME]["signature"]["fields"][0].pop("description"),
        "writer.trace.signature.fields.0.description: Field required",
    ),
    "another type": (
        made_for(lambda made: made["signatures"]["writer.answer"].__setitem__(-1, "answer: FinalAnswer#00000000")),
        "differences: fields of writer.answer",
    ),
    "another order of fields": (
        made_for(lambda made: made["signatures"]["writer.answer"].reverse()),
        "differences: fields of writer.answer",
    ),
    "a predictor that is new": (
        made_for(lambda made: made["signatures"].pop(NAME)),
        "differences: fields of writer.trace",
    ),
    "another adapter": (made_for(lambda made: made.update(adapter_version=0)), "differences: form of replies"),
    "another order of prompts": (
        made_for(lambda made: made.update(prompt_order="stock")),
        "differences: order of prompts",
    ),
}


@pytest.mark.parametrize(("change", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_this_program_is_refused(saved: Path, change: Callable[[State], object], reason: str) -> None:
    state = json.loads(saved.read_text())
    change(state)
    saved.write_text(json.dumps(state))
    with pytest.raises(UserError, match=r"^--program: ") as caught:
        load_tracer(saved)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_tuned_temperatures_come_back(tmp_path: Path) -> None:
    tracer = Tracer()
    tracer.strands.critique.config["temperature"] = 0.3
    tracer.save(tmp_path / "p.json", model="gpt41")
    loaded = load_tracer(tmp_path / "p.json")
    assert loaded.strands.critique.config == {"temperature": 0.3}
    assert loaded.writer.trace.config == {}
    assert read_identity(tmp_path / "p.json").model == "gpt41"


def test_a_program_of_another_model_is_used_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    changed().save(tmp_path / "p.json", model="tiny")
    load_tracer(tmp_path / "p.json", model="tiny")
    assert not caplog.records
    load_tracer(tmp_path / "p.json", model="gpt41")
    assert "was compiled for tiny but is used with gpt41" in caplog.text


def test_no_model_is_taken_from_a_file(saved: Path) -> None:
    state = json.loads(saved.read_text())
    for part in state.values():
        part["lm"] = {"model": "openai/gpt-4o", "api_base": "http://evil.example", "api_key": "k"}
    saved.write_text(json.dumps(state))
    loaded = load_tracer(saved)
    assert all(predictor.lm is None for predictor in loaded.predictors())
    assert "evil" not in json.dumps(plain(loaded.dump_state()))
    assert vars(loaded).keys() == vars(Tracer()).keys()
