"""Invariants of `--print-config` (and so of config files: what they refuse is in tests/cli/test_options.py).

1. What is printed, read again by --config, gives the same settings, whatever they are, for every command.
2. It is made of the command line and the config file together, prints and does nothing else.
3. Credentials in an address are left out, which is said beside it; everything else is there.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.cli.options import comma_separated, config_text, parse, read_config, validated
from programs.command import COMMANDS
from programs.option_groups import STAGES
from programs.settings import Settings

NAMES = st.text(min_size=1)
WHOLE = st.integers(1, 4096)
AMOUNTS = st.floats(0.001, 1e9)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "model": NAMES.map(lambda name: f"openai/{name}"),
    "input_file": st.lists(NAMES, min_size=1),
    "output": NAMES.map(lambda name: f"out/{name}"),
    "max_traces": st.none() | WHOLE,
    "resume": st.booleans(),
    "judge_models": st.lists(NAMES.filter(comma_separated), min_size=1),
    "min_quality_score": st.floats(1, 10),
    "stage_model": st.lists(st.tuples(st.sampled_from(STAGES), NAMES).map("=".join)),
    "api_base": st.lists(st.integers(1, 9).map(lambda number: f"http://gpu{number}:8000/v1")),
    "timeout": AMOUNTS,
    "temperature": st.floats(0, 2),
    "seed": st.integers(-(2**70), 2**70),
    "prices": st.dictionaries(NAMES, st.fixed_dictionaries({"prompt": AMOUNTS, "completion": AMOUNTS})),
    "log_format": st.sampled_from(["text", "json"]),
}


@settings(max_examples=25)
@given(
    st.fixed_dictionaries({"judge_models": VALUES.pop("judge_models"), "quality_check": st.just(True)}, optional=VALUES)
)
def test_whatever_is_set_comes_back(values: dict[str, Any]) -> None:
    first = validated(Settings, values)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.yaml"
        path.write_text(config_text(first), encoding="utf-8")
        assert validated(Settings, read_config(path, Settings)) == first


GIVEN: dict[str, list[str]] = {
    "export": ["doc.json", "--to", "dpo", "--output", "out", "--licence", "cc0-1.0,cc-by-4.0"],
    "compile": ["--stage", "judge", "--judge-models", "a,b", "--trainset", "labels.jsonl"],
    "merge": ["a.json", "b.json", "--output", "out.json"],
    "completion": ["zsh"],
    **{name: ["doc.json"] for name in ("report", "prove", "document")},
}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_prints_what_it_takes_again(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = COMMANDS[name].settings()
    words = GIVEN.get(name, [])
    with pytest.raises(SystemExit) as ended:
        parse(model, [*words, "--print-config"])
    assert ended.value.code == 0
    path = tmp_path / "run.yaml"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    assert parse(model, ["--config", str(path)]) == parse(model, words)


def test_credentials_in_an_address_are_left_out(tmp_path: Path) -> None:
    bases = ["https://jdoe:hunter%20'2\"@gpu2/v1", "http://gpu3/v1"]
    text = config_text(Settings(model="openai/x", api_base=bases, output=Path("a@b//c@d")))
    assert "jdoe" not in text
    assert "hunter" not in text
    assert text.count("# the credentials in this address are left out") == 1
    path = tmp_path / "run.yaml"
    path.write_text(text)
    again = validated(Settings, read_config(path, Settings))
    assert again.api_base == ["https://gpu2/v1", "http://gpu3/v1"]
    assert again.output == Path("a@b//c@d")
