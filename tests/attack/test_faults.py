"""Servers that fail in every way known to us, and errors of our own.

1. No sample that could be made is lost, however many calls go wrong.
2. No error's words stand in any record.
3. Access that is withdrawn stops the run at once, exit code 2; the journal is resumable and nothing is asked twice.
4. A server that goes away for a while costs nothing but time, and one that refuses many texts nothing but these.
5. An error in the program costs the text in which it comes up; a run without the error goes on with that.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from programs.inputs.passage import Passage
from programs.stages.checkable import Checkable
from programs.stages.questions import Question
from signatures.answer import FinalAnswer
from tests.lab import USER, Lab, called, laboratory, mistake
from tests.standin import scientist
from tests.standin.faults import NOTICE, PAGE, PROSE, FaultPlan
from tests.standin.panel import PANEL, verdict

KINDS = ["500", "502", "503", "429", "408", "html", "reset", "hang", "dribble", "empty", "null"]
KINDS += ["truncated", "prose", "error200", "overloaded200"]
ERROR_WORDS = ["stand-in fault", "Sign in", "upstream failed", "Overloaded", "overloaded_error"]
ERROR_WORDS += [PROSE[:20], NOTICE[:20], PAGE[:15]]
OPTIONS: dict[str, Any] = {"traces_per_sample": 2, "traces_per_question": 2, "quality_check": True}
OPTIONS |= {"grade_answers": True, "concurrency": 16, "timeout": 0.5, "patience": 30.0, "retry_wait": 0.01}

STAGES: dict[str, scientist.Answer] = {"judge": lambda asked: verdict(7 + int(asked.nonce[0], 16) % 3)}
"""Every judge is content, so that one that stays unscored changes no decision."""


def expect_no_errors_words(lab: Lab) -> None:
    written = json.dumps(lab.records, ensure_ascii=False)
    assert not [words for words in ERROR_WORDS if words in written]


@pytest.mark.attack
@pytest.mark.parametrize("server", ["openai", "native", "legacy"])
def test_every_third_call_wrong_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    faults = FaultPlan(share=0.3, kinds=KINDS, seed=1)
    user = None if server == "openai" else USER
    with laboratory(tmp_path, texts=5, stages=STAGES, faults=faults, retry_after="0", argo_user=user) as lab:
        judged = {"judge_models": ["gpt4o"] if user else PANEL}
        model = {**(lab.as_argo(monkeypatch, server) if user else {}), **judged}
        finished = lab.run(**OPTIONS, **model)
        assert (finished.status, finished.failure) == ("completed", None)
        assert len(set(lab.units)) == len(lab.units) == 5 * 2 * 2
        expect_no_errors_words(lab)
        assert sum(finished.summary.this_run.faults.values()) > 20, "there were faults, and they are told"


@pytest.mark.attack
@pytest.mark.parametrize(("route", "good", "how"), [("native", 0, "401"), ("legacy", 60, "argo_notice")])
def test_access_that_is_denied_or_withdrawn_stops_the_run_and_leaves_it_resumable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, route: str, good: int, how: str
) -> None:
    faults = FaultPlan(script=[None] * good + [how] * 40)
    with laboratory(tmp_path, texts=20, argo_user=USER, faults=faults, latency=0.01) as lab:
        model = lab.as_argo(monkeypatch, route)
        line = mistake(called(*lab.arguments(**model)))
        assert ("401" if how == "401" else "ARGO_USER") in line
        assert USER not in line
        assert lab.calls <= good + 8, "no new call starts"
        if good:
            assert lab.document["metadata"]["status"] == "failed"
            expect_no_errors_words(lab)
        kept = len(lab.lines("stage"))
        assert kept == good
        assert lab.goes_on(20, **model) == 20 * 8 - kept
        expect_no_errors_words(lab)


@pytest.mark.attack
@pytest.mark.parametrize("kind", ["reset", "hang"])
def test_a_server_that_goes_away_for_a_while_costs_only_time(tmp_path: Path, kind: str) -> None:
    faults = FaultPlan(script=[None] * 40 + [kind] * 120)
    with laboratory(tmp_path, texts=10, faults=faults) as lab:
        finished = lab.run(concurrency=16, timeout=0.3, patience=60.0, retry_wait=0.01)
        assert finished.status == "completed"
        assert len(set(lab.units)) == 10
        expect_no_errors_words(lab)


@pytest.mark.attack
def test_a_server_that_refuses_many_texts_makes_the_others(tmp_path: Path) -> None:
    """A filter that turns two dozen texts away is no server that is gone, and is not asked again in the same run."""
    with laboratory(tmp_path, texts=50, faults=FaultPlan(script=["400", None] * 24)) as lab:
        finished = lab.run(concurrency=4)
        assert finished.status == "completed"
        assert lab.calls == len(lab.lines("stage")) + 24
        assert 26 <= len(set(lab.units)) < 50
        lab.goes_on(50)


@pytest.mark.attack
def test_a_server_that_refuses_everything_after_good_calls_is_not_asked_for_every_text(tmp_path: Path) -> None:
    good = 60
    faults = FaultPlan(share=1.0, kinds=["403"], script=[None] * good)
    with laboratory(tmp_path, texts=80, faults=faults) as lab:
        done = called(*lab.arguments(concurrency=4))
        assert done.returncode in (1, 2)
        [line] = done.stderr.splitlines()
        assert "HTTP 403" in line
        # Each text that is under way may have four calls refused before another text is begun.
        assert lab.calls <= good + 60
        lab.goes_on(80)


@pytest.mark.attack
def test_one_text_that_is_refused_by_403_from_the_start_costs_only_itself(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=6, faults=FaultPlan(script=["403"]), keeps_its_list=True) as lab:
        finished = lab.run(concurrency=1)
        assert (finished.status, finished.failure) == ("completed", None)
        assert len(set(lab.units)) == 5


def test_5_an_error_of_ours_costs_its_text_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(_final: FinalAnswer, _question: Question, of: Passage, *_rest: Any) -> Checkable:
        if everywhere or "Catalogue 1 " in of.sample.text:
            raise ValueError("could not convert '0.055.024'")
        return Checkable()

    with laboratory(tmp_path, texts=6, base={"concurrency": 1}) as lab:
        with monkeypatch.context() as patched:
            patched.setattr("programs.stages.thought.check_short_forms", faulty)
            everywhere = False
            finished = lab.run()
            assert (finished.status, finished.summary.traces) == ("completed", {"accepted": 5})
            assert [reason for reason in finished.summary.losses if "'0.055.024'" in reason]
            everywhere = True
            with pytest.raises(ValueError, match="could not convert"):
                lab.run(output=str(tmp_path / "other.json"))
        calls = lab.calls
        assert lab.run().summary.traces == {"accepted": 6}
        assert lab.calls == calls, "its replies stand in the journal"
