"""Every command and every code block in the documents works, against a stand-in server.

1. Each command line of the pages runs, in order, in a folder with the files that the text assumes. Our commands run in this
   process, to save two seconds of imports each (tests/test_command.py checks that they can be run as modules).
2. The Python block of the README runs and prints a thought.
3. Each make target that is named exists.
4. Each file, folder and option that is named exists, and the pages that are generated from the code are up to date.
5. The scripts for clusters run, with stand-ins for the programs of a cluster.
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
from programs.command import COMMANDS, main
from programs.inputs.sources import DEFAULT_INPUT
from tests import reference
from tests.exports.building import record, write_run
from tests.inputs.hub import hub
from tests.inputs.paper_builders import folder_of_all_formats
from tests.lab import PROCESS_TIMEOUT, ROOT, environment, run_command, run_python
from tests.optimize.test_judge_tuning import labelled_answer
from tests.standin.nodes import free_port
from tests.standin.scientist import Scientist
from tests.standin.server import StandIn

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "AGENTS.md", *sorted((ROOT / "docs").glob("*.md"))]
USER = "standin-user"
SERVER = "http://localhost:8000/v1"
"""The server of the pages; the tests replace its address by that of a stand-in."""
FOREIGN = {"--max-model-len", "--max-num-seqs", "--enable-prompt-tokens-details", "--repo-type", "--private"}
FOREIGN |= {"--tensor-parallel-size", "--port", "--nodes", "--ntasks-per-node", "--gpus-per-node", "--exclusive"}
FOREIGN |= {"--time", "--no-kill", "--ntasks", "--nodelist", "--ppn", "--foreground", "--signal", "--silent"}
FOREIGN |= {"--fail", "--max-time"}
"""Options of other programs that the pages name."""
BENCH_OPTIONS = {"--quick", "--folder", "--traces"}
COMMAND_OF_MODULE = {about.module: name for name, about in COMMANDS.items()}


def snippets(language: str) -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for block in re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            yield page, block


def command_lines() -> list[str]:
    """The command lines of the pages, with continued lines joined."""
    blocks = [block for _, block in snippets("bash")]
    blocks += re.findall(r"(?:^ {4}.*\n)+", "\n".join(page.read_text() for page in PAGES), re.MULTILINE)
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if re.match(r"(python|synthreasoner|split|make|source) ", line)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    lines = (ROOT / DEFAULT_INPUT).read_text().splitlines()[:12]
    (tmp_path / "papers.jsonl").write_text("\n".join(lines) + "\n")
    config_blocks = [block for page, block in snippets("yaml") if page.name == "configuration.md"]
    (tmp_path / "run.yaml").write_text("".join(config_blocks))
    folder_of_all_formats(tmp_path / "papers")
    labelled_answers = [labelled_answer(number, right=bool(number % 2)) for number in range(24)]
    (tmp_path / "labelled.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in labelled_answers))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    with hub({"train.jsonl": ("\n".join(lines) + "\n").encode()}, "lab/papers") as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield tmp_path


REASONING = "So what would have to be true? If the lamps drift, the amplitude drifts along.\n\nNo: it was compared."
"""The stand-in's reasoning, which a command that asks for a model's own thoughts needs."""


def test_every_command_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the pages, since later commands use the files of earlier ones."""
    lines = [line for line in command_lines() if line.startswith(("python ", "synthreasoner ", "split "))]
    assert any("programs.generate" in line for line in lines)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with StandIn(Scientist(), argo_user=USER) as argo, StandIn(Scientist(), reasoning=REASONING) as server:
        monkeypatch.setenv("ARGO_USER", USER)
        monkeypatch.setenv("ARGO_BASE_URL", argo.url)
        for line in ["python -m programs.generate --model gpt41 --max-traces 1", *lines]:
            if line.startswith("split "):
                subprocess.run(shlex.split(line), check=True)
                continue
            call, _, output_file = line.replace(SERVER, server.openai_base).partition(" > ")
            program, *words = shlex.split(call)
            if program == "python":
                assert words[0] == "-m"
                words = [COMMAND_OF_MODULE[words[1]], *words[2:]]
            done = run_command(*words, main=main)
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
            if output_file:
                Path(output_file).write_text(done.stdout)
        assert not argo.brain_errors
        assert not server.brain_errors


def test_the_python_block_of_the_readme_runs(folder: Path) -> None:
    (code,) = [block for page, block in snippets("python") if page.name == "README.md"]
    with StandIn(Scientist()) as server:
        code = code.replace(SERVER, server.openai_base)
        assert run_python("-c", code, cwd=folder).startswith("<thought>")


def test_the_reward_block_of_the_tutorial_runs(tmp_path: Path) -> None:
    """The part of the tutorial that needs no GPU, on an export of the same format."""
    options = ["--to", "grpo", "--output", str(tmp_path / "first-grpo")]
    assert run_command("export", str(write_run(tmp_path, [record(1), record(2)])), *options, main=main).returncode == 0
    (code,) = [block for page, block in snippets("python") if page.name == "tutorial.md" and "import reward" in block]
    printed = run_python("-c", code, cwd=tmp_path, env={"HF_HOME": str(tmp_path / "hub")})
    assert printed.splitlines()[-1] == "[1.0, 0.0]"


def test_every_python_block_compiles() -> None:
    """Blocks that train are not run: they need a GPU and a network."""
    blocks = list(snippets("python"))
    assert {page.name for page, _ in blocks} >= {"README.md", "export.md"}
    for page, code in blocks:
        compile(code, str(page), "exec")


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_generated_pages_are_up_to_date(name: str) -> None:
    stored = (reference.DOCS / name).read_text(encoding="utf-8")
    assert stored == reference.PAGES[name](), "run: python -m tests.reference"


def test_make_targets_exist() -> None:
    targets = {line.split()[1] for line in command_lines() if line.startswith("make ")}
    assert {"generate", "test"} <= targets
    makefile = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_files_and_options_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text()
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (page.parent / link).exists(), link
    for name in re.findall(r"`((?:signatures|programs|optimize|tests|data)/[\w./]*)`", text):
        assert (ROOT / name).exists(), name
    options = {"--help", "--config", "--print-config", "--no-resume", "--no-trace-content", *BENCH_OPTIONS, *FOREIGN}
    options |= {option_name(name) for command in COMMANDS.values() for name in command.options_class().model_fields}
    for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text):
        assert option in options, option


CLUSTER_PROGRAMS = {
    "activate": "",
    "scontrol": 'for node in $3; do echo "$node"; done',
    "srun": 'export NODE=${3#*=}; shift 3; exec "$@"',
    # It passes on no environment.
    "pbsdsh": 'shift; for node in $(cat "$PBS_NODEFILE"); do env -i PATH="$PATH" NODE="$node" "$@" & done; wait',
    "vllm": f'cd {ROOT}; exec {sys.executable} -m tests.standin.process "${{@: -1}}" "$OLDPWD/$NODE" --host "$NODE"',
    "python": f'exec {sys.executable} "$@"',
}


@pytest.mark.parametrize("job", ["slurm.sh", "pbs.sh"])
def test_the_scripts_for_clusters_run(folder: Path, job: str) -> None:
    """On two addresses of this machine, with servers that require the key."""
    scripts = {block.splitlines()[1].removeprefix("# "): block for _, block in snippets("sh")}
    assert scripts.keys() == {"serve.sh", "run.sh", "slurm.sh", "pbs.sh"}
    port = str(free_port())
    for name, text in scripts.items():
        (folder / name).write_text(text.replace("8000", port).replace("sleep 5", "sleep 0.1"))
    bin_folder = folder / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    for name, text in CLUSTER_PROGRAMS.items():
        (bin_folder / name).write_text(f"#!/bin/bash\n{text}\n")
        (bin_folder / name).chmod(0o755)
    (folder / ".env").write_text("OPENAI_API_KEY=only-ours\n")
    nodes = ["127.0.0.2", "127.0.0.3"]
    (folder / "nodes").write_text("\n".join(nodes))
    papers = folder / "papers.jsonl"
    papers.write_text("".join(papers.read_text().splitlines(keepends=True)[:3]))
    env = environment({"PATH": f"{bin_folder}:{os.environ['PATH']}", "SLURM_JOB_NODELIST": " ".join(nodes)})
    env |= {"PBS_O_WORKDIR": str(folder), "PBS_NODEFILE": str(folder / "nodes")}
    with (folder / "said").open("w") as log:
        process = subprocess.Popen(["bash", job], cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            code = process.wait(timeout=PROCESS_TIMEOUT)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    assert code == 0, (folder / "said").read_text()
    assert json.loads((folder / "corpus.json").read_text())["metadata"]["total_traces_generated"] == 3
    assert any((folder / node).exists() for node in nodes)
