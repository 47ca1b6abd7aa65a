"""How models are asked to propose instructions, and which proposals may be tried."""

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

_INSTRUCTION_FIELDS = ("proposed_instruction", "new_instruction", "instruction")
_ADVICE = "module_advice"


class ProposalAdapter(Shared, PassageFirstAdapter):
    """The adapter for all calls to the proposer. It reads replies as strictly as the stages do, and makes one call per
    completion wanted. Unreadable replies and unfit instructions (empty, endless, copied from an example) are dropped. If
    none is left, it proposes the present instruction, so nothing changes. Raises `BackendError`."""

    def __init__(self, examples: Iterable[dspy.Example], recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        inputs = (example.inputs().values() for example in examples)
        self._texts = {value for values in inputs for value in values if isinstance(value, str)}

    def fit(self, instruction: Any) -> bool:
        """Whether an instruction may be tried."""
        usable = isinstance(instruction, str) and bool(instruction.strip()) and len(instruction) <= 2000
        return usable and not any(copied_share(instruction, text) for text in self._texts)

    def __call__(
        self, lm: Any, lm_kwargs: dict[str, Any], signature: Any, demos: Any, inputs: Any
    ) -> list[dict[str, Any]]:
        options = {**lm_kwargs}
        count, rollout = options.pop("n", None) or 1, options.pop("rollout_id", None)
        proposals = []
        for number in range(count):
            # Otherwise a cache or the journal would answer equal requests with the same text.
            sent = {**options, "rollout_id": (rollout or 0) + number} if rollout or number else dict(options)
            proposals += self._ask(lm, sent, signature, demos, inputs)
        if proposals:
            return proposals
        attempts = [str(line) for line in inputs.get("attempted_instructions") or []]
        # COPRO lists earlier instructions with their scores, worst first.
        tried = [line.partition(": ")[2] for line in attempts if line.startswith("Instruction #")]
        present = inputs.get("basic_instruction") or inputs.get("current_instruction") or (tried[-1] if tried else "")
        unchanged: dict[str, Any] = {**dict.fromkeys(_INSTRUCTION_FIELDS, present), _ADVICE: {}}
        return [{name: unchanged.get(name, "") for name in signature.output_fields}]

    def _ask(self, lm: Any, *rest: Any) -> list[dict[str, Any]]:
        with self._recorder.guard():
            try:
                completions = super().__call__(lm, *rest)
            except AdapterParseError:
                return []
            except Exception as error:
                if isinstance(backend_error(error), CallError | EmptyAnswer):
                    return []
                raise
            proposals = [p for p in completions if all(self.fit(p[name]) for name in _INSTRUCTION_FIELDS if name in p)]
            for proposal in proposals:
                if _ADVICE in proposal:
                    proposal[_ADVICE] = {name: text for name, text in proposal[_ADVICE].items() if self.fit(text)}
            return proposals
