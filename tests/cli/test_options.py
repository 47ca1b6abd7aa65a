"""Invariants of `programs.cli.options` and `programs.settings`: what a user may say, and what a mistake is answered with.

1. The command line wins over the config file, the config file over the defaults; neither changes the other's options.
2. Every option has a group and a help text.
3. A mistake is a UserError of one line that names the option; an unknown option or key of a config file is answered with
   the nearest name; nothing is guessed from an abbreviation.
4. A command prints that line on standard error and ends with code 2, without a traceback.
5. The settings know what goes together: whose judges, which stages, who grades, where the journal lies.
6. `--help` shows the options in groups, and a model's leading values need no option.
"""

import re
from pathlib import Path

import pytest

from programs.cli.options import parse
from programs.command import COMMANDS
from programs.errors import UserError
from programs.merge import MergeOptions
from programs.option_groups import DEFAULT_JUDGES, STAGES
from programs.settings import Settings
from signatures.question_type import QUESTION_TYPES
from tests.lab import called
from tests.making import Answers, made_of


def parsed(*words: str) -> Settings:
    return parse(Settings, list(words))


def refused(*words: str) -> str:
    with pytest.raises(UserError) as caught:
        parsed(*words)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def test_the_command_line_wins_over_the_config_and_that_over_the_defaults(config: Path) -> None:
    assert parsed() == Settings()
    config.write_text("max_traces: 5\nseed: 4\ntraces-per-sample: 3\n")
    settings = parsed("--config", str(config), "--seed", "9")
    assert (settings.max_traces, settings.seed, settings.traces_per_sample) == (5, 9, 3)
    assert settings.concurrency is None
    assert parsed("--seed", "0", "--config", str(config)).seed == 0


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
def test_a_config_that_is_wrong_is_one_line(config: Path, text: str, reason: str) -> None:
    config.write_text(text)
    assert re.search(reason, refused("--config", str(config)))


BAD = ["--max-traces=0", f"--traces-per-sample={len(QUESTION_TYPES) + 1}", "--min-quality-score=0.5", "--model="]
BAD += [f"--stage-model={bad}" for bad in ("trace", "tracing=a", "judge=a")]


@pytest.mark.parametrize("word", [*BAD, "--temperature=nan", "--judge-models= , ", "--seed"])
def test_a_bad_value_names_its_option(word: str) -> None:
    assert word.partition("=")[0] in refused(word)


def test_a_pipe_that_nobody_reads_ends_a_command_without_a_word() -> None:
    """How a mistake does: tests/test_cli.py."""

    def command(_words: list[str]) -> int:
        raise BrokenPipeError

    done = called(main=command)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("given", [["a,b"], ["a", "b"], [" a , b,", "a"]])
def test_judges_are_separated_by_commas_or_spaces_each_once(given: list[str]) -> None:
    assert parsed("--quality-check", "--judge-models", *given).judges == ("a", "b")


@pytest.mark.parametrize("given", ["judge-models", "grade-model", "solver-model", "check-model"])
def test_a_model_for_what_is_not_asked_for_is_refused(given: str) -> None:
    assert f"--{given} does nothing without --" in refused(f"--{given}", "openai/a")


@pytest.mark.parametrize("model", ["embedded", "embedded:x.gguf", "openai/any", "groq/llama"])
def test_a_model_that_is_not_argos_needs_judges_of_its_own(model: str) -> None:
    said = refused("--model", model, "--quality-check")
    assert "--judge-models" in said
    assert model in said
    assert parsed("--model", model, "--quality-check", "--judge-models", "gpt41").judges == ("gpt41",)
    assert parsed("--model", model).judges == DEFAULT_JUDGES
    assert parsed("--model", "gpt41", "--quality-check").judges == DEFAULT_JUDGES == ("gpt41", "gemini25pro")


def test_every_stage_of_the_program_but_judges_and_grades_may_have_a_model() -> None:
    answers = Answers()
    made_of(answers, thought="model", tries=1)
    assert set(STAGES) == {ask.stage for ask in answers.asked} - {"compare"}
    for stage in STAGES:
        assert parsed("--stage-model", f"{stage}=x").stage_models == {stage: "x"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_its_group_and_a_help(name: str) -> None:
    model = COMMANDS[name].settings()
    assert sorted(option for group in model.grouped().values() for option in group) == sorted(model.model_fields)
    assert all(field.description for field in model.model_fields.values())


def test_help_has_one_name_for_what_may_come_first(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(MergeOptions, ["--help"])
    out = capsys.readouterr().out
    assert "[--sources] FILE [FILE ...] [options]\n" in out
    assert "SOURCES" not in out


@pytest.mark.parametrize("words", ["a b --output c", "--sources a b --output c", "--output c --sources a b"])
def test_leading_values_need_no_option(words: str) -> None:
    assert parse(MergeOptions, words.split()) == MergeOptions(sources=["a", "b"], output=Path("c"))
