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

_INSTRUCTION_FIELDS = ("proposed_instruction", "new_instruction")


class ProposalAdapter(Shared, PassageFirstAdapter):
    """The adapter for all calls to the proposer. It reads replies as strictly as the stages do. Instead of an unreadable
    reply or an unfit instruction (empty, endless, copied from an example), it proposes the present one, so nothing changes.
    Raises `BackendError`."""

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
        # The optimizers ask for one completion, and not every server accepts the option.
        options = {name: value for name, value in lm_kwargs.items() if name != "n"}
        with self._recorder.guard():
            try:
                [proposal] = super().__call__(lm, options, signature, demos, inputs)
                if all(self.fit(proposal[name]) for name in _INSTRUCTION_FIELDS if name in proposal):
                    return [proposal]
            except AdapterParseError:
                pass
            except Exception as error:
                if not isinstance(backend_error(error), CallError | EmptyAnswer):
                    raise
        present = inputs.get("basic_instruction") or inputs.get("current_instruction") or ""
        return [{name: present if name in _INSTRUCTION_FIELDS else "" for name in signature.output_fields}]
