"""Every command and every piece of code in the documents does what it says, against a server that stands in.

1. each `python -m programs...` line of README.md and docs/ runs, from a folder with the files that the text assumes, in
   this process, which saves it two seconds of imports (that each is a module that runs: tests/test_command.py), after each
   line that splits the input
2. the Python block of the README runs and prints a thought
3. each make target that is named exists
4. each file and folder that is named exists, and each option; the pages made from the code are what it says
5. the scripts for clusters run, with programs that stand in for those of a cluster
"""

import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from programs.cli.options import option_name
from programs.command import COMMANDS
from programs.command import main as command
from programs.inputs.sources import DEFAULT_INPUT
from tests import reference
from tests.exports.building import laid, record
from tests.inputs.hub import hub
from tests.inputs.making_papers import folder_of_all
from tests.lab import LONGEST, ROOT, called, environment, python
from tests.optimize.test_judge_tuning import record as labelled_answer
from tests.standin.nodes import free_port
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "AGENTS.md", *sorted((ROOT / "docs").glob("*.md"))]
USER = "standin-user"
SERVER = "http://localhost:8000/v1"
"""The pages' server, for which another stands in."""
OF_OTHERS = {"--max-model-len", "--max-num-seqs", "--enable-prompt-tokens-details", "--repo-type", "--private"}
OF_OTHERS |= {"--tensor-parallel-size", "--port", "--nodes", "--ntasks-per-node", "--gpus-per-node", "--exclusive"}
OF_OTHERS |= {"--time", "--no-kill", "--ntasks", "--nodelist", "--ppn", "--foreground", "--signal", "--silent"}
OF_OTHERS |= {"--fail", "--max-time"}
"""Options of other programs that the pages name."""
BENCH_OPTIONS = {"--quick", "--folder", "--traces"}
NAME_OF = {about.module: name for name, about in COMMANDS.items()}


def blocks(kind: str) -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for block in re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            yield page, block


def commands() -> list[str]:
    """The command lines of the pages, with continued lines joined."""
    texts = [block for _, block in blocks("bash")]
    texts += re.findall(r"(?:^ {4}.*\n)+", "\n".join(page.read_text() for page in PAGES), re.MULTILINE)
    lines = [line.strip() for text in texts for line in text.replace("\\\n", " ").splitlines()]
    return [line for line in lines if re.match(r"(python|synthreasoner|split|make|source) ", line)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    lines = (ROOT / DEFAULT_INPUT).read_text().splitlines()[:12]
    (tmp_path / "papers.jsonl").write_text("\n".join(lines) + "\n")
    configured = [block for page, block in blocks("yaml") if page.name == "configuration.md"]
    (tmp_path / "run.yaml").write_text("".join(configured))
    folder_of_all(tmp_path / "papers")
    labelled = [labelled_answer(number, right=bool(number % 2)) for number in range(24)]
    (tmp_path / "labelled.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in labelled))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    with hub({"train.jsonl": ("\n".join(lines) + "\n").encode()}, "lab/papers") as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield tmp_path


REASONING = "So what would have to be true? If the lamps drift, the amplitude drifts along.\n\nNo: it was compared."
"""What the server of the pages thinks before it answers: one of them asks for that."""


def test_every_command_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the pages: later commands use what earlier ones made."""
    found = [line for line in commands() if line.startswith(("python ", "synthreasoner ", "split "))]
    assert any("programs.generate" in line for line in found)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with StandIn(Scientist(), argo_user=USER) as argo, StandIn(Scientist(), reasoning=REASONING) as server:
        monkeypatch.setenv("ARGO_USER", USER)
        monkeypatch.setenv("ARGO_BASE_URL", argo.url)
        for line in ["python -m programs.generate --model gpt41 --max-traces 1", *found]:
            if line.startswith("split "):
                subprocess.run(shlex.split(line), check=True)
                continue
            asked, _, into = line.replace(SERVER, server.openai_base).partition(" > ")
            program, *words = shlex.split(asked)
            if program == "python":
                assert words[0] == "-m"
                words = [NAME_OF[words[1]], *words[2:]]
            done = called(*words, main=command)
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
            if into:
                Path(into).write_text(done.stdout)
        assert not argo.surprises
        assert not server.surprises


def test_the_python_block_runs(folder: Path) -> None:
    (code,) = [block for page, block in blocks("python") if page.name == "README.md"]
    with StandIn(Scientist()) as server:
        code = code.replace(SERVER, server.openai_base)
        assert python("-c", code, cwd=folder).startswith("<thought>")


def test_the_rewards_of_the_tutorial(tmp_path: Path) -> None:
    """The part of it that needs no GPU, on an export of the same kind."""
    options = ["--to", "grpo", "--output", str(tmp_path / "first-grpo")]
    assert called("export", str(laid(tmp_path, [record(1), record(2)])), *options, main=command).returncode == 0
    (code,) = [block for page, block in blocks("python") if page.name == "tutorial.md" and "import reward" in block]
    printed = python("-c", code, cwd=tmp_path, env={"HF_HOME": str(tmp_path / "hub")})
    assert printed.splitlines()[-1] == "[1.0, 0.0]"


def test_every_python_block_can_be_read() -> None:
    """What trains is not run: it needs a GPU and a network."""
    found = list(blocks("python"))
    assert {page.name for page, _ in found} >= {"README.md", "export.md"}
    for page, code in found:
        compile(code, str(page), "exec")


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_reference_is_what_the_code_says(name: str) -> None:
    written = (reference.DOCS / name).read_text(encoding="utf-8")
    assert written == reference.PAGES[name](), "run: python -m tests.reference"


def test_make_targets_exist() -> None:
    named = {line.split()[1] for line in commands() if line.startswith("make ")}
    assert {"generate", "test"} <= named
    makefile = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in named)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_named_exists(page: Path) -> None:
    text = page.read_text()
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (page.parent / link).exists(), link
    for name in re.findall(r"`((?:signatures|programs|optimize|tests|data)/[\w./]*)`", text):
        assert (ROOT / name).exists(), name
    options = {"--help", "--config", "--print-config", "--no-resume", "--no-trace-content", *BENCH_OPTIONS, *OF_OTHERS}
    options |= {option_name(name) for command in COMMANDS.values() for name in command.settings().model_fields}
    for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text):
        assert option in options, option


CLUSTER = {
    "activate": "",
    "scontrol": 'for node in $3; do echo "$node"; done',
    "srun": 'export NODE=${3#*=}; shift 3; exec "$@"',
    # It hands on no environment.
    "pbsdsh": 'shift; for node in $(cat "$PBS_NODEFILE"); do env -i PATH="$PATH" NODE="$node" "$@" & done; wait',
    "vllm": f'cd {ROOT}; exec {sys.executable} -m tests.standin.process "${{@: -1}}" "$OLDPWD/$NODE" --host "$NODE"',
    "python": f'exec {sys.executable} "$@"',
}


@pytest.mark.parametrize("job", ["slurm.sh", "pbs.sh"])
def test_the_scripts_for_clusters_run(folder: Path, job: str) -> None:
    """On two addresses of this machine. The servers want the key."""
    scripts = {block.splitlines()[1].removeprefix("# "): block for _, block in blocks("sh")}
    assert scripts.keys() == {"serve.sh", "run.sh", "slurm.sh", "pbs.sh"}
    port = str(free_port())
    for name, text in scripts.items():
        (folder / name).write_text(text.replace("8000", port).replace("sleep 5", "sleep 0.1"))
    bin_of = folder / ".venv" / "bin"
    bin_of.mkdir(parents=True)
    for name, text in CLUSTER.items():
        (bin_of / name).write_text(f"#!/bin/bash\n{text}\n")
        (bin_of / name).chmod(0o755)
    (folder / ".env").write_text("OPENAI_API_KEY=only-ours\n")
    nodes = ["127.0.0.2", "127.0.0.3"]
    (folder / "nodes").write_text("\n".join(nodes))
    papers = folder / "papers.jsonl"
    papers.write_text("".join(papers.read_text().splitlines(keepends=True)[:3]))
    env = environment({"PATH": f"{bin_of}:{os.environ['PATH']}", "SLURM_JOB_NODELIST": " ".join(nodes)})
    env |= {"PBS_O_WORKDIR": str(folder), "PBS_NODEFILE": str(folder / "nodes")}
    with (folder / "said").open("w") as said:
        started = subprocess.Popen(["bash", job], cwd=folder, env=env, stdout=said, stderr=said, start_new_session=True)
        try:
            code = started.wait(timeout=LONGEST)
        finally:
            os.killpg(started.pid, signal.SIGKILL)
    assert code == 0, (folder / "said").read_text()
    assert json.loads((folder / "corpus.json").read_text())["metadata"]["total_traces_generated"] == 3
    assert any((folder / node).exists() for node in nodes)
