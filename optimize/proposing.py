"""How models are asked for instructions, and which of their proposals are fit to be tried."""

from collections.abc import Iterable
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from optimize.recording import Recorder
from programs.asking.adapter import PassageFirstAdapter
from programs.errors import CallError
from programs.lms.engine import Shared
from programs.lms.failures import EmptyAnswer, backend_error
from programs.text.copying import copied_share

_INSTRUCTIONS = ("proposed_instruction", "new_instruction", "instruction")
_ADVICE = "module_advice"


class ProposalAdapter(Shared, PassageFirstAdapter):
    """The adapter of all questions to the proposer, which reads as strictly as the stages do. Asks once for each completion
    wanted. What cannot be read, and instructions that are not fit (empty, endless, copied from an example), are left out;
    where nothing is left, the proposal is to change nothing. Raises `BackendError`."""

    def __init__(self, examples: Iterable[dspy.Example], recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        inputs = (example.inputs().values() for example in examples)
        self._texts = {value for values in inputs for value in values if isinstance(value, str)}

    def fit(self, instruction: Any) -> bool:
        """Whether an instruction may be tried."""
        whole = isinstance(instruction, str) and bool(instruction.strip()) and len(instruction) <= 2000
        return whole and not any(copied_share(instruction, text) for text in self._texts)

    def __call__(
        self, lm: Any, lm_kwargs: dict[str, Any], signature: Any, demos: Any, inputs: Any
    ) -> list[dict[str, Any]]:
        options = {**lm_kwargs}
        wanted, rollout = options.pop("n", None) or 1, options.pop("rollout_id", None)
        found = []
        for number in range(wanted):
            # Equal requests would get equal answers from whoever remembers them.
            asked = {**options, "rollout_id": (rollout or 0) + number} if rollout or number else dict(options)
            found += self._asked(lm, asked, signature, demos, inputs)
        if found:
            return found
        attempts = [str(line) for line in inputs.get("attempted_instructions") or []]
        # COPRO lists them with their scores, the worst first.
        tried = [line.partition(": ")[2] for line in attempts if line.startswith("Instruction #")]
        same = inputs.get("basic_instruction") or inputs.get("current_instruction") or (tried[-1] if tried else "")
        known: dict[str, Any] = {**dict.fromkeys(_INSTRUCTIONS, same), _ADVICE: {}}
        return [{name: known.get(name, "") for name in signature.output_fields}]

    def _asked(self, lm: Any, *rest: Any) -> list[dict[str, Any]]:
        with self._recorder.watching():
            try:
                completions = super().__call__(lm, *rest)
            except AdapterParseError:
                return []
            except Exception as error:
                if isinstance(backend_error(error), CallError | EmptyAnswer):
                    return []
                raise
            fit = [one for one in completions if all(self.fit(one[name]) for name in _INSTRUCTIONS if name in one)]
            for one in fit:
                if _ADVICE in one:
                    one[_ADVICE] = {name: text for name, text in one[_ADVICE].items() if self.fit(text)}
            return fit
