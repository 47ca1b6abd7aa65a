"""Invariants of `programs.compiled`: a compiled program is data.

1. Without a file, the plain program is used. Loading restores saved instructions and demonstrations.
2. A folder stands for the program.json in it.
3. A file that is not this program is a UserError of one line: no file, not JSON, another program, damaged predictors.
4. No model, address, key or other attribute is ever loaded from a file.
5. Loading changes no other program.
6. A program made for other fields, types, or another adapter is rejected, and the error names the difference.
7. Loading restores tuned temperatures, but no other configuration of a predictor. If the model differs, a warning says so.
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
from tests.builders import thought
from tests.compiled.test_fingerprint import example_demos

State = dict[str, Any]


def changed_tracer() -> Tracer:
    """A program whose trace stage has other instructions and a demonstration."""
    tracer = Tracer()
    tracer.writer.trace.signature = tracer.writer.trace.signature.with_instructions("Think slowly.")
    tracer.writer.trace.demos = [dspy.Example(augmented=True, **example_demos()[0])]
    return tracer


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "program.json"
    changed_tracer().save(path)
    return path


def as_json(state: Any) -> Any:
    return json.loads(json.dumps(state, default=lambda value: value.model_dump(mode="json")))


def test_loading_restores_what_was_saved(saved: Path) -> None:
    loaded = load_tracer(saved)
    assert Settings.model_validate({"program": "none"}).program is None, "none means the plain program"
    assert loaded.writer.trace.signature.instructions == "Think slowly."
    assert loaded.writer.trace.demos[0]["question"] == "Why?"
    assert as_json(loaded.dump_state()) == as_json(changed_tracer().dump_state())
    assert loaded.writer.trace.signature.output_fields["thought"].annotation is type(thought())


NAME = "writer.trace"


def update(**values: Any) -> Callable[[State], None]:
    return lambda state: state[NAME].update(values)


def identity(change: Callable[[State], object]) -> Callable[[State], object]:
    """Applies a change to the saved identity, which says what the program was made for."""
    return lambda state: change(state["metadata"]["synthreasoner"])


REJECTED: dict[str, tuple[Callable[[State], object], str]] = {
    "renamed": (lambda state: state.update(other=state.pop(NAME)), "differences: fields of writer.trace"),
    "a signature of words": (update(signature="question -> answer"), "is not a program"),
    "no demonstrations": (update(demos="none"), "is not a program"),
    "another type": (
        identity(lambda made: made["signatures"]["writer.answer"].__setitem__(-1, "answer: FinalAnswer#00000000")),
        "differences: fields of writer.answer",
    ),
    "another order of fields": (
        identity(lambda made: made["signatures"]["writer.answer"].reverse()),
        "differences: fields of writer.answer",
    ),
    "a predictor that is new": (
        identity(lambda made: made["signatures"].pop(NAME)),
        "differences: fields of writer.trace",
    ),
    "another adapter": (identity(lambda made: made.update(adapter_version=0)), "differences: form of replies"),
}


@pytest.mark.parametrize(("change", "reason"), REJECTED.values(), ids=REJECTED)
def test_a_file_of_another_program_is_rejected(saved: Path, change: Callable[[State], object], reason: str) -> None:
    state = json.loads(saved.read_text())
    change(state)
    saved.write_text(json.dumps(state))
    with pytest.raises(UserError, match=r"^--program: ") as caught:
        load_tracer(saved)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_tuned_temperatures_are_restored(tmp_path: Path) -> None:
    tracer = Tracer()
    tracer.strands.critique.config["temperature"] = 0.3
    tracer.save(tmp_path / "p.json", model="gpt41")
    loaded = load_tracer(tmp_path / "p.json")
    assert loaded.strands.critique.config == {"temperature": 0.3}
    assert loaded.writer.trace.config == {}
    assert read_identity(tmp_path / "p.json").model == "gpt41"


def test_a_program_for_another_model_is_used_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    changed_tracer().save(tmp_path / "p.json", model="tiny")
    load_tracer(tmp_path / "p.json", model="tiny")
    assert not caplog.records
    load_tracer(tmp_path / "p.json", model="gpt41")
    assert "was compiled for tiny but is used with gpt41" in caplog.text


def test_nothing_else_is_loaded_from_a_file(saved: Path) -> None:
    state = json.loads(saved.read_text())
    for name in dict(Tracer().named_predictors()):
        state[name]["lm"] = {"model": "openai/gpt-4o", "api_base": "http://evil.example", "api_key": "k"}
        state[name] |= {"config": {"api_base": "http://evil.example"}, "callbacks": ["evil"], "stage": "evil"}
        state[name]["signature"]["fields"].reverse()
    state["evil"] = state[NAME]
    saved.write_text(json.dumps(state))
    loaded = load_tracer(saved)
    assert as_json(loaded.dump_state()) == as_json(changed_tracer().dump_state())
    for predictor, plain in zip(loaded.predictors(), Tracer().predictors(), strict=True):
        assert (predictor.lm, predictor.config, vars(predictor).keys()) == (None, {}, vars(plain).keys())
    assert vars(loaded).keys() == vars(Tracer()).keys()
