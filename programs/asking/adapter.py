"""The DSPy adapter: how a signature, its demonstrations and its inputs become messages.

`PassageFirstAdapter` puts what calls share first, byte for byte: a constant system message, then the passage, then
the question; only then the stage's instructions, what its inputs are, its demonstrations and its other inputs. A server
with a prefix cache then reads a passage once instead of once a stage. Demonstrations stand inside the one user message,
without their passages, so that every chat template takes the roles as they are.

What comes back is read as it was meant (`programs.asking.reading`); a JSON text that stops in the middle is a failed
answer, never half a one.
"""

import json
from collections.abc import Sequence
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from programs.asking.json_objects import objects_in
from programs.asking.json_schema import Outputs, enforced_schema, form_of, outputs_of, schema_of
from programs.asking.reading import Misread, as_meant
from programs.text.injection import escape_markers
from signatures.own_thought import PlainText
from signatures.preamble import EXAMPLE, FORM, GIVEN, PREAMBLE, SCHEMA

SHARED_FIELDS = ("passage", "question", "asked_by")
ADAPTER_VERSION = 2

# Whether the server of the call being formatted enforces schemas; set where DSPy hands us the LM.
_enforced: ContextVar[bool] = ContextVar("schema_enforced", default=False)


class PassageFirstAdapter(dspy.JSONAdapter):
    """A JSON adapter that orders the prompt for prefix caches. Its output is that of its signature's fields.

    Where the server enforces the schema the prompt shows a short form with the descriptions; elsewhere it carries the
    whole JSON schema. Raises `AdapterParseError` for a reply that is not one whole JSON object of the asked form.

    A signature whose output is a `PlainText` is sent as its inputs alone, and its reply is taken as it stands.
    """

    def __init__(self) -> None:
        super().__init__(use_native_function_calling=False)

    def _prepare_response_format(self, lm: Any, lm_kwargs: dict[str, Any], signature: Any) -> None:
        if _is_plain(signature):
            return
        schema_supported = bool(lm.supports_response_schema and "response_format" in lm.supported_params)
        _enforced.set(schema_supported)
        if schema_supported:
            lm_kwargs["response_format"] = _response_format(outputs_of(signature))
        elif "response_format" in lm.supported_params:
            lm_kwargs["response_format"] = {"type": "json_object"}

    def format(self, signature: Any, demos: list[dict[str, Any]], inputs: dict[str, Any]) -> list[dict[str, str]]:
        if _is_plain(signature):
            return _plain_messages(signature, inputs)
        given = _inputs(signature)
        shared = [name for name in SHARED_FIELDS if name in given]
        own = [name for name in given if name not in SHARED_FIELDS]
        blocks = [
            *_fields(shared, inputs),
            signature.instructions,
            _given(signature, inputs),
            self._form(signature),
            *(_demonstration(signature, demo) for demo in demos),
            *_fields(own, inputs),
        ]
        return [{"role": "system", "content": PREAMBLE}, {"role": "user", "content": "\n\n".join(blocks)}]

    def _form(self, signature: Any) -> str:
        outputs = outputs_of(signature)
        return f"{FORM}\n{_form_text(outputs)}" if _enforced.get() else f"{SCHEMA}\n{_schema_text(outputs)}"

    def parse(self, signature: Any, completion: str) -> dict[str, Any]:
        outputs = outputs_of(signature)
        if _is_plain(signature):
            return {outputs[0][0]: PlainText(completion.strip())}
        found = objects_in(completion)
        if not found.objects:
            why = "The reply stops in the middle." if found.cut else "The reply is not one whole JSON object."
            raise NotAsAsked(signature, completion, [why], found.cut)
        misread = None
        for fields in reversed(found.objects):
            try:
                return as_meant(fields, outputs)
            except Misread as error:
                # What stands before a reply is a draft: its faults say nothing.
                misread = misread or error
        assert misread is not None
        raise NotAsAsked(signature, completion, misread.faults, misread.cut) from misread


class NotAsAsked(AdapterParseError):
    """A reply that cannot be read. `faults` are for whoever wrote it; `cut`: it stops in the middle."""

    def __init__(self, signature: Any, completion: str, faults: list[str], cut: bool) -> None:
        super().__init__("PassageFirstAdapter", signature, completion, message="\n".join(faults))
        self.faults = faults
        self.cut = cut


class StockOrderAdapter(PassageFirstAdapter):
    """The same form and parsing with DSPy's usual order: instructions and demonstrations first, the passage last."""

    def format(self, signature: Any, demos: list[dict[str, Any]], inputs: dict[str, Any]) -> list[dict[str, str]]:
        if _is_plain(signature):
            return _plain_messages(signature, inputs)
        head = [PREAMBLE, signature.instructions, _given(signature, inputs), self._form(signature)]
        head += [_demonstration(signature, demo) for demo in demos]
        return [
            {"role": "system", "content": "\n\n".join(head)},
            {"role": "user", "content": "\n\n".join(_fields(list(_inputs(signature)), inputs))},
        ]


def adapter_for(prompt_order: str) -> PassageFirstAdapter:
    """The adapter that `--prompt-order` names: passage-first or stock."""
    return PassageFirstAdapter() if prompt_order == "passage-first" else StockOrderAdapter()


def _is_plain(signature: Any) -> bool:
    return outputs_of(signature)[0][1] is PlainText


def _plain_messages(signature: Any, inputs: dict[str, Any]) -> list[dict[str, str]]:
    """The inputs as a person would type them, in the signature's order."""
    given = [escape_markers(inputs[name]) for name in _inputs(signature) if inputs.get(name) is not None]
    return [{"role": "user", "content": "\n\n".join(given)}]


def _fields(names: Sequence[str], values: dict[str, Any]) -> list[str]:
    return [
        f"[[ ## {name} ## ]]\n{escape_markers(_shown(values[name]))}" for name in names if values.get(name) is not None
    ]


def _given(signature: Any, values: dict[str, Any]) -> str:
    """What each given input is."""
    described = _inputs(signature).items()
    return "\n".join([GIVEN, *(f"- {name}: {desc}" for name, desc in described if values.get(name) is not None)])


def _shown(value: Any) -> str:
    """A value as the prompt shows it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json")


def _demonstration(signature: Any, demo: dict[str, Any]) -> str:
    given = [name for name in signature.input_fields if name != "passage"]
    reply = {name: demo[name] for name in signature.output_fields if name in demo}
    return "\n\n".join([EXAMPLE, *_fields(given, demo), _shown(reply)])


# DSPy makes the mappings of a signature's fields anew at every access.
@lru_cache(maxsize=256)
def _inputs(signature: Any) -> dict[str, str]:
    """The names of the inputs with their descriptions."""
    return {name: info.json_schema_extra["desc"] for name, info in signature.input_fields.items()}


@lru_cache(maxsize=256)
def _response_format(outputs: Outputs) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "json_schema": {"name": "reply", "schema": enforced_schema(outputs), "strict": True},
    }


@lru_cache(maxsize=256)
def _schema_text(outputs: Outputs) -> str:
    return json.dumps(schema_of(outputs), ensure_ascii=False)


@lru_cache(maxsize=256)
def _form_text(outputs: Outputs) -> str:
    return form_of(schema_of(outputs))
