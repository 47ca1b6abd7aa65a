"""Invariants of `--print-config`, and so of config files (what they reject: tests/cli/test_options.py).

1. For every command and any settings, the printed config gives the same settings when `--config` reads it.
2. `--print-config` combines the command line and the config file, prints the result, and does nothing else.
3. Credentials in an address are left out, with a comment beside it; everything else is printed.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.cli.options import comma_separated, config_text, parse, read_config, validate
from programs.command import COMMANDS
from programs.option_groups import MODEL_STAGES
from programs.settings import Settings

NAMES = st.text(min_size=1)
INTEGERS = st.integers(1, 4096)
POSITIVE = st.floats(0.001, 1e9)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "model": NAMES.map(lambda name: f"openai/{name}"),
    "input_file": st.lists(NAMES, min_size=1),
    "output": NAMES.map(lambda name: f"out/{name}"),
    "max_traces": st.none() | INTEGERS,
    "resume": st.booleans(),
    "judge_models": st.lists(NAMES.filter(comma_separated), min_size=1),
    "min_quality_score": st.floats(1, 10),
    "stage_model": st.lists(st.tuples(st.sampled_from(MODEL_STAGES), NAMES).map("=".join)),
    "api_base": st.lists(st.integers(1, 9).map(lambda number: f"http://gpu{number}:8000/v1")),
    "timeout": POSITIVE,
    "temperature": st.floats(0, 2),
    "seed": st.integers(-(2**70), 2**70),
    "prices": st.dictionaries(NAMES, st.fixed_dictionaries({"prompt": POSITIVE, "completion": POSITIVE})),
    "log_format": st.sampled_from(["text", "json"]),
}


@settings(max_examples=25)
@given(
    st.fixed_dictionaries({"judge_models": VALUES.pop("judge_models"), "quality_check": st.just(True)}, optional=VALUES)
)
def test_a_printed_config_gives_the_same_settings(values: dict[str, Any]) -> None:
    original = validate(Settings, values)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.yaml"
        path.write_text(config_text(original), encoding="utf-8")
        assert validate(Settings, read_config(path, Settings)) == original


REQUIRED_WORDS: dict[str, list[str]] = {
    "export": ["doc.json", "--to", "dpo", "--output", "out", "--licence", "cc0-1.0,cc-by-4.0"],
    "compile": ["--stage", "judge", "--judge-models", "a,b", "--trainset", "labels.jsonl"],
    "merge": ["a.json", "b.json", "--output", "out.json"],
    "completion": ["zsh"],
    **{name: ["doc.json"] for name in ("report", "prove", "document")},
}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_reads_its_printed_config(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = COMMANDS[name].options_class()
    words = REQUIRED_WORDS.get(name, [])
    with pytest.raises(SystemExit) as exited:
        parse(options, [*words, "--print-config"])
    assert exited.value.code == 0
    path = tmp_path / "run.yaml"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    assert parse(options, ["--config", str(path)]) == parse(options, words)


def test_credentials_in_an_address_are_left_out(tmp_path: Path) -> None:
    bases = ["https://jdoe:hunter%20'2\"@gpu2/v1", "http://gpu3/v1"]
    text = config_text(Settings(model="openai/x", api_base=bases, output=Path("a@b//c@d")))
    assert "jdoe" not in text
    assert "hunter" not in text
    assert text.count("# the credentials in this address are left out") == 1
    path = tmp_path / "run.yaml"
    path.write_text(text)
    reread = validate(Settings, read_config(path, Settings))
    assert reread.api_base == ["https://gpu2/v1", "http://gpu3/v1"]
    assert reread.output == Path("a@b//c@d")
