"""A stand-in world in which a better prompt gives better traces, in a known way, and the compile command in it.

One stage is weak: what it writes is about bananas, which no passage is about, unless its prompt holds `MAGIC` or shows a
demonstration without bananas, or the passage is one of the lucky ones. Bananas go on from stage to stage: from the
hypotheses into the thought, and from there into the answer, which `on_topic` then scores near 0 instead of 1.

    with workshop(tmp_path, weak="answer") as shop:
        done = shop.compile(optimizer="bootstrap", stage="answer")
        assert shop.report["improved"]
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optimize.compilation import Compilation
from optimize.compile import main, prepare
from optimize.settings import CompileSettings
from optimize.stages import ALL, tunable_of
from programs.compiled import program_fingerprint
from programs.tracer import load_tracer
from signatures.prompt import EXAMPLE
from tests import lab
from tests.forked.process import Forked
from tests.lab import environment, options, write_passages
from tests.standin import scientist
from tests.standin.scientist import Asked, Scientist
from tests.standin.server import StandIn

MAGIC = "Name the cause first."
DULL = "Do the step well."
ENDLESS = "On and on. " * 300

FIELDS: dict[str, Callable[[str], Any]] = {
    "observations": lambda _: "The texts are about catalogues.",
    "summary": lambda _: "Texts about catalogues.",
    "proposed_instruction": lambda text: text,
    "proposed_prefix_for_output_field": lambda _: "Reply:",
    "new_instruction": lambda text: text,
    "instruction": lambda text: text,
    "discussion": lambda _: "The worse one names no cause.",
    "module_advice": lambda text: dict.fromkeys([*tunable_of(ALL), "judge.predict"], text),
}
"""What is put into each output field that optimizers ask for."""


@dataclass
class Proposer:
    """Proposes `texts` in turn, over and over; an empty one is a reply that is no JSON. That with `cut` stops in the
    middle of its last text, as if it were whole."""

    texts: tuple[str, ...] = (DULL, MAGIC)
    asked: int = 0
    cut: str | None = None

    def knows(self, body: dict[str, Any]) -> bool:
        """Whether a request is for a proposer."""
        return {*_wanted(body)} <= {*FIELDS}

    def __call__(self, body: dict[str, Any]) -> str:
        text = self.texts[self.asked % len(self.texts)]
        self.asked += 1
        said = json.dumps({name: FIELDS[name](text) for name in _wanted(body)})
        return said[:-4] if text == self.cut else said if text else "I cannot help with that."


def _wanted(body: dict[str, Any]) -> list[str]:
    """The fields of the reply that is asked for."""
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    return list(schema["properties"]) if schema else ["?"]


BANANAS = "Bananas"
OFF_TOPIC = f"{BANANAS} ripen faster beside apples because ethylene spreads between them overnight"


@dataclass
class World:
    """The brain. `lucky` are the numbers of the passages that the weak stage does well by itself; with `helps` False
    nothing makes it better. A `shy` world is to be asked for everything twice. It writes instructions too."""

    weak: str = "answer"
    lucky: set[int] = field(default_factory=set)
    helps: bool = True
    shy: bool = False
    stages: dict[str, scientist.Answer] = field(default_factory=dict)
    proposer: Proposer = field(default_factory=lambda: Proposer((MAGIC,)))

    def __post_init__(self) -> None:
        own = {"hypotheses": self._hypotheses, "trace": self._trace, "answer": self._answer}
        self.scientist = Scientist({**own, **self.stages})

    def __call__(self, body: dict[str, Any]) -> str:
        prompt = "".join(str(message["content"]) for message in body["messages"])
        if self.proposer.knows(body):
            return self.proposer(body)
        return "Not now." if self.shy and "[[ ## feedback ## ]]" not in prompt else self.scientist(body)

    @property
    def asked(self) -> dict[str, int]:
        """How often each stage was asked."""
        return dict(self.scientist.asked)

    def _good(self, asked: Asked) -> bool:
        number, shown = re.search(r"Catalogue (\d+)", asked.text), asked.text.partition(EXAMPLE)[2]
        told = MAGIC in asked.text or (bool(shown) and BANANAS not in shown)
        lucky = bool(number and int(number[1]) in self.lucky)
        return asked.stage != self.weak or lucky or (told and self.helps)

    def _hypotheses(self, asked: Asked) -> Any:
        if self._good(asked):
            return scientist.hypotheses(asked)
        texts = [f"{OFF_TOPIC}, says one of {asked.nonce}.", f"Apples {asked.nonce} beside plums never ripen at all."]
        return {"hypotheses": [{"statement": text, "test": "Put them side by side and look."} for text in texts]}

    def _trace(self, asked: Asked) -> Any:
        made = scientist.trace(asked)
        if BANANAS in given(asked, "hypotheses"):
            text = f"{OFF_TOPIC}, and that might be all there is to it, or so it seems."
            made["paragraphs"].insert(1, {"kind": "considers", "text": text})
        return made

    def _answer(self, asked: Asked) -> Any:
        if BANANAS in given(asked, "thought") or not self._good(asked):
            # Figures might stand in the passage by chance.
            mark = asked.nonce.translate(str.maketrans("0123456789", "ghijklmnop"))
            return {"text": f"{OFF_TOPIC}. Nothing else matters here ({mark})."}
        words = " ".join(re.findall(r"^\[\d+\] (.*)$", asked.text, re.MULTILINE)[:2]).split()
        # Its figures are not at hand.
        words = [word for word in words if not re.search(r"\d", word)]
        # Not word for word: what is copied is not on topic, neither from the passage nor from a demonstration.
        mark = f" ({asked.nonce[:3].translate(str.maketrans('0123456789', 'ghijklmnop'))}) "
        return {"text": mark.join(" ".join(words[start : start + 6]) for start in range(0, len(words), 6))}


def given(asked: Asked, name: str) -> str:
    """An input's own text, not that of a demonstration before it."""
    return asked.text.rpartition(f"[[ ## {name} ## ]]\n")[2] if f"[[ ## {name} ## ]]" in asked.text else ""


@dataclass
class Shop:
    """A folder with examples, a server and the options of every compilation."""

    folder: Path
    server: StandIn
    world: World
    base: dict[str, Any]

    @property
    def output(self) -> Path:
        return self.folder / "compiled"

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.output / "report.json").read_text(encoding="utf-8"))
        return found

    @property
    def fingerprint(self) -> str:
        """That of the compiled program."""
        return program_fingerprint(load_tracer(self.output))

    @property
    def text(self) -> str:
        """report.md."""
        return (self.output / "report.md").read_text(encoding="utf-8")

    @property
    def calls(self) -> int:
        """Requests for answers so far."""
        return len(self.server.calls)

    @property
    def recorded(self) -> int:
        """Calls in the journal."""
        return (self.output / "calls.journal.jsonl").read_bytes().count(b'"kind":"call"')

    def course(self, **changed: Any) -> Compilation:
        """What a compilation with these options would do."""
        settings = {name: value for name, value in {**self.base, **changed}.items() if value is not None}
        return prepare(CompileSettings.model_validate(settings))

    def promised(self, **changed: Any) -> int:
        """The calls that a compilation with these options says it may make."""
        course = self.course(**changed)
        return course.max_calls_for(course.runs)

    def lucky_in_training(self, **changed: Any) -> None:
        """Tells the world to do the first training passage well."""
        found = re.search(r"Catalogue (\d+)", self.course(**changed).train[0].text)
        assert found is not None
        self.world.lucky = {int(found.group(1))}

    def compile(self, **changed: Any) -> subprocess.CompletedProcess[str]:
        """`python -m optimize.compile` in this process."""
        return lab.called(*options({**self.base, **changed}), main=main)

    def made(self, **changed: Any) -> str:
        """What it prints when all goes well, with no more calls than it promises."""
        done = self.compile(**changed)
        assert (done.returncode, done.stderr) == (0, "")
        assert 0 < self.calls <= self.promised(**changed)
        return done.stdout

    def start(self, **changed: Any) -> Forked:
        """The same as a process of its own, not waited for."""
        return Forked("optimize.compile", options({**self.base, **changed}), env=environment())


@contextmanager
def opened(folder: Path, world: World, base: dict[str, Any], **server: Any) -> Iterator[Shop]:
    """A shop whose compilations have these options beside those that any has."""
    with StandIn(world, **server) as running:
        usual = {"api_base": running.openai_base, "concurrency": 4}
        usual |= {"timeout": 10.0, "patience": 5.0, "retry_wait": 0.01}
        yield Shop(folder, running, world, {**base, **usual, "output": str(folder / "compiled")})
        assert not running.surprises, f"the world did not know what to say: {running.surprises[:3]}"


@contextmanager
def workshop(
    folder: Path, *, weak: str = "answer", texts: int = 24, world: World | None = None, **server: Any
) -> Iterator[Shop]:
    """A shop with `texts` passages, no judges, and the metric that tells bananas from science."""
    trainset = [str(write_passages(folder / "passages.jsonl", range(texts)))]
    base = {"model": "openai/any", "trainset": trainset, "metric": "on_topic", "judge_models": "none"}
    numbers = {"num_train": 2, "num_val": 2, "num_test": 4}
    with opened(folder, world or World(weak), {**base, **numbers}, **server) as shop:
        yield shop


def mistake(shop: Shop, calls: int = 0, **options: Any) -> str:
    """The line of a compilation that is refused."""
    line = lab.mistake(shop.compile(**options))
    assert shop.calls == calls
    return line
