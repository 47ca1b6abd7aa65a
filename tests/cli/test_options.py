"""Invariants of `programs.cli.options` and `programs.settings`: valid options, and the errors for invalid ones.

1. The command line overrides the config file, which overrides the defaults; each changes only the options that it sets.
2. Every option has a group and a help text.
3. A mistake is a UserError of one line that names the option. For an unknown option or config key, it suggests the nearest
   name. Abbreviations are not accepted.
4. A command prints that line on standard error and ends with exit code 2, without a traceback.
5. Settings are validated together: judges, models of stages, graders, and the path of the journal.
6. `--help` shows the options in groups, and a command's leading values need no option name.
"""

import re
from pathlib import Path

import pytest

from programs.cli.options import parse
from programs.command import COMMANDS
from programs.errors import UserError
from programs.merge import MergeOptions
from programs.option_groups import DEFAULT_JUDGES, MODEL_STAGES
from programs.settings import Settings
from signatures.question_type import QUESTION_TYPES
from tests.builders import Answers, run_tracer
from tests.lab import run_command


def parse_settings(*words: str) -> Settings:
    return parse(Settings, list(words))


def error_of(*words: str) -> str:
    with pytest.raises(UserError) as caught:
        parse_settings(*words)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def test_the_command_line_overrides_the_config_and_the_config_the_defaults(config: Path) -> None:
    assert parse_settings() == Settings()
    config.write_text("max_traces: 5\nseed: 4\ntraces-per-sample: 3\n")
    settings = parse_settings("--config", str(config), "--seed", "9")
    assert (settings.max_traces, settings.seed, settings.traces_per_sample) == (5, 9, 3)
    assert settings.concurrency is None
    assert parse_settings("--seed", "0", "--config", str(config)).seed == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- a\n- b\n", "is not a mapping of option names"),
        ("seed: [1\n", "cannot be read"),
        ("output: 2024-02-30\n", "cannot be read"),
        ("seed: many\n", "--seed"),
        ("stage_model: trace=x\n", "--stage-model"),
        ("seed: 1\nmodle: 5\n", r"unknown key 'modle'.*did you mean 'model'"),
        ("seed: 1\nqualitycheck: 5\n", r"unknown key 'qualitycheck'.*did you mean 'quality_check'"),
    ],
)
def test_an_invalid_config_is_an_error_of_one_line(config: Path, text: str, reason: str) -> None:
    config.write_text(text)
    assert re.search(reason, error_of("--config", str(config)))


INVALID = ["--max-traces=0", f"--traces-per-sample={len(QUESTION_TYPES) + 1}", "--min-quality-score=0.5", "--model="]
INVALID += [f"--stage-model={bad}" for bad in ("trace", "tracing=a", "judge=a")]


@pytest.mark.parametrize("word", [*INVALID, "--temperature=nan", "--judge-models= , ", "--seed"])
def test_the_error_for_a_bad_value_names_the_option(word: str) -> None:
    assert word.partition("=")[0] in error_of(word)


def test_a_broken_pipe_ends_a_command_silently() -> None:
    """How a user's mistake ends it: tests/test_cli.py."""

    def command(_words: list[str]) -> int:
        raise BrokenPipeError

    done = run_command(main=command)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("words", [["a,b"], ["a", "b"], [" a , b,", "a"]])
def test_judges_are_separated_by_commas_or_spaces_and_deduplicated(words: list[str]) -> None:
    assert parse_settings("--quality-check", "--judge-models", *words).judges == ("a", "b")


@pytest.mark.parametrize("option", ["judge-models", "grade-model", "solver-model", "check-model"])
def test_a_model_without_the_option_that_uses_it_is_rejected(option: str) -> None:
    assert f"--{option} does nothing without --" in error_of(f"--{option}", "openai/a")


@pytest.mark.parametrize("model", ["embedded", "embedded:x.gguf", "openai/any", "groq/llama"])
def test_judges_must_be_named_for_a_model_that_is_not_on_argo(model: str) -> None:
    error = error_of("--model", model, "--quality-check")
    assert "--judge-models" in error
    assert model in error
    assert parse_settings("--model", model, "--quality-check", "--judge-models", "gpt41").judges == ("gpt41",)
    assert parse_settings("--model", model).judges == DEFAULT_JUDGES
    assert parse_settings("--model", "gpt41", "--quality-check").judges == DEFAULT_JUDGES == ("gpt41", "gemini25pro")


def test_every_stage_except_judge_and_grade_may_have_its_own_model() -> None:
    answers = Answers()
    run_tracer(answers, thought="model", tries=1)
    assert set(MODEL_STAGES) == {ask.stage for ask in answers.asks} - {"compare"}
    for stage in MODEL_STAGES:
        assert parse_settings("--stage-model", f"{stage}=x").stage_models == {stage: "x"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_group_and_a_help_text(name: str) -> None:
    model = COMMANDS[name].options_class()
    assert sorted(option for group in model.grouped().values() for option in group) == sorted(model.model_fields)
    assert all(field.description for field in model.model_fields.values())


def test_help_shows_leading_values_once(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(MergeOptions, ["--help"])
    out = capsys.readouterr().out
    assert "[--sources] FILE [FILE ...] [options]\n" in out
    assert "SOURCES" not in out


@pytest.mark.parametrize("words", ["a b --output c", "--sources a b --output c", "--output c --sources a b"])
def test_leading_values_need_no_option_name(words: str) -> None:
    assert parse(MergeOptions, words.split()) == MergeOptions(sources=["a", "b"], output=Path("c"))
