"""The DSPy adapter: how a signature, its demonstrations and its inputs become messages.

`PassageFirstAdapter` puts what calls share first, byte for byte: a constant system message, then the passage, then
the question; only then the stage's instructions, what its inputs are, its demonstrations and its other inputs. A server
with a prefix cache then reads a passage once instead of once a stage. Demonstrations stand inside the one user message,
without their passages, so that every chat template takes the roles as they are.
"""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from programs.asking.reading import NO_OBJECT, Misread, read
from programs.asking.schema import Outputs, cached, enforced_schema, form_of, outputs_of, schema_of
from programs.text.injection import escape_markers
from signatures.prompt import EXAMPLE, FORM, GIVEN, PREAMBLE, RETRY_INPUTS, SCHEMA
from signatures.thought import PlainText

SHARED_FIELDS = ("passage", "question", "asked_by")
ADAPTER_VERSION = 2

Messages = list[dict[str, str]]
Completions = list[dict[str, Any]]

# Whether the server of the call being formatted enforces schemas; set where DSPy hands us the LM.
_enforced: ContextVar[bool] = ContextVar("schema_enforced", default=False)


class NotAsAsked(AdapterParseError):
    """A reply that cannot be read. `faults` are for whoever wrote it; `cut`: it stops in the middle."""

    def __init__(self, signature: Any, completion: str, faults: list[str], cut: bool) -> None:
        super().__init__("PassageFirstAdapter", signature, completion, message="\n".join(faults))
        self.faults = faults
        self.cut = cut


class PassageFirstAdapter(dspy.Adapter):
    """A JSON adapter that orders the prompt for prefix caches. Its output is that of its signature's fields.

    Where the server enforces the schema the prompt shows a short form with the descriptions; elsewhere it carries the
    whole JSON schema. What comes back is read as it was meant; raises `NotAsAsked` for a reply that is not one whole JSON
    object of the asked form. A signature whose output is a `PlainText` is sent as its inputs alone, and its reply is taken
    as it stands.
    """

    def __call__(self, lm: Any, lm_kwargs: dict[str, Any], signature: Any, *rest: Any, **named: Any) -> Completions:
        try:
            return super().__call__(lm, _options(lm, lm_kwargs, signature), signature, *rest, **named)  # type: ignore[no-any-return]
        except AdapterParseError as error:
            raise _ours(error, signature) from None

    async def acall(self, lm: Any, lm_kwargs: dict[str, Any], signature: Any, *rest: Any, **named: Any) -> Completions:
        try:
            return await super().acall(lm, _options(lm, lm_kwargs, signature), signature, *rest, **named)  # type: ignore[no-any-return]
        except AdapterParseError as error:
            raise _ours(error, signature) from None

    def format(self, signature: Any, demos: list[dict[str, Any]], inputs: dict[str, Any]) -> Messages:
        known = _inputs(signature)
        given = {name: inputs[name] for name in known if inputs.get(name) is not None}
        if _is_plain(signature):
            # As a person would type them.
            return [{"role": "user", "content": "\n\n".join(map(escape_markers, given.values()))}]
        form = _form(outputs_of(signature), _enforced.get())
        first = [name for name in given if name not in RETRY_INPUTS]
        shown = "\n".join([GIVEN, *[f"- {name}: {known[name]}" for name in first]])
        task = [signature.instructions, shown, form, *(_demonstration(signature, demo) for demo in demos)]
        fields = _fields(given)
        # A further try begins as the first one did, up to its end: a prefix cache holds that.
        fields |= {name: f"{known[name].capitalize()}:\n\n{fields[name]}" for name in given if name not in first}
        own = [block for name, block in fields.items() if name not in SHARED_FIELDS]
        user = [*(fields[name] for name in SHARED_FIELDS if name in fields), *task, *own]
        return [{"role": "system", "content": PREAMBLE}, {"role": "user", "content": "\n\n".join(user)}]

    def parse(self, signature: Any, completion: str) -> dict[str, Any]:
        outputs = outputs_of(signature)
        if _is_plain(signature):
            return {outputs[0][0]: PlainText(completion.strip())}
        try:
            return read(completion, outputs)
        except Misread as error:
            raise NotAsAsked(signature, completion, error.faults, error.cut) from error


def _options(lm: Any, given: dict[str, Any], signature: Any) -> dict[str, Any]:
    """The options of a call, with the format of the reply where the LM takes one."""
    takes_format = not _is_plain(signature) and "response_format" in lm.supported_params
    _enforced.set(takes_format and bool(lm.supports_response_schema))
    if not takes_format:
        return given
    form = _response_format(outputs_of(signature)) if _enforced.get() else {"type": "json_object"}
    return {**given, "response_format": form}


def _ours(error: AdapterParseError, signature: Any) -> NotAsAsked:
    """DSPy itself refuses a reply without text, before it is parsed."""
    return error if isinstance(error, NotAsAsked) else NotAsAsked(signature, "", [NO_OBJECT], cut=False)


def _is_plain(signature: Any) -> bool:
    return outputs_of(signature)[0][1] is PlainText


def _fields(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"[[ ## {name} ## ]]\n{escape_markers(_shown(value))}" for name, value in values.items()}


def _shown(value: Any) -> str:
    """A value as the prompt shows it: text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=lambda part: part.model_dump(mode="json"))


def _demonstration(signature: Any, demo: dict[str, Any]) -> str:
    given = {name: demo[name] for name in _inputs(signature) if name != "passage" and demo.get(name) is not None}
    reply = {name: demo[name] for name, _ in outputs_of(signature) if name in demo}
    return "\n\n".join([EXAMPLE, *_fields(given).values(), _shown(reply)])


@cached
def _inputs(signature: Any) -> dict[str, str]:
    """The names of the inputs with their descriptions."""
    return {name: info.json_schema_extra["desc"] for name, info in signature.input_fields.items()}


@cached
def _response_format(outputs: Outputs) -> dict[str, Any]:
    schema = enforced_schema(outputs)
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema, "strict": True}}


@cached
def _form(outputs: Outputs, enforced: bool) -> str:
    schema = schema_of(outputs)
    return f"{FORM}\n{form_of(schema)}" if enforced else f"{SCHEMA}\n{json.dumps(schema, ensure_ascii=False)}"
