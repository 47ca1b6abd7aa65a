"""Runs the compile command against a brain for which better prompts give better traces, in a known way.

One stage of the brain is weak: it writes about bananas, which are in no passage, unless its prompt contains `HELPFUL` or a
demonstration without bananas, or the passage is an easy one. Bananas spread to later stages: from the hypotheses to the
thought, and from the thought to the answer, which `on_topic` then scores near 0 instead of 1.

    with compile_lab(tmp_path, weak="answer") as lab:
        done = lab.compile(optimizer="bootstrap", stage="answer")
        assert lab.report["improved"]
"""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optimize.compilation import Compilation
from optimize.compile import main, prepare
from optimize.settings import CompileSettings
from programs.compiled import program_fingerprint
from programs.tracer import load_tracer
from signatures.prompt import EXAMPLE
from tests import lab
from tests.forked.process import ForkedProcess
from tests.lab import command_line_words, environment, write_passages
from tests.standin import scientist
from tests.standin.scientist import Scientist, StageRequest
from tests.standin.server import StandIn

HELPFUL = "Name the cause first."
USELESS = "Do the step well."
ENDLESS = "On and on. " * 300

PROPOSAL_FIELDS = {"observations", "summary", "proposed_instruction", "new_instruction"}
"""The output fields that optimizers ask a proposer for."""


@dataclass
class Proposer:
    """Proposes `texts` in turn, again and again; for an empty text, the reply is not JSON. The reply for `truncated_text`
    lacks its end, though its finish reason is "stop"."""

    texts: tuple[str, ...] = (USELESS, HELPFUL)
    proposals: int = 0
    truncated_text: str | None = None

    def handles(self, body: dict[str, Any]) -> bool:
        """Whether a request is one for a proposer."""
        return {*_reply_fields(body)} <= PROPOSAL_FIELDS

    def __call__(self, body: dict[str, Any]) -> str:
        text = self.texts[self.proposals % len(self.texts)]
        self.proposals += 1
        reply = json.dumps(dict.fromkeys(_reply_fields(body), text))
        return reply[:-4] if text == self.truncated_text else reply if text else "I cannot help with that."


def _reply_fields(body: dict[str, Any]) -> list[str]:
    """The fields of the requested reply."""
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    return list(schema["properties"]) if schema else ["?"]


BANANAS = "Bananas"
OFF_TOPIC = f"{BANANAS} ripen faster beside apples because ethylene spreads between them overnight"


@dataclass
class WeakBrain:
    """A brain whose stage `weak` writes badly, except about the passages numbered in `easy_passages`. If `needs_reask`,
    every first reply is unreadable. `proposer` writes instructions."""

    weak: str = "answer"
    easy_passages: set[int] = field(default_factory=set)
    needs_reask: bool = False
    stages: dict[str, scientist.AnswerFunction] = field(default_factory=dict)
    proposer: Proposer = field(default_factory=lambda: Proposer((HELPFUL,)))

    def __post_init__(self) -> None:
        stages = {"hypotheses": self._hypotheses, "trace": self._trace, "answer": self._answer}
        self.scientist = Scientist({**stages, **self.stages})

    def __call__(self, body: dict[str, Any]) -> str:
        prompt = "".join(str(message["content"]) for message in body["messages"])
        if self.proposer.handles(body):
            return self.proposer(body)
        return "Not now." if self.needs_reask and "[[ ## feedback ## ]]" not in prompt else self.scientist(body)

    @property
    def request_counts(self) -> dict[str, int]:
        return dict(self.scientist.request_counts)

    def _does_well(self, request: StageRequest) -> bool:
        catalogue, demonstrations = re.search(r"Catalogue (\d+)", request.text), request.text.partition(EXAMPLE)[2]
        helped = HELPFUL in request.text or (bool(demonstrations) and BANANAS not in demonstrations)
        easy = bool(catalogue and int(catalogue[1]) in self.easy_passages)
        return request.stage != self.weak or easy or helped

    def _hypotheses(self, request: StageRequest) -> Any:
        if self._does_well(request):
            return scientist.hypotheses(request)
        texts = [
            f"{OFF_TOPIC}, says one of {request.nonce}.",
            f"Apples {request.nonce} beside plums never ripen at all.",
        ]
        return {"hypotheses": [{"statement": text, "test": "Put them side by side and look."} for text in texts]}

    def _trace(self, request: StageRequest) -> Any:
        thought = scientist.trace(request)
        if BANANAS in input_text(request, "hypotheses"):
            text = f"{OFF_TOPIC}, and that might be all there is to it, or so it seems."
            thought["paragraphs"].insert(1, {"kind": "considers", "text": text})
        return thought

    def _answer(self, request: StageRequest) -> Any:
        if BANANAS in input_text(request, "thought") or not self._does_well(request):
            # Letters, since digits could be in the passage by chance.
            mark = request.nonce.translate(str.maketrans("0123456789", "ghijklmnop"))
            return {"text": f"{OFF_TOPIC}. Nothing else matters here ({mark})."}
        words = " ".join(re.findall(r"^\[\d+\] (.*)$", request.text, re.MULTILINE)[:2]).split()
        # Without figures, which a reader of a closed answer does not have.
        words = [word for word in words if not re.search(r"\d", word)]
        # A mark after every six words: `on_topic` counts text that is copied word for word as off topic.
        mark = f" ({request.nonce[:3].translate(str.maketrans('0123456789', 'ghijklmnop'))}) "
        return {"text": mark.join(" ".join(words[start : start + 6]) for start in range(0, len(words), 6))}


def input_text(request: StageRequest, name: str) -> str:
    """The text of an input field, not of the demonstrations before it."""
    return request.text.rpartition(f"[[ ## {name} ## ]]\n")[2] if f"[[ ## {name} ## ]]" in request.text else ""


@dataclass
class CompileLab:
    """Examples and a server. `base`: the options of every compilation, which the `overrides` of one replace."""

    folder: Path
    server: StandIn
    brain: WeakBrain
    base: dict[str, Any]

    @property
    def output(self) -> Path:
        return self.folder / "compiled"

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.output / "report.json").read_text(encoding="utf-8"))
        return report

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the compiled program."""
        return program_fingerprint(load_tracer(self.output))

    @property
    def report_text(self) -> str:
        return (self.output / "report.md").read_text(encoding="utf-8")

    @property
    def calls(self) -> int:
        """The number of model calls so far."""
        return len(self.server.calls)

    @property
    def recorded_calls(self) -> int:
        """The number of calls in the journal."""
        return (self.output / "calls.journal.jsonl").read_bytes().count(b'"kind":"call"')

    def compilation(self, **overrides: Any) -> Compilation:
        """The compilation with these options, ready to start."""
        settings = {name: value for name, value in {**self.base, **overrides}.items() if value is not None}
        return prepare(CompileSettings.model_validate(settings))

    def promised_calls(self, **overrides: Any) -> int:
        """The most calls that a compilation with these options says it may make."""
        compilation = self.compilation(**overrides)
        return compilation.max_calls_for(compilation.runs)

    def make_first_training_text_easy(self, **overrides: Any) -> None:
        match = re.search(r"Catalogue (\d+)", self.compilation(**overrides).train[0].text)
        assert match is not None
        self.brain.easy_passages = {int(match.group(1))}

    def compile(self, **overrides: Any) -> subprocess.CompletedProcess[str]:
        """Runs `python -m optimize.compile` in this process."""
        return lab.run_command(*command_line_words({**self.base, **overrides}), main=main)

    def compile_ok(self, **overrides: Any) -> str:
        """Compiles without errors and with no more calls than promised. Returns the output."""
        done = self.compile(**overrides)
        assert (done.returncode, done.stderr) == (0, "")
        assert 0 < self.calls <= self.promised_calls(**overrides)
        return done.stdout

    def start(self, **overrides: Any) -> ForkedProcess:
        """Starts a compilation in a separate process."""
        return ForkedProcess("optimize.compile", command_line_words({**self.base, **overrides}), env=environment())


@contextmanager
def open_lab(folder: Path, brain: WeakBrain, base: dict[str, Any], **server: Any) -> Iterator[CompileLab]:
    """Yields a lab with this brain; `base` adds options to every compilation, `server` to the server."""
    with StandIn(brain, **server) as running:
        defaults = {"api_base": running.openai_base, "concurrency": 4}
        defaults |= {"timeout": 10.0, "patience": 5.0, "retry_wait": 0.01}
        yield CompileLab(folder, running, brain, {**base, **defaults, "output": str(folder / "compiled")})
        assert not running.brain_errors, f"the brain could not answer: {running.brain_errors[:3]}"


@contextmanager
def compile_lab(
    folder: Path, *, weak: str = "answer", brain: WeakBrain | None = None, **server: Any
) -> Iterator[CompileLab]:
    """Yields a lab with 24 passages, no judges, and the metric `on_topic`, which detects bananas."""
    trainset = [str(write_passages(folder / "passages.jsonl", range(24)))]
    base = {"model": "openai/any", "trainset": trainset, "metric": "on_topic", "judge_models": "none"}
    numbers = {"num_train": 2, "num_val": 2, "num_test": 4}
    with open_lab(folder, brain or WeakBrain(weak), {**base, **numbers}, **server) as opened:
        yield opened


def compile_user_error(opened: CompileLab, calls: int = 0, **options: Any) -> str:
    """The error of a compilation that is rejected after `calls` calls."""
    line = lab.user_error(opened.compile(**options))
    assert opened.calls == calls
    return line
