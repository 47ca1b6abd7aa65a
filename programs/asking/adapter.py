"""The DSPy adapter: turns a signature, its demonstrations and its inputs into messages, and parses the reply.

`PassageFirstAdapter` starts every prompt with the parts that calls share, byte for byte: a constant system message, the
passage and the question. The stage's instructions, the descriptions of its inputs, the form of the reply, its
demonstrations and other inputs follow. A server with a prefix cache then processes a passage once, not once per stage.
Demonstrations are part of the single user message, without their passages, so that every chat template accepts the roles.
"""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from programs.asking.reading import NO_OBJECT, UnreadableFields, read_reply
from programs.asking.schema import Outputs, cached, enforced_schema, form_of, outputs_of, strict_schema
from programs.text.injection import escape_markers
from signatures.prompt import EXAMPLE, FORM, GIVEN, PREAMBLE, RETRY_INPUTS, SCHEMA
from signatures.thought import PlainText

SHARED_FIELDS = ("passage", "question", "asked_by")
ADAPTER_VERSION = 2

Messages = list[dict[str, str]]
Completions = list[dict[str, Any]]

# Whether the server enforces the schema of the call being formatted. Set before `format`, which is not given the LM.
_schema_enforced: ContextVar[bool] = ContextVar("schema_enforced", default=False)


class UnreadableReply(AdapterParseError):
    """A reply that cannot be read. `faults` are told to the model that wrote it; `cut`: the reply stops in the middle."""

    def __init__(self, signature: Any, completion: str, faults: list[str], cut: bool) -> None:
        super().__init__("PassageFirstAdapter", signature, completion, message="\n".join(faults))
        self.faults = faults
        self.cut = cut


class PassageFirstAdapter(dspy.Adapter):
    """A JSON adapter that orders the prompt for prefix caches and returns the values of the signature's output fields.

    If the server enforces the schema, the prompt shows a short form with the descriptions; otherwise it contains the whole
    JSON schema. Replies are read leniently (`programs.asking.reading`); raises `UnreadableReply` for a reply without a
    whole JSON object of the requested form. A signature whose output is a `PlainText` is sent as its inputs alone, and its
    reply is returned as it is.
    """

    def __call__(self, lm: Any, lm_kwargs: dict[str, Any], signature: Any, *rest: Any, **named: Any) -> Completions:
        try:
            return super().__call__(lm, _with_format(lm, lm_kwargs, signature), signature, *rest, **named)  # type: ignore[no-any-return]
        except AdapterParseError as error:
            raise _own_error(error, signature) from None

    async def acall(self, lm: Any, lm_kwargs: dict[str, Any], signature: Any, *rest: Any, **named: Any) -> Completions:
        try:
            return await super().acall(lm, _with_format(lm, lm_kwargs, signature), signature, *rest, **named)  # type: ignore[no-any-return]
        except AdapterParseError as error:
            raise _own_error(error, signature) from None

    def format(self, signature: Any, demos: list[dict[str, Any]], inputs: dict[str, Any]) -> Messages:
        descriptions = _descriptions(signature)
        given = {name: inputs[name] for name in descriptions if inputs.get(name) is not None}
        if _is_plain(signature):
            # The bare texts, as a person would type them.
            return [{"role": "user", "content": "\n\n".join(map(escape_markers, given.values()))}]
        form = _render_form(outputs_of(signature), _schema_enforced.get())
        first_inputs = [name for name in given if name not in RETRY_INPUTS]
        listed = "\n".join([GIVEN, *[f"- {name}: {descriptions[name]}" for name in first_inputs]])
        task = [signature.instructions, listed, form, *(_render_demonstration(signature, demo) for demo in demos)]
        fields = _render_fields(given)
        # A re-ask only appends to the first prompt, which the prefix cache still holds.
        fields |= {
            name: f"{descriptions[name].capitalize()}:\n\n{fields[name]}" for name in given if name in RETRY_INPUTS
        }
        own_fields = [block for name, block in fields.items() if name not in SHARED_FIELDS]
        user = [*(fields[name] for name in SHARED_FIELDS if name in fields), *task, *own_fields]
        return [{"role": "system", "content": PREAMBLE}, {"role": "user", "content": "\n\n".join(user)}]

    def parse(self, signature: Any, completion: str) -> dict[str, Any]:
        outputs = outputs_of(signature)
        if _is_plain(signature):
            return {outputs[0][0]: PlainText(completion.strip())}
        try:
            return read_reply(completion, outputs)
        except UnreadableFields as error:
            raise UnreadableReply(signature, completion, error.faults, error.cut) from error


def _with_format(lm: Any, options: dict[str, Any], signature: Any) -> dict[str, Any]:
    """The options of a call, with a `response_format` if the LM accepts one."""
    takes_format = not _is_plain(signature) and "response_format" in lm.supported_params
    _schema_enforced.set(takes_format and bool(lm.supports_response_schema))
    if not takes_format:
        return options
    response_format = _response_format(outputs_of(signature)) if _schema_enforced.get() else {"type": "json_object"}
    return {**options, "response_format": response_format}


def _own_error(error: AdapterParseError, signature: Any) -> UnreadableReply:
    """The error as an `UnreadableReply`. DSPy itself raises another for a reply without text, before it is parsed."""
    return error if isinstance(error, UnreadableReply) else UnreadableReply(signature, "", [NO_OBJECT], cut=False)


def _is_plain(signature: Any) -> bool:
    return outputs_of(signature)[0][1] is PlainText


def _render_fields(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"[[ ## {name} ## ]]\n{escape_markers(_render(value))}" for name, value in values.items()}


def _render(value: Any) -> str:
    """A value as the prompt shows it: text unchanged, anything else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=lambda part: part.model_dump(mode="json"))


def _render_demonstration(signature: Any, demo: dict[str, Any]) -> str:
    given = {name: demo[name] for name in _descriptions(signature) if name != "passage" and demo.get(name) is not None}
    reply = {name: demo[name] for name, _ in outputs_of(signature) if name in demo}
    return "\n\n".join([EXAMPLE, *_render_fields(given).values(), _render(reply)])


@cached
def _descriptions(signature: Any) -> dict[str, str]:
    """The descriptions of the inputs by name."""
    return {name: info.json_schema_extra["desc"] for name, info in signature.input_fields.items()}


@cached
def _response_format(outputs: Outputs) -> dict[str, Any]:
    schema = enforced_schema(outputs)
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema, "strict": True}}


@cached
def _render_form(outputs: Outputs, enforced: bool) -> str:
    schema = strict_schema(outputs)
    return f"{FORM}\n{form_of(schema)}" if enforced else f"{SCHEMA}\n{json.dumps(schema, ensure_ascii=False)}"
