"""How proposers are asked for instructions, and which of their proposals are fit to be tried."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from optimize.job import Job
from programs.errors import CallError
from programs.lms.failures import backend_error

LONGEST = 2000
"""Characters that an instruction may have."""

LONGEST_QUOTE = 12
"""An instruction with so many words in a row from one of the job's texts has copied them."""

_INSTRUCTIONS = ("proposed_instruction", "new_instruction", "instruction")
_ADVICE = "module_advice"
_WORD = re.compile(r"\w+")


class Fitness:
    """Tells instructions that may be tried from empty, endless and copied ones."""

    def __init__(self, examples: Iterable[dspy.Example]) -> None:
        texts = (value for example in examples for value in example.inputs().values() if isinstance(value, str))
        self._runs = {run for text in texts for run in _runs(text)}

    def __call__(self, instruction: Any) -> bool:
        return (
            isinstance(instruction, str)
            and bool(instruction.strip())
            and len(instruction) <= LONGEST
            and self._runs.isdisjoint(_runs(instruction))
        )


def _runs(text: str) -> Iterable[str]:
    words = _WORD.findall(text.lower())
    return (" ".join(words[start : start + LONGEST_QUOTE]) for start in range(len(words) - LONGEST_QUOTE + 1))


class ProposalAdapter(dspy.JSONAdapter):
    """The adapter of DSPy's own questions to the proposer, whatever the adapter of the student is.

    `begin` is called before each question, and may raise; `fail` is told of what ends the compilation.
    Asks once for each completion wanted. What cannot be read, and instructions that are not fit, are left out; where
    nothing is left, the proposal is to change nothing. Raises the `BackendError` of a proposer that is gone.
    """

    def __init__(self, job: Job, begin: Callable[[], None], fail: Callable[[BaseException], None]) -> None:
        super().__init__()
        self._student = job.student
        self._begin, self._fail = begin, fail
        self.fit = Fitness([*job.train, *job.val])

    def __deepcopy__(self, memo: dict[int, Any]) -> ProposalAdapter:
        return self

    def __call__(
        self, lm: Any, lm_kwargs: dict[str, Any], signature: Any, demos: list[dict[str, Any]], inputs: dict[str, Any]
    ) -> list[dict[str, Any]]:
        options = {**lm_kwargs}
        wanted, rollout = options.pop("n", None) or 1, options.pop("rollout_id", None)
        if "program_code" in signature.input_fields:
            # DSPy would show the source of the class that it was given, which is our bench.
            inputs = {**inputs, "program_code": source_of(self._student)}
        found = []
        for number in range(wanted):
            # Equal requests would get equal answers from whoever remembers them.
            asked = {**options, "rollout_id": (rollout or 0) + number} if rollout or number else dict(options)
            found += self._asked(lm, asked, signature, demos, inputs)
        return found or [_nothing_new(signature, inputs)]

    def _asked(self, lm: Any, *rest: Any) -> list[dict[str, Any]]:
        self._begin()
        try:
            completions = super().__call__(lm, *rest)
        except AdapterParseError:
            return []
        except Exception as error:
            failure = backend_error(error)
            if isinstance(failure, CallError):
                return []
            self._fail(failure or error)
            raise
        return [fit for completion in completions if (fit := self._fit_part(completion)) is not None]

    def _fit_part(self, completion: dict[str, Any]) -> dict[str, Any] | None:
        if any(name in completion and not self.fit(completion[name]) for name in _INSTRUCTIONS):
            return None
        if _ADVICE not in completion:
            return completion
        advice = {name: text for name, text in completion[_ADVICE].items() if self.fit(text)}
        return {**completion, _ADVICE: advice}


def source_of(program: dspy.Module) -> str:
    """The source of a program's class, or its name where there is none to be read."""
    try:
        return inspect.getsource(type(program))
    except (OSError, TypeError):
        return type(program).__name__


def _nothing_new(signature: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    current = inputs.get("basic_instruction") or inputs.get("current_instruction") or _best_attempt(inputs)
    empty = {name: {} if name == _ADVICE else "" for name in signature.output_fields}
    return {name: current if name in _INSTRUCTIONS else value for name, value in empty.items()}


def _best_attempt(inputs: Mapping[str, Any]) -> str:
    """The best of the instructions that COPRO lists with their scores, the worst first."""
    attempts = inputs.get("attempted_instructions") or []
    tried = [str(line).partition(": ")[2] for line in attempts if str(line).startswith("Instruction #")]
    return tried[-1] if tried else ""
