"""The reference of the docs, made from the code: every command with its options.

`python -m tests.reference` writes docs/reference.md; `tests/test_docs.py` fails where it is not what the code says.
"""

import argparse
import re
from pathlib import Path

from programs.cli.options import parser_of
from programs.command import COMMANDS, Command

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference.md"

HEAD = """# Reference

Made from the code by `python -m tests.reference`. Every command takes `--help`, `--config FILE` and `--print-config`
([configuration](configuration.md)); what is marked *config* stands in config files only.
"""


def page() -> str:
    """The whole reference as Markdown."""
    return "\n".join([HEAD, *(section(name, command) for name, command in COMMANDS.items())])


def section(name: str, command: Command) -> str:
    """One command."""
    model = command.settings()
    parser = parser_of(model)
    words = f" {model.leading.upper()}" if model.leading else ""
    called = f"`synthreasoner {name}{words} [options]`, or `python -m {command.module}`"
    lines = [f"## {name}", "", f"{called}: {command.what}.", ""]
    for group in parser._action_groups:
        actions = [action for action in group._group_actions if action.dest not in ("help", "config", "print_config")]
        if actions:
            lines += [f"**{group.title}**", "", "| option | |", "|---|---|", *map(row, actions), ""]
    shown = {action.dest for action in parser._actions}
    for field in (field for field in model.model_fields if field not in shown):
        lines += [f"*config*: `{field}`: {model.model_fields[field].description}", ""]
    return "\n".join(lines)


def row(action: argparse.Action) -> str:
    """One option."""
    taken = "\\|".join(map(str, action.choices)) if action.choices else action.metavar
    names = ", ".join(f"`{option}`" for option in action.option_strings)
    said = re.sub(r"\s+", " ", (action.help or "").replace("%%", "%")).replace("|", "\\|")
    return f"| {names}{f' {taken}' if taken and action.nargs != 0 else ''} | {said} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
