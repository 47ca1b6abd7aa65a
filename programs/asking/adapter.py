"""The DSPy adapter: how a signature, its demonstrations and its inputs become messages.

`PassageFirstAdapter` puts what calls share first, byte for byte: a constant system message, then the passage, then
the question; only then the stage's instructions, its demonstrations and its other inputs. A server with a prefix
cache then reads a passage once instead of once a stage. Demonstrations stand inside the one user message, without
their passages, so that every chat template takes the roles as they are.

What comes back is parsed strictly: a JSON text that stops in the middle is a failed answer, never half a one.
"""

import json
import math
import re
from collections.abc import Sequence
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import dspy
from dspy.adapters.utils import parse_value
from dspy.utils.exceptions import AdapterParseError
from pydantic import BaseModel, ValidationError

from programs.asking.json_schema import Outputs, form_of, outputs_of, schema_of
from programs.checks.injection import escape_markers
from signatures.own_thought import PlainText
from signatures.preamble import EXAMPLE, FORM, PREAMBLE, SCHEMA

SHARED_FIELDS = ("passage", "question", "asked_by")
ADAPTER_VERSION = 1

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
        fields = whole_object(completion)
        if fields is None:
            raise self._unreadable(signature, completion, "The reply is not one whole JSON object.")
        missing = [name for name, _ in outputs if name not in fields]
        if missing:
            raise self._unreadable(signature, completion, f"The reply lacks {', '.join(missing)}.")
        try:
            return {name: _typed(fields[name], annotation) for name, annotation in outputs}
        except ValueError as error:
            raise self._unreadable(signature, completion, f"The reply has another form: {_reasons(error)}") from error

    def _unreadable(self, signature: Any, completion: str, why: str) -> AdapterParseError:
        return AdapterParseError(
            adapter_name=type(self).__name__, signature=signature, lm_response=completion, message=why
        )


class StockOrderAdapter(PassageFirstAdapter):
    """The same form and parsing with DSPy's usual order: instructions and demonstrations first, the passage last."""

    def format(self, signature: Any, demos: list[dict[str, Any]], inputs: dict[str, Any]) -> list[dict[str, str]]:
        if _is_plain(signature):
            return _plain_messages(signature, inputs)
        head = [PREAMBLE, signature.instructions, self._form(signature)]
        head += [_demonstration(signature, demo) for demo in demos]
        return [
            {"role": "system", "content": "\n\n".join(head)},
            {"role": "user", "content": "\n\n".join(_fields(_inputs(signature), inputs))},
        ]


def adapter_for(prompt_order: str) -> PassageFirstAdapter:
    """The adapter that `--prompt-order` names: passage-first or stock."""
    return PassageFirstAdapter() if prompt_order == "passage-first" else StockOrderAdapter()


def whole_object(completion: str) -> dict[str, Any] | None:
    """The JSON object in `completion`, with or without a fence or words around it; None if there is no whole one."""
    start = completion.find("{")
    if start < 0:
        return None
    try:
        value, _ = _DECODER.raw_decode(_double_backslashes(completion[start:]))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _int(digits: str) -> int | None:
    return int(digits) if len(digits) <= 18 else None


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


# Numbers that the journal could not write are none: NaN, infinities, and more digits than 64 bits hold.
_DECODER = json.JSONDecoder(strict=False, parse_int=_int, parse_float=_float, parse_constant=lambda _: None)


def _typed(value: Any, annotation: Any) -> Any:
    # DSPy repairs an object that is written as a string, also one that stops in the middle.
    if isinstance(value, str) and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        value = whole_object(value)
    return parse_value(value, annotation)


# Models write LaTeX inside JSON strings with single backslashes: \sigma is no JSON escape, and \beta or \tau are read
# as a backspace or a tab. Backspaces and form feeds never occur in prose, tabs before these letters neither.
_STRAY = re.compile(
    r"(?P<pairs>(?:\\\\)+)"
    r"|\\(?![\"\\/bfnrtu])"
    r"|\\(?=[bf][a-zA-Z])"
    r"|\\(?=(?:t(?:au|heta|imes|ext(?:rm|bf|it)?|ilde|o|an)|n(?:u|abla|eq)|r(?:ho|ight(?:arrow)?|angle|m))(?![a-z]))"
    r"|\\(?=u(?![0-9a-fA-F]{4}))"
)


def _reasons(error: ValueError) -> str:
    """What is wrong, without the reply's own words: the reason goes into the next prompt."""
    if not isinstance(error, ValidationError):
        return type(error).__name__
    details = error.errors(include_input=False, include_url=False)[:4]
    return "; ".join(f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in details)


def _double_backslashes(text: str) -> str:
    return _STRAY.sub(lambda match: match.group() if match.group("pairs") else "\\\\", text)


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
def _inputs(signature: Any) -> tuple[str, ...]:
    return tuple(signature.input_fields)


@lru_cache(maxsize=256)
def _response_format(outputs: Outputs) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "json_schema": {"name": "reply", "schema": schema_of(outputs), "strict": True},
    }


@lru_cache(maxsize=256)
def _schema_text(outputs: Outputs) -> str:
    return json.dumps(schema_of(outputs), ensure_ascii=False)


@lru_cache(maxsize=256)
def _form_text(outputs: Outputs) -> str:
    return form_of(schema_of(outputs))
