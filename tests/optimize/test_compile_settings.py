"""The options of a compilation: what they mean when they are not given, and what is a mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from optimize.compilation import Compilation
from optimize.compile import prepared
from optimize.optimizers import OPTIMIZERS
from optimize.settings import CompileSettings
from optimize.texts import judge_warnings
from programs.asking.models import ModelTable
from programs.cli.options import parse
from tests.lab import write_passages


def settings(**given: Any) -> CompileSettings:
    return CompileSettings.model_validate({"model": "openai/any", "api_base": "http://localhost:1/v1", **given})


def course(folder: Path, texts: int = 12, **given: Any) -> Compilation:
    return prepared(settings(trainset=[str(write_passages(folder / "p.jsonl", range(texts)))], **given))


def bounds(folder: Path, **given: Any) -> dict[str, int]:
    found = course(folder, **given)
    return found.calls_at_most(found.runs)


def test_a_model_and_nothing_else_is_enough() -> None:
    found = parse(CompileSettings, "compile", "", ["--model", "gpt41"])
    assert (found.optimizer, found.stage, found.proposer) == ("mipro", ["all"], "gpt41")
    assert set(OPTIMIZERS) == {"bootstrap", "random-search", "optuna", "mipro", "copro", "simba", "gepa"}
    assert all(settings(optimizer=name).optimizer == name for name in OPTIMIZERS)


@pytest.mark.parametrize(
    ("given", "judges", "report"),
    [
        ({}, ["openai/any"], ["openai/any"]),
        ({"judge_models": "a,b"}, ["a", "b"], ["a", "b"]),
        ({"judge_models": ["a", "a"], "report_judge_models": "c"}, ["a"], ["c"]),
        ({"judge_models": "none"}, [], []),
        ({"judge_models": "none", "report_judge_models": "c"}, [], ["c"]),
        ({"report_judge_models": "none"}, ["openai/any"], []),
        ({"model": "embedded"}, [], []),
        ({"model": "embedded", "report_judge_models": "c"}, [], ["c"]),
    ],
)
def test_who_judges(given: dict[str, Any], judges: list[str], report: list[str]) -> None:
    found = settings(**given)
    assert (found.judges, found.report_judges) == (judges, report)


def test_the_built_in_model_is_found_by_the_name_that_it_has_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("programs.asking.models.resolve", lambda name, **_: opened.append(name))
    options = settings(model="embedded", judge_models="embedded", reflection_model="embedded")
    table = ModelTable(options.of_a_run)
    for name in (options.model, options.proposer, *options.judges, *options.report_judges):
        table.named(name)
    assert [name.startswith("embedded:") for name in opened] == [True]


@pytest.mark.parametrize(("texts", "sides"), [(4, (1, 1, 2)), (12, (3, 3, 6)), (50, (12, 12, 25)), (130, (24, 24, 60))])
def test_half_of_the_texts_prove(texts: int, sides: tuple[int, int, int], tmp_path: Path) -> None:
    splits = course(tmp_path, texts).splits
    assert (len(splits.train), len(splits.val), len(splits.test)) == sides


def test_few_papers_with_many_texts_need_no_options(tmp_path: Path) -> None:
    path = tmp_path / "papers.jsonl"
    lines = [write_passages(tmp_path / "x", range(n, n + 8), title=f"Paper {n}").read_text() for n in range(0, 64, 8)]
    path.write_text("".join(lines))
    splits = prepared(settings(trainset=[str(path)])).splits
    assert [len(side) for side in (splits.test, splits.train, splits.val)] == [4, 16, 16]


def test_the_estimate_grows_with_judges_stages_and_budget(tmp_path: Path) -> None:
    def calls(**given: Any) -> int:
        return sum(bounds(tmp_path, **given).values())

    assert calls(judge_models="none") < calls() < calls(judge_models="openai/a,openai/b")
    assert calls(metric="form") == calls(metric="form", judge_models="none")
    assert calls(stage="hypotheses") < calls(stage="trace") < calls()
    assert calls(stage="hypotheses") < calls(stage=["hypotheses", "critique"])
    assert calls() < calls(budget="medium") < calls(budget="heavy")
    # Where nobody judges a thought, its answer need not be written.
    assert (
        calls(stage="trace", judge_models="none")
        < calls(stage="answer", metric="form")
        < calls(stage="trace", metric="form")
    )


JUDGED, ITSELF, NOBODY = "may have learned to please them", "the model judges itself", "no judge took part"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, [JUDGED, ITSELF]),
        ({"judge_models": "openai/a", "report_judge_models": "openai/b"}, []),
        ({"judge_models": "openai/a,openai/b", "report_judge_models": "openai/b"}, [JUDGED]),
        ({"judge_models": "openai/a", "stage": "hypotheses"}, []),
        ({"judge_models": "none"}, [NOBODY]),
        ({"metric": "form"}, [NOBODY]),
        ({"judge_models": "openai/a", "metric": "grades"}, [JUDGED]),
    ],
)
def test_a_reader_is_warned_of_the_judges(given: dict[str, Any], said: list[str]) -> None:
    found = judge_warnings(settings(**given))
    assert len(found) == len(said)
    assert all(words in warning for words, warning in zip(said, found, strict=True))


@pytest.mark.parametrize("metric", ["judge", "grades", "judge=0.5,grades=0.5"])
@pytest.mark.parametrize("given", [{"judge_models": "none"}, {"model": "embedded"}, {"report_judge_models": "none"}])
def test_what_nobody_can_measure_is_refused(metric: str, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs judges"):
        CompileSettings.model_validate({"model": "gpt41", "metric": metric, **given})
    CompileSettings.model_validate({"model": "gpt41", "metric": f"{metric.partition('=')[0]}=0.5,form=0.5", **given})
