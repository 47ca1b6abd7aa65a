"""What the Optuna search may choose from, kept as JSON beside its study so that a resumed one chooses from the same."""

import hashlib
import json
from math import prod
from pathlib import Path
from typing import TypeVar

import dspy
import orjson
from pydantic import BaseModel, ValidationError

from optimize.job import Job
from optimize.optimizers.harvest import MOST_DEMOS, Harvest
from optimize.optimizers.instructing import instructions_for
from optimize.optimizers.session import Session
from optimize.optimizers.tuned import Demo, Tuned, plain, plain_demo, state_of
from programs.errors import UserError

Value = TypeVar("Value")

ORIGINAL = "original"
"""The choice that leaves a part of a predictor as it is."""

TEMPERATURES = (0.2, 0.6, 1.0)
"""What a stage's temperature may be, besides left as it is."""

_SINGLES = 3
"""Sets of a single demonstration for each predictor."""


class Choices(BaseModel):
    """What one predictor may become, by the names that the study shows. `ORIGINAL` is always among the instructions and
    sets of demonstrations."""

    instructions: dict[str, str]
    demos: dict[str, list[Demo]]
    temperatures: list[float]


class Candidates(BaseModel):
    """The search space of a study. `basis` tells the job, `runs` what it cost to find, `examples` how many of the
    validation examples a trial is tried on."""

    basis: str
    runs: int
    examples: int
    choices: dict[str, Choices]

    @property
    def combinations(self) -> int:
        """How many programs there are to choose from."""
        sizes = [(len(one.instructions), len(one.demos), len(one.temperatures) + 1) for one in self.choices.values()]
        return prod(size for part in sizes for size in part)

    def tuned(self, name: str, original: Tuned, instruction: str, demos: str, temperature: float | str) -> Tuned:
        """The part of the predictor `name` that these choices make."""
        choices = self.choices[name]
        return Tuned(
            instructions=choices.instructions[instruction],
            demos=choices.demos[demos],
            temperature=original.temperature if isinstance(temperature, str) else temperature,
        )


def gather(session: Session, found: Harvest, proposals: int, examples: int) -> Candidates:
    """Asks the proposer for instructions, `proposals` for each predictor, and makes sets of demonstrations."""
    job = session.job
    proposed = session.each(lambda name: instructions_for(session, name, found, proposals), job.tunable)
    originals = state_of(job.student, job.tunable)
    choices = {
        name: Choices(
            instructions={ORIGINAL: originals[name].instructions, **_numbered("proposal", texts)},
            demos={ORIGINAL: originals[name].demos, **_numbered("set", _sets(session, name, found))},
            temperatures=list(TEMPERATURES) if job.temperatures and _takes_temperature(dspy.settings.lm) else [],
        )
        for name, texts in zip(job.tunable, proposed, strict=True)
    }
    return Candidates(basis=basis_of(job), runs=session.runs, examples=examples, choices=choices)


def read(path: Path, job: Job) -> Candidates | None:
    """The candidates of an earlier start, or None where there are none. Raises `UserError` for another job's."""
    try:
        found = Candidates.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise UserError(f"{path} is damaged: name another folder, or move this one away") from None
    if found.basis != basis_of(job):
        raise UserError(
            f"the study in {path.parent} is of another job (its texts, program, stages, threshold or seed differ):"
            " name another folder, or move that one away"
        )
    return found


def write(path: Path, candidates: Candidates) -> None:
    """Writes the file whole or not at all."""
    unfinished = path.with_suffix(".tmp")
    unfinished.write_bytes(orjson.dumps(candidates.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
    unfinished.replace(path)


def basis_of(job: Job) -> str:
    """A hash of what a study's scores depend on, apart from its candidates."""
    state = {name: part.model_dump() for name, part in state_of(job.student, job.tunable).items()}
    texts = [[example.toDict() for example in examples] for examples in (job.train, job.val)]
    text = json.dumps(plain([state, texts, job.seed, job.threshold]), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _sets(session: Session, name: str, found: Harvest) -> list[list[Demo]]:
    """Each of the best runs' demonstrations by itself, then the best together."""
    demos = [
        plain_demo({**step.inputs, **step.outputs})
        for example in found.good
        for step in session.steps(example)
        if step.predictor == name
    ]
    singles = [[demo] for demo in demos[:_SINGLES]]
    return [*singles, demos[:MOST_DEMOS]] if len(demos) >= MOST_DEMOS else singles


def _numbered(what: str, values: list[Value]) -> dict[str, Value]:
    return {f"{what} {number}": value for number, value in enumerate(values, 1)}


def _takes_temperature(lm: object) -> bool:
    return "temperature" in getattr(lm, "supported_params", ())
