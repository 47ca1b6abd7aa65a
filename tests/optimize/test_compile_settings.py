"""The options of a compilation: what they mean when they are not given, and what is a mistake."""

from typing import Any

import pytest

from optimize.settings import CompileSettings
from optimize.stages import STAGES
from optimize.texts import judge_warnings, self_scored_stages


def settings(**given: Any) -> CompileSettings:
    return CompileSettings.model_validate({"model": "openai/any", "api_base": "http://localhost:1/v1", **given})


@pytest.mark.parametrize(
    ("given", "judges", "report"),
    [
        ({}, ["openai/any"], ["openai/any"]),
        ({"judge_models": "a,b"}, ["a", "b"], ["a", "b"]),
        ({"judge_models": ["a", "a"], "report_judge_models": "c"}, ["a"], ["c"]),
        ({"judge_models": "none", "report_judge_models": "c"}, [], ["c"]),
        ({"report_judge_models": "none"}, ["openai/any"], []),
        ({"model": "embedded"}, [], []),
    ],
)
def test_who_judges(given: dict[str, Any], judges: list[str], report: list[str]) -> None:
    found = settings(**given)
    assert (found.judges, found.report_judges) == (judges, report)


@pytest.mark.parametrize(("judges", "whole"), [("none", {"answer"}), ("openai/a", {"trace", "answer"})])
def test_all_stages_but_those_that_judges_see_cost_their_own_calls_alone(judges: str, whole: set[str]) -> None:
    assert {*STAGES} - self_scored_stages(settings(judge_models=judges)) == whole


JUDGED, ITSELF, NOBODY = "may have learned to please them", "the model judges itself", "no judge took part"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, [JUDGED, ITSELF]),
        ({"judge_models": "openai/a", "report_judge_models": "openai/b"}, []),
        ({"judge_models": "openai/a,openai/b", "report_judge_models": "openai/b"}, [JUDGED]),
        ({"judge_models": "openai/a", "stage": "hypotheses"}, []),
        ({"judge_models": "none"}, [NOBODY]),
        ({"judge_models": "openai/a", "metric": "grades"}, [JUDGED]),
    ],
)
def test_a_reader_is_warned_of_the_judges(given: dict[str, Any], said: list[str]) -> None:
    found = judge_warnings(settings(**given))
    assert len(found) == len(said)
    assert all(words in warning for words, warning in zip(said, found, strict=True))


@pytest.mark.parametrize("given", [{"judge_models": "none"}, {"model": "embedded"}, {"report_judge_models": "none"}])
def test_what_nobody_can_measure_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs judges"):
        settings(metric="judge=0.5,grades=0.5", **given)
    settings(metric="grades=0.5,grounding=0.5", **given)
