"""Servers that fail in every known way, and bugs in the program.

1. However many calls fail, no trace that can be made is lost.
2. No record contains an error message.
3. Denied or lost access stops the run at once with exit code 2; the journal can be resumed, and no call is repeated.
4. A server that is gone for a while costs only time; one that refuses many texts costs only these.
5. A bug in the program costs only the text in which it occurs; a later run without the bug continues with that text.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from programs.inputs.passage import Passage
from programs.stages.checkable import Checkable
from programs.stages.questions import Question
from signatures.answer import FinalAnswer
from tests.lab import USER, Lab, laboratory, run_command, user_error
from tests.standin import scientist
from tests.standin.faults import ARGO_NOTICE, CHATTER, SIGN_IN_PAGE, FaultPlan
from tests.standin.panel import PANEL, verdict

KINDS = ["500", "502", "503", "429", "408", "html", "reset", "hang", "dribble", "empty", "null"]
KINDS += ["truncated", "prose", "error200", "overloaded200"]
ERROR_MESSAGES = ["stand-in fault", "Sign in", "upstream failed", "Overloaded", "overloaded_error"]
ERROR_MESSAGES += [CHATTER[:20], ARGO_NOTICE[:20], SIGN_IN_PAGE[:15]]
OPTIONS: dict[str, Any] = {"traces_per_sample": 2, "traces_per_question": 2, "quality_check": True}
OPTIONS |= {"grade_answers": True, "concurrency": 16, "timeout": 0.5, "patience": 30.0, "retry_wait": 0.01}

STAGES: dict[str, scientist.AnswerFunction] = {"judge": lambda request: verdict(7 + int(request.nonce[0], 16) % 3)}
"""Every judge accepts, so that a missing verdict changes no decision."""


def expect_no_error_messages(lab: Lab) -> None:
    written = json.dumps(lab.records, ensure_ascii=False)
    assert not [message for message in ERROR_MESSAGES if message in written]


@pytest.mark.attack
@pytest.mark.parametrize("server", ["openai", "native", "legacy"])
def test_failing_every_third_call_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    faults = FaultPlan(rate=0.3, kinds=KINDS, seed=1)
    user = None if server == "openai" else USER
    with laboratory(tmp_path, texts=5, stages=STAGES, faults=faults, retry_after="0", argo_user=user) as lab:
        judged = {"judge_models": ["gpt4o"] if user else PANEL}
        model = {**(lab.as_argo(monkeypatch, server) if user else {}), **judged}
        finished = lab.run(**OPTIONS, **model)
        assert (finished.status, finished.failure) == ("completed", None)
        # One run in a hundred meets three empty replies to one call, which is then left to a later run.
        assert len(set(lab.units)) == len(lab.units) >= 5 * 2 * 2 - 2
        lab.run(**OPTIONS, **model)
        assert len(set(lab.units)) == len(lab.units) == 5 * 2 * 2
        expect_no_error_messages(lab)
        assert sum(finished.summary.this_run.faults.values()) > 20, "the faults are reported"


@pytest.mark.attack
@pytest.mark.parametrize(("route", "good_calls", "fault"), [("native", 0, "401"), ("legacy", 60, "argo_notice")])
def test_denied_or_lost_access_stops_the_run_which_can_be_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, route: str, good_calls: int, fault: str
) -> None:
    faults = FaultPlan(script=[None] * good_calls + [fault] * 40)
    with laboratory(tmp_path, texts=20, argo_user=USER, faults=faults, latency=0.01) as lab:
        model = lab.as_argo(monkeypatch, route)
        line = user_error(run_command(*lab.arguments(**model)))
        assert ("401" if fault == "401" else "ARGO_USER") in line
        assert USER not in line
        assert lab.calls <= good_calls + 8, "no new call starts"
        if good_calls:
            assert lab.document["metadata"]["status"] == "failed"
            expect_no_error_messages(lab)
        kept = len(lab.lines("stage"))
        assert kept == good_calls
        assert lab.run_to_completion(20, **model) == 20 * 8 - kept
        expect_no_error_messages(lab)


@pytest.mark.attack
@pytest.mark.parametrize("kind", ["reset", "hang"])
def test_a_server_that_is_gone_for_a_while_costs_only_time(tmp_path: Path, kind: str) -> None:
    faults = FaultPlan(script=[None] * 40 + [kind] * 120)
    with laboratory(tmp_path, texts=10, faults=faults) as lab:
        finished = lab.run(concurrency=16, timeout=0.3, patience=60.0, retry_wait=0.01)
        assert finished.status == "completed"
        assert len(set(lab.units)) == 10
        expect_no_error_messages(lab)


@pytest.mark.attack
def test_a_server_that_refuses_many_texts_costs_only_these(tmp_path: Path) -> None:
    """A content filter that refuses two dozen texts is not a server that is gone, and is not asked again in this run."""
    with laboratory(tmp_path, texts=50, faults=FaultPlan(script=["400", None] * 24)) as lab:
        finished = lab.run(concurrency=4)
        assert finished.status == "completed"
        assert lab.calls == len(lab.lines("stage")) + 24
        assert 26 <= len(set(lab.units)) < 50
        lab.run_to_completion(50)


@pytest.mark.attack
def test_a_server_that_starts_to_refuse_everything_ends_the_run(tmp_path: Path) -> None:
    good_calls = 60
    faults = FaultPlan(rate=1.0, kinds=["403"], script=[None] * good_calls)
    with laboratory(tmp_path, texts=80, faults=faults) as lab:
        done = run_command(*lab.arguments(concurrency=4))
        assert done.returncode in (1, 2)
        [line] = done.stderr.splitlines()
        assert "HTTP 403" in line
        # Each text in progress may have four calls refused before another text starts.
        assert lab.calls <= good_calls + 60
        lab.run_to_completion(80)


@pytest.mark.attack
def test_a_403_for_the_first_text_costs_only_that_text(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=6, faults=FaultPlan(script=["403"]), forbids_model_list=True) as lab:
        finished = lab.run(concurrency=1)
        assert (finished.status, finished.failure) == ("completed", None)
        assert len(set(lab.units)) == 5


def test_5_a_bug_costs_only_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check_with_bug(_final: FinalAnswer, _question: Question, of: Passage, *_rest: Any) -> Checkable:
        if everywhere or "Catalogue 1 " in of.sample.text:
            raise ValueError("could not convert '0.055.024'")
        return Checkable()

    with laboratory(tmp_path, texts=6, base={"concurrency": 1}) as lab:
        with monkeypatch.context() as patched:
            patched.setattr("programs.stages.thought.build_checkable", check_with_bug)
            everywhere = False
            finished = lab.run()
            assert (finished.status, finished.summary.traces) == ("completed", {"accepted": 5})
            assert [reason for reason in finished.summary.losses if "'0.055.024'" in reason]
            everywhere = True
            with pytest.raises(ValueError, match="could not convert"):
                lab.run(output=str(tmp_path / "other.json"))
        calls = lab.calls
        assert lab.run().summary.traces == {"accepted": 6}
        assert lab.calls == calls, "its replies are in the journal"
