"""The options of a compilation: their defaults, and which are rejected."""

from typing import Any

import pytest

from optimize.settings import CompileSettings
from optimize.texts import judge_warnings


def settings_with(**options: Any) -> CompileSettings:
    return CompileSettings.model_validate({"model": "openai/any", "api_base": "http://localhost:1/v1", **options})


@pytest.mark.parametrize(
    ("options", "judges", "report"),
    [
        ({}, ["openai/any"], ["openai/any"]),
        ({"judge_models": "a,b"}, ["a", "b"], ["a", "b"]),
        ({"judge_models": ["a", "a"], "report_judge_models": "c"}, ["a"], ["c"]),
        ({"judge_models": "none", "report_judge_models": "c"}, [], ["c"]),
        ({"report_judge_models": "none"}, ["openai/any"], []),
        ({"model": "embedded"}, [], []),
    ],
)
def test_judges_while_tuning_and_in_the_proof(options: dict[str, Any], judges: list[str], report: list[str]) -> None:
    settings = settings_with(**options)
    assert (settings.judges, settings.report_judges) == (judges, report)


JUDGED, ITSELF, NOBODY = "may have learned to please them", "the model judges itself", "no judge took part"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [JUDGED, ITSELF]),
        ({"judge_models": "openai/a", "report_judge_models": "openai/b"}, []),
        ({"judge_models": "openai/a,openai/b", "report_judge_models": "openai/b"}, [JUDGED]),
        ({"judge_models": "openai/a", "stage": "hypotheses"}, [JUDGED]),
        ({"judge_models": "none"}, [NOBODY]),
        ({"judge_models": "openai/a", "metric": "grades"}, [JUDGED]),
    ],
)
def test_the_report_warns_about_the_judges(options: dict[str, Any], expected: list[str]) -> None:
    warnings = judge_warnings(settings_with(**options))
    assert len(warnings) == len(expected)
    assert all(phrase in warning for phrase, warning in zip(expected, warnings, strict=True))


@pytest.mark.parametrize("options", [{"judge_models": "none"}, {"model": "embedded"}, {"report_judge_models": "none"}])
def test_a_metric_without_the_judges_that_it_needs_is_rejected(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs judges"):
        settings_with(metric="judge=0.5,grades=0.5", **options)
    settings_with(metric="grades=0.5,grounding=0.5", **options)
