"""What a chat template makes of a row: some delete the thought without a word, and some take no system message.

A template (Jinja, as `transformers` renders it) makes one text of messages, which is all that a trainer sees.
"""

import contextlib
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

FILES = ("chat_template.jinja", "chat_template.json", "tokenizer_config.json")
"""Where models keep their template, and the tokens that it names."""
OTHER_OPTIONS: dict[str, dict[str, Any]] = {
    "no --reasoning-field": {},
    "--reasoning-field reasoning_content": {"reasoning_field": "reasoning_content"},
    "--reasoning-field thinking": {"reasoning_field": "thinking"},
    "--system-prompt user": {"system_prompt": "user"},
    "--think-tag '<thinking>'": {"think_tag": "<thinking>"},
}
"""What a template may keep the thought with, in a user's words and as options."""
KEEPS = "keeps the thought"
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
    def load(cls, path: Path) -> "ChatTemplate":
        """The template in a file (Jinja, or a tokenizer's JSON) or a model's folder. Raises `UserError` without one."""
        files = [path / name for name in FILES if (path / name).is_file()] if path.is_dir() else [path]
        sources: list[str | None] = []
        tokens: dict[str, str] = {}
        try:
            for file in files:
                text = file.read_text(encoding="utf-8")
                said = json.loads(text) if file.suffix == ".json" else {"chat_template": text}
                sources.append(_default(said.get("chat_template")))
                for name, value in said.items():
                    token = value.get("content") if isinstance(value, dict) else value
                    if name.endswith("_token") and isinstance(token, str):
                        tokens[name] = token
        except (OSError, ValueError, AttributeError) as error:
            raise UserError(f"--chat-template: cannot read {path}: {_line(error)}") from None
        source = next(filter(None, sources), None)
        if source is None:
            raise UserError(f"--chat-template: {path} holds no chat template")
        return cls(path.resolve().name, source, tokens)

    def render(self, messages: Messages, **options: Any) -> str:
        """The text that a trainer sees. Raises `Refused`."""
        try:
            return self._template.render(
                messages=messages, **{"tools": None, "add_generation_prompt": False, **options}
            )
        # Whatever Jinja's expressions may raise: the template is not ours.
        except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise Refused(_line(error)) from None

    def said_of(self, row: Row, view: View) -> str:
        """Whether the rendered reply holds its whole thought, and then the answer, in words."""
        *prompt, reply = messages_of(row)
        thought, answer = view.parts_of(reply)
        try:
            text = self.render([*prompt, reply])
            if answer not in text.removeprefix(self.render(prompt)).partition(thought)[2]:
                return "LOSES THE THOUGHT"
            begins = text.startswith(self.render(prompt, add_generation_prompt=True))
            return (
                KEEPS if begins else f"{KEEPS}; but it gives a model that is to answer another beginning than rows have"
            )
        except Refused as refused:
            return f"refuses the row ({refused})"


def messages_of(row: Row) -> Messages:
    """The whole conversation of a row of a format that has messages; of a pair the better one."""
    return cast("Messages", row.get("messages") or [*row["prompt"], *(row.get("completion") or row["chosen"])])


class Check(NamedTuple):
    """What a template makes of a row: the text (None: it refuses the row), and a sentence for the user."""

    text: str | None
    said: str


def check(template: ChatTemplate, view: View, row_of: Callable[[View], Row]) -> Check:
    """Renders the row that the options give, and if that loses the thought or is refused, tries what could keep it."""
    text, row = None, row_of(view)
    with contextlib.suppress(Refused):
        text = template.render(messages_of(row))
    found = template.said_of(row, view)
    said = f"the chat template of {template.name} {found}"
    if found.startswith(KEEPS):
        return Check(text, said)
    for words, options in OTHER_OPTIONS.items():
        other = view.model_copy(update={"reasoning_field": None, "system_prompt": "message", **options})
        if template.said_of(row_of(other), other) == KEEPS:
            return Check(text, f"{said}: with {words} it keeps it")
    return Check(text, f"{said}: train with another template, one made for training")


def _default(source: Any) -> str | None:
    """Of several templates the one that is used unless another is named."""
    if isinstance(source, list):
        source = next((one.get("template") for one in source if one.get("name") == "default"), None)
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
