"""What goes wrong around a compilation.

1. A user's mistake is one line and exit code 2, before anything is asked; nothing else is printed to standard error.
2. A model that the server does not know, or credentials that it refuses, are such mistakes too. (A
   server that stays away in the middle is no score: tests/optimize/test_optimizers.py.)
3. Keys, user names and the credentials in addresses stand in no file and on no screen.
4. Lines of the input that cannot be used are told.
5. A folder goes on with the same options alone.
6. Killed and resumed, it asks for no recorded answer again, and comes to the program and the proof of a compilation that
   nobody killed, which `--no-resume` begins in a new folder.
7. Ctrl-C ends it with 130 and one line, once the calls under way are recorded: resumed, not even these are made again. A
   server that is away does not keep it from ending, whatever its patience; a model that is slow has its time, whatever
   it is asked for.
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

from optimize.compilation import open_models
from programs.lms.embedded import EMBEDDED_SECONDS
from tests.lab import KEY, USER, ended, wait_for
from tests.optimize.compiling import Shop, World, mistake, workshop
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
    with workshop(tmp_path) as shop:
        assert reason in mistake(shop, **options)


def test_1_and_5_another_program_input_or_folder_is_refused(tmp_path: Path) -> None:
    odd = tmp_path / "odd.jsonl"
    odd.write_text('{"abstract": "x"}\nno JSON\n')
    with workshop(tmp_path) as shop:
        assert "--program: " in mistake(shop, program=str(odd))
        for program in (shop.output, shop.output / "program.json"):
            assert "--program and --output must be different" in mistake(shop, program=str(program))
        assert "cannot write" in mistake(shop, output=str(odd))
        line = mistake(shop, trainset=[str(odd)])
        assert "--trainset has no usable text: no text (" in line
        assert "odd.jsonl:2)" in line
        shop.output.mkdir()
        (shop.output / "report.md").write_text("mine")
        assert "holds report.md but not the calls" in mistake(shop)
        assert (shop.output / "report.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("server", "reason"),
    [({"models": [("any", "another")]}, "the model `any` does not exist"), ({"api_key": "another key"}, "401")],
)
def test_2_what_a_server_refuses_is_a_mistake(
    server: dict[str, Any], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with workshop(tmp_path, **server) as shop:
        done = shop.compile(concurrency=1)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert reason.lower() in done.stderr.lower()
        assert KEY not in done.stdout + done.stderr
        assert shop.calls <= 1


def test_2_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written, pwrite = count(), os.pwrite

    def full(file: int, data: bytes, offset: int) -> int:
        if next(written) > 30:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(file, data, offset)

    with workshop(tmp_path) as shop:
        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", full)
            done = shop.compile(optimizer="bootstrap")
        assert done.returncode == 1
        assert done.stderr == f"error: cannot write {shop.output}/calls.journal.jsonl: No space left on device\n"
        assert shop.compile(optimizer="bootstrap").returncode == 0


def test_2_a_server_that_answers_nothing_is_not_a_score(tmp_path: Path) -> None:
    with workshop(tmp_path, faults=FaultPlan(share=1.0, kinds=["418"])) as shop:
        done = shop.compile()
        assert done.returncode == 1
        assert done.stderr.startswith("error: no call was answered (questions: HTTP 418")
        assert done.stderr.count("\n") == 1
        assert shop.recorded == 0


def test_3_no_secret_is_written_or_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The server repeats in its errors what it was sent.
    faults = FaultPlan(script=["500", None, "429", "418"])
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with workshop(tmp_path, world=World("hypotheses"), faults=faults) as shop:
        base = shop.server.openai_base.replace("http://", f"http://{USER}:{PASSWORD}@")
        judged = {"judge_models": None, "metric": "composite"}
        done = shop.compile(optimizer="optuna", stage="hypotheses", api_base=base, **judged)
        assert done.returncode == 0, done.stderr
        files = [path for path in shop.output.rglob("*") if path.is_file()]
        written = "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)
        assert len(files) >= 4
        for secret in (KEY, USER, PASSWORD):
            assert secret not in written + done.stdout + done.stderr
        # Nor where a mistake is repeated to the user.
        (tmp_path / "config.yaml").write_text(f"api_base: {{here: '{base}'}}\n")
        for options in ({"stage": "x", "api_base": base}, {"api_base": None, "config": tmp_path / "config.yaml"}):
            line = shop.compile(**options).stderr
            assert line.startswith("error: ")
            assert not any(secret in line for secret in (USER, PASSWORD))


OTHERWISE: dict[str, Any] = {"optimizer": "copro", "stage": "critique", "metric": "grounding"}
OTHERWISE |= {"report_judge_models": "openai/x", "num_test": 3, "seed": 5, "max_output_tokens": 100}


def test_5_a_folder_goes_on_with_the_same_alone(tmp_path: Path) -> None:
    with workshop(tmp_path) as shop:
        options: dict[str, Any] = {"optimizer": "bootstrap", "stage": "hypotheses", "num_test": 2}
        assert shop.compile(**options).returncode == 0
        calls = shop.calls
        for name, value in OTHERWISE.items():
            assert f"--{name.replace('_', '-')} was " in mistake(shop, calls, **{**options, name: value})
        free = {"budget": "heavy", "max_calls": 999, "concurrency": 2, "timeout": 9.0, "log_level": "debug"}
        assert shop.compile(**options, **free).returncode == 0
        # A file that was written anew has its old name.
        text = (tmp_path / "passages.jsonl").read_text()
        (tmp_path / "passages.jsonl").write_text(text.replace("Catalogue", "Register"))
        assert "hashes of the texts was " in mistake(shop, shop.calls, **options)


def test_4_skipped_lines_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with workshop(tmp_path) as shop:
        with (tmp_path / "passages.jsonl").open("a") as file:
            file.write('no JSON\n{"abstract": "x"}\n')
        assert shop.compile(dry_run=True).returncode == 0
    assert "--trainset: 2 lines were skipped: not JSON (" in caplog.text


def asked(shop: Shop) -> Counter[str]:
    """The student's requests, each by how often it came. A proposer is asked the same again for another proposal."""
    return Counter(json.dumps(body, sort_keys=True) for body in shop.server.bodies if "seed" in body)


def test_6_killed_and_resumed(tmp_path: Path) -> None:
    options: dict[str, Any] = {"optimizer": "optuna", "stage": "answer", **SMALL}
    with workshop(tmp_path, latency=0.003) as shop:
        shop.lucky_in_training(**options)
        process = shop.start(**options)
        try:
            wait_for(lambda: shop.calls >= 30, process)
        finally:
            process.kill()
            process.communicate()
        wait_for(lambda: not shop.server.in_flight)
        shop.server.latency = 0.0
        before, recorded = shop.calls, shop.recorded
        assert 0 < recorded <= before
        assert not (shop.output / "program.json").exists()

        done = shop.compile(**options)
        assert done.returncode == 0, done.stderr
        # Each answer that came too late for the journal is asked for once more, and nothing else.
        repeated = sum(times - 1 for times in asked(shop).values())
        assert repeated <= before - recorded
        assert shop.calls - shop.recorded == before - recorded
        assert shop.report["proof"]["composite"]["interval"]["low"] > 0
        killed, calls, recorded = (shop.fingerprint, shop.report["proof"]), shop.calls, shop.recorded
        assert shop.compile(**options, resume=False).returncode == 0
        assert (shop.fingerprint, shop.report["proof"]) == killed
        assert shop.calls - calls == recorded
        assert len(list(shop.folder.glob("compiled.*.old/report.json"))) == 1


@pytest.mark.parametrize("fault", [None, "hang"])
def test_7_interrupted_and_resumed(fault: str | None, tmp_path: Path) -> None:
    with workshop(tmp_path, latency=0.05) as shop:
        options: dict[str, Any] = {"optimizer": "mipro", "stage": "answer", **SMALL}
        shop.lucky_in_training(**options)
        # A call is warned of once it has failed often: with such pauses none gets there.
        process = shop.start(**options, timeout=2, patience=900, retry_wait=2)
        wait_for(lambda: shop.calls >= 32, process)
        if fault:
            shop.server.faults = FaultPlan(share=1.0, kinds=[fault])
            calls = shop.calls
            wait_for(lambda: shop.calls >= calls + 2, process)
        process.send_signal(signal.SIGINT)
        done = ended(process)
        assert done.returncode == 130
        assert [line for line in done.stderr.splitlines() if "retrying in " not in line] == []
        *_, last = done.stdout.splitlines()
        assert last == "interrupted: waiting for the calls in flight; run the same command again to continue"
        lost = shop.calls - shop.recorded
        assert fault or not lost

        shop.server.faults, shop.server.latency = FaultPlan(), 0.0
        assert shop.compile(**options).returncode == 0
        assert shop.calls - shop.recorded == lost
        assert fault or set(asked(shop).values()) == {1}
        assert shop.report["proof"]["composite"]["interval"]["low"] > 0


@pytest.mark.embedded
def test_7_a_slow_model_has_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow.gguf").write_bytes(b"GGUF")
    allowed: list[float] = []
    monkeypatch.setattr("optimize.recording.Recorder.stop", lambda _, seconds: allowed.append(seconds))
    with workshop(tmp_path) as shop:
        base = f"openai/any={shop.server.openai_base}"
        course = shop.course(reflection_model=f"embedded:{tmp_path / 'slow.gguf'}", api_base=base)
        with open_models(course, Console(quiet=True)):
            pass
    assert allowed == [EMBEDDED_SECONDS]
