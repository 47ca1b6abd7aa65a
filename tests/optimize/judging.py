"""Labelled answers, and judges whose verdicts depend on their prompt in a known way.

Every question has a key word, which stands in its passage; an answer is right when it names that word. A judge is lenient
(it says 9 to everything) until its prompt shows an example or holds `MAGIC`: then it looks whether the answer's word is
in the passage, and says 9 or 2. What the proposer writes is now and then `MAGIC`.

    with judges(tmp_path) as shop:
        done = shop.compile(optimizer="bootstrap")
        shop.report["proof"]["composite"]
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from signatures.prompt import EXAMPLE
from tests.optimize.compiling import DULL, MAGIC, Proposer, Shop, World, opened
from tests.standin.panel import verdict
from tests.standin.scientist import Answer, Asked

UNREADABLE = "who can tell"
"""An answer with these words gets no verdict from a judge called `mute`."""


def key_word(number: int) -> str:
    """The word that the right answers to a question name."""
    return f"word{chr(97 + number // 26)}{chr(97 + number % 26)}"


def record(number: int, right: bool, version: int = 0, **given: Any) -> dict[str, Any]:
    """A labelled answer to the question with this number."""
    word = key_word(number) if right else key_word(number + 100)
    return {
        "question": f"What makes sample {number} drift?",
        "key_passage": f"Sample {number} drifts because of {key_word(number)}. The lamps were off at night.",
        "reference": f"It is {key_word(number)}.",
        "answer": f"In version {version} it is {word} that makes it drift.",
        "human": {"correct": int(right)},
        **given,
    }


def records(questions: int) -> list[dict[str, Any]]:
    """Two right answers and a wrong one to every question."""
    kinds = [(True, 0), (True, 1), (False, 2)]
    return [record(number, right, version) for number in range(questions) for right, version in kinds]


def judge(asked: Asked) -> Any:
    """A verdict, as this module's docstring says."""
    word = re.findall(r"it is (\w+) that", asked.text)[-1]
    if asked.body["model"] == "mute" and UNREADABLE in asked.text:
        return "I would rather not say."
    if EXAMPLE not in asked.text and MAGIC not in asked.text:
        return verdict(9)
    return verdict(9 if word in asked.given("passage") else 2)


@contextmanager
def judges(
    folder: Path, lines: list[dict[str, Any]] | None = None, judge: Answer = judge, **server: Any
) -> Iterator[Shop]:
    """A shop with these labelled answers, or with those to 28 questions, that compiles the judges' prompt."""
    trainset = folder / "labelled.jsonl"
    given = records(28) if lines is None else lines
    trainset.write_text("".join(f"{json.dumps(line)}\n" for line in given), encoding="utf-8")
    base = {"stage": "judge", "trainset": str(trainset), "judge_models": "openai/any"}
    numbers = {"num_train": 8, "num_val": 8, "num_test": 20}
    world = World(stages={"judge": judge}, proposer=Proposer((DULL, MAGIC)))
    with opened(folder, world, {**base, **numbers}, **server) as shop:
        yield shop
