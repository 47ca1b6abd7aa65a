"""How a compilation ends if something goes wrong.

1. A user's mistake is an error of one line and exit code 2, before any call; nothing else is printed to standard error.
2. An unknown model and rejected credentials are such mistakes too. (A server that disappears later is not a score:
   tests/optimize/test_optimizers.py.)
3. No file and no output contains keys, user names or credentials from addresses.
4. Unusable lines of the input are reported.
5. A folder can only be continued with the same options.
6. A compilation that was killed and resumed repeats no recorded call. It has the same program and proof as one that was
   not killed (here one in a new folder, with `--no-resume`).
7. Ctrl-C ends a compilation with exit code 130 and one line, once the calls in flight are recorded; resuming does not
   repeat these either. A server that is down does not delay the end, whatever the patience. A slow model gets the time
   that its calls may take, whatever it is used for.
"""

import errno
import json
import os
import signal
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from optimize.compilation import open_recorder
from programs.lms.embedded import EMBEDDED_SECONDS
from tests.lab import KEY, USER, wait_for, wait_for_exit
from tests.optimize.compiling import CompileLab, WeakBrain, compile_lab, compile_user_error
from tests.standin.faults import FaultPlan

PASSWORD = "hunter2-secret"
SMALL = {"num_train": 1, "num_val": 1, "num_test": 2}

MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no model": ({"model": None}, "--model must be given"),
    "an unknown stage": ({"stage": "thoughts"}, "--stage: 'thoughts' is not one of all, questions, context"),
    "all and more": ({"stage": ["all", "trace"]}, "all and judge cannot be combined"),
    "a weight that is none": ({"metric": "grounding=x"}, "--metric: 'grounding=x'"),
    "an unknown optimizer": ({"optimizer": "magic"}, "invalid choice: 'magic'"),
    "no such input": ({"trainset": ["nowhere.jsonl"]}, "nowhere.jsonl does not exist"),
    "too few texts": (
        {"num_test": 24},
        "there are 24 sources (papers, or questions) with 24 texts; --num-test 24 leaves 0 ",
    ),
    "few to train on": ({"num_train": 99}, "leaves 20 sources with 20 texts for --num-val 2 and --num-train 99"),
    "a folder that cannot be moved": ({"output": ".", "resume": False}, "--output: . cannot be moved aside: "),
    "nobody there": ({"api_base": "http://127.0.0.1:9/v1"}, "is not reachable"),
}


@pytest.mark.parametrize(("options", "reason"), MISTAKES.values(), ids=MISTAKES.keys())
def test_1_a_mistake_is_one_line(options: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with compile_lab(tmp_path) as lab:
        assert reason in compile_user_error(lab, **options)


def test_1_and_5_an_invalid_program_input_or_folder_is_rejected(tmp_path: Path) -> None:
    invalid = tmp_path / "odd.jsonl"
    invalid.write_text('{"abstract": "x"}\nno JSON\n')
    with compile_lab(tmp_path) as lab:
        assert "--program: " in compile_user_error(lab, program=str(invalid))
        for program in (lab.output, lab.output / "program.json"):
            assert "--program and --output must be different" in compile_user_error(lab, program=str(program))
        assert "cannot write" in compile_user_error(lab, output=str(invalid))
        line = compile_user_error(lab, trainset=[str(invalid)])
        assert "--trainset has no usable text: no text (" in line
        assert "odd.jsonl:2)" in line
        lab.output.mkdir()
        (lab.output / "report.md").write_text("mine")
        assert "holds report.md but not the calls" in compile_user_error(lab)
        assert (lab.output / "report.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("server", "reason"),
    [({"models": [("any", "another")]}, "the model `any` does not exist"), ({"api_key": "another key"}, "401")],
)
def test_2_a_rejection_by_the_server_is_a_user_error(
    server: dict[str, Any], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with compile_lab(tmp_path, **server) as lab:
        done = lab.compile(concurrency=1)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert reason.lower() in done.stderr.lower()
        assert KEY not in done.stdout + done.stderr
        assert lab.calls <= 1


def test_2_a_full_disk_is_an_error_of_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes, pwrite = count(), os.pwrite

    def pwrite_until_full(file: int, data: bytes, offset: int) -> int:
        if next(writes) > 30:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(file, data, offset)

    with compile_lab(tmp_path) as lab:
        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", pwrite_until_full)
            done = lab.compile(optimizer="bootstrap")
        assert done.returncode == 1
        assert done.stderr == f"error: cannot write {lab.output}/calls.journal.jsonl: No space left on device\n"
        assert lab.compile(optimizer="bootstrap").returncode == 0


def test_2_a_server_that_answers_no_call_ends_the_compilation(tmp_path: Path) -> None:
    with compile_lab(tmp_path, faults=FaultPlan(rate=1.0, kinds=["418"])) as lab:
        done = lab.compile()
        assert done.returncode == 1
        assert done.stderr.startswith("error: no call was answered (questions: HTTP 418")
        assert done.stderr.count("\n") == 1
        assert lab.recorded_calls == 0


def test_3_no_secret_is_written_or_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The server repeats the credentials in its errors.
    faults = FaultPlan(script=["500", None, "429", "418"])
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with compile_lab(tmp_path, brain=WeakBrain("hypotheses"), faults=faults) as lab:
        base = lab.server.openai_base.replace("http://", f"http://{USER}:{PASSWORD}@")
        judged = {"judge_models": None, "metric": "composite"}
        done = lab.compile(optimizer="optuna", stage="hypotheses", api_base=base, **judged)
        assert done.returncode == 0, done.stderr
        files = [path for path in lab.output.rglob("*") if path.is_file()]
        written = "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)
        assert len(files) >= 4
        for secret in (KEY, USER, PASSWORD):
            assert secret not in written + done.stdout + done.stderr
        # Not even an error that quotes the options shows them.
        (tmp_path / "config.yaml").write_text(f"api_base: {{here: '{base}'}}\n")
        for options in ({"stage": "x", "api_base": base}, {"api_base": None, "config": tmp_path / "config.yaml"}):
            line = lab.compile(**options).stderr
            assert line.startswith("error: ")
            assert not any(secret in line for secret in (USER, PASSWORD))


OTHER_OPTIONS: dict[str, Any] = {"optimizer": "gepa", "stage": "critique", "metric": "grounding"}
OTHER_OPTIONS |= {"report_judge_models": "openai/x", "num_test": 3, "seed": 5, "max_output_tokens": 100}


def test_5_a_folder_is_continued_only_with_the_same_options(tmp_path: Path) -> None:
    with compile_lab(tmp_path) as lab:
        options: dict[str, Any] = {"optimizer": "bootstrap", "stage": "hypotheses", "num_test": 2}
        assert lab.compile(**options).returncode == 0
        calls = lab.calls
        for name, value in OTHER_OPTIONS.items():
            assert f"--{name.replace('_', '-')} was " in compile_user_error(lab, calls, **{**options, name: value})
        free = {"budget": "heavy", "max_calls": 999, "concurrency": 2, "timeout": 9.0, "log_level": "debug"}
        assert lab.compile(**options, **free).returncode == 0
        # The texts count, not the name of the file.
        text = (tmp_path / "passages.jsonl").read_text()
        (tmp_path / "passages.jsonl").write_text(text.replace("Catalogue", "Register"))
        assert "hashes of the texts was " in compile_user_error(lab, lab.calls, **options)


def test_4_skipped_lines_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with compile_lab(tmp_path) as lab:
        with (tmp_path / "passages.jsonl").open("a") as file:
            file.write('no JSON\n{"abstract": "x"}\n')
        assert lab.compile(dry_run=True).returncode == 0
    assert "--trainset: 2 lines were skipped: not JSON (" in caplog.text


def student_requests(lab: CompileLab) -> Counter[str]:
    """How often each of the student's requests was sent. A proposer is sent the same request for each proposal."""
    return Counter(json.dumps(body, sort_keys=True) for body in lab.server.bodies if "seed" in body)


def test_6_killed_and_resumed(tmp_path: Path) -> None:
    options: dict[str, Any] = {"optimizer": "optuna", "stage": "answer", **SMALL}
    with compile_lab(tmp_path, latency=0.003) as lab:
        lab.make_first_training_text_easy(**options)
        process = lab.start(**options)
        try:
            wait_for(lambda: lab.calls >= 30, process)
        finally:
            process.kill()
            process.communicate()
        wait_for(lambda: not lab.server.in_flight)
        lab.server.latency = 0.0
        before, recorded = lab.calls, lab.recorded_calls
        assert 0 < recorded <= before
        assert not (lab.output / "program.json").exists()

        done = lab.compile(**options)
        assert done.returncode == 0, done.stderr
        # Only calls whose answers were not recorded in time are repeated, once each.
        repeated = sum(times - 1 for times in student_requests(lab).values())
        assert repeated <= before - recorded
        assert lab.calls - lab.recorded_calls == before - recorded
        assert lab.report["proof"]["composite"]["interval"]["low"] > 0
        killed, calls, recorded = (lab.fingerprint, lab.report["proof"]), lab.calls, lab.recorded_calls
        assert lab.compile(**options, resume=False).returncode == 0
        assert (lab.fingerprint, lab.report["proof"]) == killed
        assert lab.calls - calls == recorded
        assert len(list(lab.folder.glob("compiled.*.old/report.json"))) == 1


@pytest.mark.parametrize("fault", [None, "hang"])
def test_7_interrupted_and_resumed(fault: str | None, tmp_path: Path) -> None:
    with compile_lab(tmp_path, latency=0.05) as lab:
        options: dict[str, Any] = {"optimizer": "mipro", "stage": "answer", **SMALL}
        lab.make_first_training_text_easy(**options)
        # With these waits, no call fails often enough for a warning.
        process = lab.start(**options, timeout=2, patience=900, retry_wait=2)
        wait_for(lambda: lab.calls >= 32, process)
        if fault:
            lab.server.faults = FaultPlan(rate=1.0, kinds=[fault])
            calls = lab.calls
            wait_for(lambda: lab.calls >= calls + 2, process)
        process.send_signal(signal.SIGINT)
        done = wait_for_exit(process)
        assert done.returncode == 130
        assert [line for line in done.stderr.splitlines() if "retrying in " not in line] == []
        *_, last = done.stdout.splitlines()
        assert last == "interrupted: waiting for the calls in flight; run the same command again to continue"
        lost = lab.calls - lab.recorded_calls
        assert fault or not lost

        lab.server.faults, lab.server.latency = FaultPlan(), 0.0
        assert lab.compile(**options).returncode == 0
        assert lab.calls - lab.recorded_calls == lost
        assert fault or set(student_requests(lab).values()) == {1}
        assert lab.report["proof"]["composite"]["interval"]["low"] > 0


@pytest.mark.embedded
def test_7_a_slow_model_gets_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow.gguf").write_bytes(b"GGUF")
    stop_seconds: list[float] = []
    monkeypatch.setattr("optimize.recording.Recorder.stop", lambda _, seconds: stop_seconds.append(seconds))
    with compile_lab(tmp_path) as lab:
        base = f"openai/any={lab.server.openai_base}"
        compilation = lab.compilation(reflection_model=f"embedded:{tmp_path / 'slow.gguf'}", api_base=base)
        with open_recorder(compilation, Console(quiet=True)):
            pass
    assert stop_seconds == [EMBEDDED_SECONDS]
