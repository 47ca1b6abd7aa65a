"""What a chat template makes of a row: some delete the thought without a word, and some take no system message.

A template is what a model's tokenizer makes one text of messages with (Jinja, as `transformers` renders it). Its trainer
sees that text alone.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from programs.errors import UserError
from programs.exports.files import Row
from programs.exports.view import View

FAMILIES = {
    "Qwen3": (True, True),
    "DeepSeek-R1-Distill": (False, False),
    "Llama 3.1": (True, False),
    "Qwen2.5": (True, False),
    "Mistral 7B v0.3": (True, False),
    "Gemma 3": (True, False),
}
"""Whether the template that a family comes with keeps a thought between `<think>` tags, and one in `reasoning_content`."""

FILES = ("chat_template.jinja", "chat_template.json", "tokenizer_config.json")
"""Where models keep their template, and the tokens that it names."""
Messages = Sequence[Mapping[str, str]]


class Refused(Exception):
    """What a template says of messages that it does not take."""


class ChatTemplate:
    """A template by its `name`, which holds no path."""

    def __init__(self, name: str, source: str, tokens: Mapping[str, str] | None = None) -> None:
        """Raises `UserError` for what is no template."""
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"]
        )
        environment.filters["tojson"] = lambda value, **options: json.dumps(value, ensure_ascii=False, **options)
        environment.globals.update(
            {"bos_token": "", "eos_token": "", **(tokens or {})},
            raise_exception=_refuse,
            strftime_now=lambda form: datetime.now().strftime(form),
        )
        try:
            self._template = environment.from_string(source)
        except TemplateError as error:
            raise UserError(f"--chat-template: {name} is no chat template: {_line(error)}") from None
        self.name = name

    @classmethod
    def load(cls, named: str) -> "ChatTemplate":
        """The template of a file (Jinja, or a tokenizer's JSON), of a model's folder, or of a model of the Hub. Raises
        `UserError` where there is none."""
        path = Path(named)
        if path.is_file():
            found = {path.name if path.name in FILES or path.suffix == ".json" else FILES[0]: path}
        elif path.is_dir():
            found = {name: path / name for name in FILES if (path / name).is_file()}
        else:
            found = _of_the_hub(named)
        try:
            texts = {name: file.read_text(encoding="utf-8") for name, file in found.items()}
            said = {name: json.loads(text) for name, text in texts.items() if name.endswith(".json")}
            sources = [texts.get(FILES[0]), *(one.get("chat_template") for one in said.values())]
        except (OSError, ValueError, AttributeError) as error:
            raise UserError(f"--chat-template: cannot read {named}: {_line(error)}") from None
        source = next((source for source in map(_default, sources) if source), None)
        if source is None:
            raise UserError(f"--chat-template: {named} holds no chat template")
        values = {name: value for one in said.values() for name, value in one.items() if name.endswith("_token")}
        tokens = {name: value["content"] if isinstance(value, dict) else value for name, value in values.items()}
        name = path.resolve().name if path.exists() else named
        return cls(name, source, {name: token for name, token in tokens.items() if isinstance(token, str)})

    def render(self, messages: Messages, **options: Any) -> str:
        """The text that a trainer sees. Raises `Refused`."""
        try:
            return self._template.render(
                messages=messages, **{"tools": None, "add_generation_prompt": False, **options}
            )
        # Whatever Jinja's expressions may raise: the template is not ours.
        except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise Refused(_line(error)) from None

    def keeps(self, row: Row, view: View) -> bool:
        """Whether the rendered reply holds its whole thought, and then the answer. Raises `Refused`."""
        *prompt, reply = messages_of(row)
        thought, answer = view.parts_of(reply)
        text = self.render([*prompt, reply])
        return answer in text.removeprefix(self.render(prompt)).partition(thought)[2]

    def continues(self, row: Row) -> bool:
        """Whether the rendered row begins with what the model is given when it is to answer. Raises `Refused`."""
        *prompt, reply = messages_of(row)
        return self.render([*prompt, reply]).startswith(self.render(prompt, add_generation_prompt=True))


def messages_of(row: Row) -> Messages:
    """The whole conversation of a row of a format that has messages; of a pair the better one."""
    return cast("Messages", row.get("messages") or [*row["prompt"], *(row.get("completion") or row["chosen"])])


class Check(NamedTuple):
    """What a template makes of a row: the text (None: it refuses the row), and a sentence for the user."""

    text: str | None
    said: str


def check(template: ChatTemplate, view: View, row_of: Callable[[View], Row]) -> Check:
    """Renders the row that the options give, and where that loses the thought or is refused, tries what else could keep
    it."""
    text, row = None, row_of(view)
    try:
        text = template.render(messages_of(row))
        if template.keeps(row, view):
            odd = (
                ""
                if template.continues(row)
                else "; but it gives a model that is to answer another beginning than rows have"
            )
            return Check(text, f"the chat template of {template.name} keeps the thought{odd}")
        fault = "LOSES THE THOUGHT"
    except Refused as refused:
        fault = f"refuses the row ({refused})"
    helping = [words for words, other in _others(view) if _would_keep(template, other, row_of(other))]
    advice = f"with {helping[0]} it keeps it" if helping else "train with another template, one made for training"
    return Check(text, f"the chat template of {template.name} {fault}: {advice}")


def _others(view: View) -> list[tuple[str, View]]:
    """Other options that a template may keep the thought with, as the user would give them."""
    plain: dict[str, Any] = {"reasoning_field": None, "system_prompt": "message"}
    ways: dict[str, dict[str, Any]] = {
        "no --reasoning-field": {},
        "--reasoning-field reasoning_content": {"reasoning_field": "reasoning_content"},
        "--reasoning-field thinking": {"reasoning_field": "thinking"},
        "--system-prompt user": {"system_prompt": "user"},
        "--think-tag '<thinking>'": {"think_tag": "<thinking>"},
    }
    return [(words, view.model_copy(update=plain | way)) for words, way in ways.items()]


def _would_keep(template: ChatTemplate, view: View, row: Row) -> bool:
    try:
        return template.keeps(row, view) and template.continues(row)
    except Refused:
        return False


def _of_the_hub(model: str) -> dict[str, Path]:
    if model.count("/") != 1 or model.endswith((".jinja", ".json")):
        raise UserError(f"--chat-template: there is no file {model}, nor is it a model of the Hub (OWNER/NAME)")
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import (
            EntryNotFoundError,
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
        )
    except ImportError:
        said = f"--chat-template: there is no file {model}, and a model of the Hub needs huggingface_hub"
        raise UserError(f"{said}: pip install 'synthreasoner[export]'") from None
    found = {}
    for name in FILES:
        try:
            found[name] = Path(hf_hub_download(model, name))
        except EntryNotFoundError as error:
            if isinstance(error, LocalEntryNotFoundError):
                raise UserError(f"--chat-template: {model}: {_line(error)}") from None
        except (HfHubHTTPError, HFValidationError, OSError) as error:
            said = f"--chat-template: there is no file {model}, and the Hub gives no model of that name"
            raise UserError(f"{said}: {_line(error)}") from None
    return found


def _default(source: Any) -> str | None:
    """Of several templates the one that is used unless another is named."""
    if isinstance(source, list):
        return next((one["template"] for one in source if one.get("name") == "default"), None)
    return source if isinstance(source, str) else None


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


class _Generation(Extension):
    """`{% generation %}` marks what the model writes; here it changes nothing."""

    tags = {"generation"}  # noqa: RUF012 - as Jinja's extensions have it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)
