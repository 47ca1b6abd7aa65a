"""The command as its user meets it: mistakes, looks without touching, and signals.

1. A mistake that the user can mend is one clear line on standard error and exit code 2, without a traceback, and
   nothing is called that would cost.
2. `--help`, `--dry-run` and `--list-models` write nothing; the first two call nothing.
3. One SIGINT or SIGTERM finishes the calls in flight, no others, writes the document as interrupted, and exits with
   130; a second one stops at once. Either way the run can be resumed and repeats nothing that was written.
4. A server that is not there is such a mistake; one that goes away for good ends the run with exit code 1 and one
   clear line, and the run can be resumed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from programs.run.journal import Journal
from tests.forked.process import Forked
from tests.lab import LONGEST, USER, Lab, called, ended, laboratory, passage
from tests.standin.faults import FaultPlan

SIGNALS = [signal.SIGINT, signal.SIGTERM]


def mistake(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that a mistake is told in."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


# 1. Mistakes


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pasages.jsonl", "passages.jsonl"),
        ("*.jsnl", "*.jsnl"),
        ("nowhere/*.jsonl", "nowhere"),
    ],
)
def test_an_input_that_is_not_there(lab: Lab, name: str, said: str) -> None:
    line = mistake(called(*lab.arguments(input_file=str(lab.folder / name))))
    assert said in line
    assert not lab.journal.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--max-traces", "0"], "--max-traces"),
        (["--max-traces", "many"], "--max-traces"),
        (["--min-quality-score", "11"], "--min-quality-score"),
        (["--min-quality-score", "0"], "--min-quality-score"),
        (["--traces-per-sample", "8"], "--traces-per-sample"),
        (["--traces-per-question", "0"], "--traces-per-question"),
        (["--concurrency", "0"], "--concurrency"),
        (["--timeout", "-1"], "--timeout"),
        (["--timeout", "inf"], "--timeout"),
        (["--document-interval", "nan"], "--document-interval"),
        (["--temperature", "3"], "--temperature"),
        (["--temperature", "nan"], "--temperature"),
        (["--log-level", "loud"], "--log-level"),
        (["--stage-model", "thinking=gpt41"], "--stage-model"),
        (["--stage-model", "trace"], "--stage-model"),
        (["--quality-check", "--judge-models", ","], "--judge-models"),
        (["--quality-check", "--judge-models", "openai/"], "openai/"),
        (["--model", ""], "--model"),
        (["--no-such-option"], "--no-such-option"),
        (["--max-trace", "3"], "--max-trace"),
        (["stray"], "stray"),
        (["--program", "nowhere.json"], "nowhere.json"),
    ],
)
def test_options_that_cannot_be(lab: Lab, words: list[str], said: str) -> None:
    line = mistake(called(*lab.arguments(), *words))
    assert said in line
    assert lab.calls == 0
    assert not lab.output.exists()


def test_argo_without_a_username(lab: Lab) -> None:
    assert "ARGO_USER" in mistake(called(*lab.arguments(model="gpt41", api_base=None)))


def test_an_argo_route_that_is_none(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGO_USER", USER)
    monkeypatch.setenv("ARGO_API", "modern")
    line = mistake(called(*lab.arguments(model="gpt41")))
    assert "ARGO_API" in line
    assert "native or legacy" in line


def test_an_openai_model_without_a_server(lab: Lab) -> None:
    line = mistake(called(*lab.arguments(api_base=None)))
    assert "--api-base" in line
    assert "OPENAI_BASE_URL" in line


def test_an_api_base_that_is_no_address(lab: Lab) -> None:
    assert "https://host/v1" in mistake(called(*lab.arguments(api_base="localhost:8000")))


def test_judges_must_be_named_where_the_model_is_not_argos(lab: Lab) -> None:
    assert "--judge-models" in mistake(called(*lab.arguments(quality_check=True)))


@pytest.mark.parametrize("argo", [False, True])
def test_a_model_that_the_server_does_not_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argo: bool) -> None:
    known = [("GPT-4.1", "gpt41"), ("Gemini 2.5 Pro", "gemini25pro")]
    with laboratory(tmp_path, texts=40, models=known, argo_user=USER if argo else None) as lab:
        monkeypatch.setenv("ARGO_USER", USER)
        monkeypatch.setenv("ARGO_BASE_URL", lab.server.url)
        model = {"model": "gpt4.1"} if argo else {"model": "openai/gpt4.1", "api_base": lab.server.openai_base}
        line = mistake(called(*lab.arguments(**{"api_base": None, **model})))
        assert "gpt41" in line, "the nearest name is given"
        assert lab.calls <= 8, "the run stops at once"


def test_a_judge_that_the_server_does_not_know(tmp_path: Path) -> None:
    with laboratory(tmp_path, models=[("any", "any"), ("mild", "mild")]) as lab:
        done = called(*lab.arguments(quality_check=True, judge_models=["openai/mild", "openai/mlid"]))
        assert "mlid" in mistake(done)


def test_access_that_is_denied(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=40, api_key="the-right-key") as lab:
        line = mistake(called(*lab.arguments()))
        assert "401" in line
        assert lab.calls <= 8, "the run stops at once"


@pytest.mark.parametrize("route", ["native", "legacy"])
@pytest.mark.parametrize("how", ["401", "argo_notice"])
def test_access_that_argo_denies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, route: str, how: str) -> None:
    faults = FaultPlan(share=1.0, kinds=[how])
    with laboratory(tmp_path, texts=40, argo_user=USER, faults=faults) as lab:
        monkeypatch.setenv("ARGO_USER", USER)
        monkeypatch.setenv("ARGO_BASE_URL", lab.server.url)
        monkeypatch.setenv("ARGO_API", route)
        line = mistake(called(*lab.arguments(model="gpt41", api_base=None)))
        assert "denied" in line.lower() or "401" in line
        assert USER not in line
        assert lab.calls <= 8, "the run stops at once"


@pytest.mark.parametrize("place", ["file/out.json", "/proc/nowhere/out.json", "taken"])
def test_an_output_that_cannot_be_written(lab: Lab, place: str) -> None:
    (lab.folder / "file").write_text("", encoding="utf-8")
    (lab.folder / "taken").mkdir()
    line = mistake(called(*lab.arguments(output=str(lab.folder / place))))
    assert place.split("/")[-2 if "/" in place else -1] in line
    assert lab.calls == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_output_in_a_folder_of_someone_else(lab: Lab) -> None:
    locked = lab.folder / "locked"
    locked.mkdir(mode=0o555)
    assert "locked" in mistake(called(*lab.arguments(output=str(locked / "out.json"))))


def test_a_journal_that_is_a_folder(lab: Lab) -> None:
    lab.journal.mkdir()
    assert lab.journal.name in mistake(called(*lab.arguments()))


def test_a_journal_that_another_run_uses(lab: Lab) -> None:
    with Journal(lab.journal):
        line = mistake(called(*lab.arguments()))
    assert "in use" in line
    assert lab.calls == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max_trace: 3\n", "max_trace"),
        ("max-traces: lots\n", "--max-traces"),
        ("- a\n- b\n", "options by name"),
        ("max_traces: [\n", "cannot be read"),
    ],
)
def test_a_config_file_that_is_wrong(lab: Lab, text: str, said: str) -> None:
    config = lab.folder / "run.yaml"
    config.write_text(text, encoding="utf-8")
    assert said in mistake(called(*lab.arguments(), "--config", str(config)))


def test_a_config_file_that_is_missing(lab: Lab) -> None:
    assert "nowhere.yaml" in mistake(called(*lab.arguments(), "--config", "nowhere.yaml"))


def test_a_mistake_is_one_line_in_a_process_of_its_own_too(lab: Lab) -> None:
    assert "--api-base" in mistake(lab.command(api_base=None))


def test_the_command_line_wins_over_the_config_file_and_that_over_the_defaults(lab: Lab) -> None:
    config = lab.folder / "run.yaml"
    config.write_text("max-traces: 3\ntraces_per_sample: 2\n", encoding="utf-8")
    assert called(*lab.arguments(max_traces=2), "--config", str(config)).returncode == 0
    assert len(lab.units) == 2
    assert called(*lab.arguments(), "--config", str(config)).returncode == 0
    assert len(lab.units) == 3


# 2. Looks


def test_help_names_every_option_and_its_default() -> None:
    done = called("--help")
    assert done.returncode == 0
    for option in ("--model", "--input-file", "--max-traces", "--no-resume", "--judge-models", "--stage-model"):
        assert option in done.stdout
    assert "claudesonnet4" in done.stdout
    assert "6.0" in done.stdout


@pytest.mark.parametrize(
    "more", [{}, {"traces_per_sample": 2, "traces_per_question": 3}, {"grade_answers": True, "max_traces": 3}]
)
def test_a_dry_run_touches_nothing_and_foretells_the_calls(lab: Lab, more: dict[str, int]) -> None:
    before = sorted(lab.folder.iterdir())
    done = called(*lab.arguments(**more, dry_run=True))
    assert done.returncode == 0
    assert sorted(lab.folder.iterdir()) == before
    assert lab.calls == 0
    found = re.search(r"(\d+) times", done.stdout)
    assert found is not None
    _, calls = lab.counted(**more)
    assert calls == int(found.group(1))


def test_a_dry_run_says_what_it_would_skip(lab: Lab) -> None:
    with lab.input.open("a", encoding="utf-8") as file:
        file.write("{broken\n")
    done = called(*lab.arguments(dry_run=True))
    assert "1 not JSON" in done.stdout


def test_the_servers_models_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with laboratory(tmp_path, argo_user=USER, models=[("GPT-4.1", "gpt41"), ("o3", "gpto3")]) as lab:
        monkeypatch.setenv("ARGO_USER", USER)
        monkeypatch.setenv("ARGO_BASE_URL", lab.server.url)
        done = called("--list-models")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["gpt41  (GPT-4.1)", "gpto3  (o3)"]
        assert (lab.server.model_lists, lab.calls) == (1, 0)


def test_models_are_not_listed_to_strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with laboratory(tmp_path, argo_user=USER) as lab:
        monkeypatch.setenv("ARGO_USER", "someone.else")
        monkeypatch.setenv("ARGO_BASE_URL", lab.server.url)
        line = mistake(called("--list-models"))
        assert "someone.else" not in line


def test_a_run_ends_with_a_summary_and_a_look_at_one_trace(lab: Lab) -> None:
    done = called(*lab.arguments(max_traces=2))
    assert done.returncode == 0
    assert "completed: 2 traces" in done.stdout
    assert lab.records[0]["final_answer"][:40] in done.stdout
    assert done.stderr == ""


# 3. Signals


def wait_for_calls(lab: Lab, count: int) -> None:
    """Until the server has been asked so often."""
    deadline = time.monotonic() + LONGEST
    while lab.calls < count:
        assert time.monotonic() < deadline, f"only {lab.calls} calls came"
        time.sleep(0.005)


def wait_for_notice(process: Forked) -> None:
    """Until the process has said that it is stopping."""
    deadline = time.monotonic() + LONGEST
    while "stopping" not in process.stderr.so_far:
        assert process.poll() is None or "stopping" in process.stderr.so_far, "it ended without saying that it stops"
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize("name", SIGNALS)
def test_one_signal_finishes_what_is_in_flight_and_no_more(tmp_path: Path, name: signal.Signals) -> None:
    with laboratory(tmp_path, texts=12, latency=0.3, base={"concurrency": 4}) as lab:
        process = lab.start()
        wait_for_calls(lab, 18)
        process.send_signal(name)
        wait_for_notice(process)
        time.sleep(0.1)  # what was sent before the signal arrives; none of it is answered yet
        asked = lab.calls
        done = ended(process)
        assert done.returncode == 130, done.stderr
        assert "Traceback" not in done.stderr
        assert lab.calls == asked, "no new call starts"
        assert len(lab.lines("stage")) == asked, "what was in flight is finished and kept"
        assert lab.document["metadata"]["status"] == "interrupted"
        lab.server.latency = 0.0
        lab.run()
        assert lab.calls == 12 * 8, "nothing is asked twice"
        assert len(set(lab.units)) == 12
        assert lab.document["metadata"]["status"] == "completed"


@pytest.mark.parametrize("name", SIGNALS)
def test_a_second_signal_stops_at_once(tmp_path: Path, name: signal.Signals) -> None:
    faults = FaultPlan(share=1.0, kinds=["hang"], script=[None] * 20)
    with laboratory(tmp_path, texts=10, faults=faults, base={"concurrency": 4, "timeout": 900.0}) as lab:
        process = lab.start()
        wait_for_calls(lab, 24)
        process.send_signal(name)
        wait_for_notice(process)
        process.send_signal(name)
        done = ended(process)
        assert done.returncode == 130, done.stderr
        assert "Traceback" not in done.stderr
        kept = len(lab.lines("stage"))
        assert kept == 20
        lab.server.faults = FaultPlan()
        _, calls = lab.counted()
        assert calls == 10 * 8 - kept
        assert len(set(lab.units)) == 10


@pytest.mark.parametrize("fault", ["hang", "500"])
def test_a_call_that_would_go_on_for_long_does_not_keep_the_run_from_stopping(tmp_path: Path, fault: str) -> None:
    faults = FaultPlan(share=1.0, kinds=[fault], script=[None] * 20)
    base = {"concurrency": 4, "timeout": 1.0, "retry_wait": 60.0, "patience": 3000.0}
    with laboratory(tmp_path, texts=10, faults=faults, base=base) as lab:
        process = lab.start()
        wait_for_calls(lab, 24)
        process.send_signal(signal.SIGINT)
        done = ended(process, within=20)
        assert done.returncode == 130, done.stderr
        assert lab.document["metadata"]["status"] == "interrupted"
        lab.server.faults = FaultPlan()
        lab.run()
        assert len(set(lab.units)) == 10


def test_a_permanent_failure_does_not_wait_for_pauses_of_others(tmp_path: Path) -> None:
    faults = FaultPlan(share=1.0, kinds=["500"], script=[None] * 20 + ["500", "500", "401"])
    base = {"concurrency": 4, "timeout": 1.0, "retry_wait": 60.0, "patience": 3000.0}
    with laboratory(tmp_path, texts=10, faults=faults, base=base) as lab:
        done = ended(lab.start(), within=20)
        assert done.returncode == 2, done.stderr
        assert "401" in done.stderr


def test_a_signal_while_starting_up_leaves_no_traceback(lab: Lab) -> None:
    process = lab.start_cold()
    deadline = time.monotonic() + LONGEST
    while not lab.journal.exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    done = ended(process)
    assert "Traceback" not in done.stderr
    assert done.returncode == 130
    lab.run()
    assert len(set(lab.units)) == 4


# 4. A server that is gone


GONE = "http://127.0.0.1:9"


def test_a_server_that_is_not_there_is_a_mistake_told_before_any_work(lab: Lab) -> None:
    assert "not reachable" in mistake(called(*lab.arguments(api_base=f"{GONE}/v1", patience=0.05)))
    assert not lab.output.exists()
    lab.run()
    assert len(lab.units) == 4


def test_a_network_that_is_not_the_labs_says_vpn(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGO_USER", USER)
    monkeypatch.setenv("ARGO_BASE_URL", GONE)
    assert "VPN" in mistake(called(*lab.arguments(model="gpt41", api_base=None, patience=0.05)))


@pytest.mark.parametrize("fault", ["reset", "500", "html", "prose"])
def test_a_server_that_is_gone_for_good_ends_the_run(tmp_path: Path, fault: str) -> None:
    faults = FaultPlan(share=1.0, kinds=[fault], script=[None] * 40)
    with laboratory(tmp_path, texts=30, faults=faults, base={"patience": 0.05}) as lab:
        done = called(*lab.arguments())
        assert done.returncode == 1, done.stdout
        [line] = done.stderr.splitlines()
        assert line.startswith("error: ")
        assert "no usable answer" in line
        assert lab.document["metadata"]["status"] == "failed"
        kept = len(lab.lines("stage"))
        assert kept == 40
        lab.server.faults = FaultPlan()
        _, calls = lab.counted()
        assert calls == 30 * 8 - kept
        assert len(set(lab.units)) == 30


def test_a_server_that_answers_nothing_is_told_even_when_there_is_little_to_ask(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=1, faults=FaultPlan(share=1.0, kinds=["500"]), base={"patience": 0.05}) as lab:
        done = called(*lab.arguments())
        assert done.returncode == 1
        assert "HTTP 500" in done.stderr


def test_a_text_that_always_fails_keeps_no_other_from_being_made(tmp_path: Path) -> None:
    def broken(body: dict[str, object]) -> str:
        if "Catalogue 3 " in json.dumps(body):
            return "Certainly! Here is what I think about that."
        return lab.brain(body)

    with laboratory(tmp_path, texts=6) as lab:
        lab.server.brain = broken
        done = called(*lab.arguments())
        assert done.returncode == 0, done.stderr
        assert len(lab.units) == 5
        assert "failed" in done.stdout
        assert passage(3) not in lab.output.read_text(encoding="utf-8")


def test_a_run_of_which_nothing_came_has_failed(tmp_path: Path) -> None:
    """A script that goes on to training must not take it for done."""
    array = tmp_path / "array.jsonl"
    array.write_text(json.dumps([{"text": "One."}, {"text": "Two."}], indent=2))
    with laboratory(tmp_path, texts=2) as lab:
        done = called(*lab.arguments(input_file=str(array)))
        assert done.returncode == 1
        [line] = done.stderr.splitlines()
        assert line.startswith("error: not one trace was made: ")
        assert "not JSON" in line
        assert called(*lab.arguments(), "--no-resume").returncode == 0
