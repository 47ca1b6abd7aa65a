"""`synthreasoner COMMAND` or `python -m programs.command COMMAND`: every command of the project under one name. Each is a
module, imported only when it is called, which `python -m` can run as well."""

import importlib
import sys
from typing import NamedTuple

from programs.cli.options import Options, as_command, run_cli, suggestion
from programs.errors import UserError
from programs.versions import NAME, version_of


class Command(NamedTuple):
    """A command: the module with its `main`, the name of its options class there, and a description in a few words."""

    module: str
    options: str
    summary: str

    def options_class(self) -> type[Options]:
        options: type[Options] = getattr(importlib.import_module(self.module), self.options)
        return options


COMMANDS = {
    "generate": Command("programs.generate", "Settings", "make reasoning training data from texts"),
    "compile": Command("optimize.compile", "CompileSettings", "tune the prompts to a model and texts"),
    "export": Command("programs.export", "ExportOptions", "export traces in the formats that trainers load"),
    "report": Command("programs.report", "ReportOptions", "show a document as an HTML page"),
    "prove": Command("programs.prove", "ProveOptions", "find out whether the data trains"),
    "merge": Command("programs.merge", "MergeOptions", "merge the journals and documents of several runs"),
    "document": Command("programs.document", "DocumentOptions", "write the document again from its journal"),
    "models": Command("programs.models", "ModelsOptions", "show, fetch or remove the built-in models"),
    "schema": Command("programs.schema", "SchemaOptions", "print the JSON Schema of the document"),
    "completion": Command("programs.completion", "CompletionOptions", "print a completion script for a shell"),
}

HELP = f"""usage: {NAME} COMMAND [options]

Reasoning training data from scientific text.

{chr(10).join(f"  {name:<12}{command.summary}" for name, command in COMMANDS.items())}

{NAME} COMMAND --help shows the options of a command; {NAME} --version shows the version."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command named by the first argument, with the remaining arguments. Raises `UserError` if it is unknown."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if name in ("", "-h", "--help"):
        print(HELP)
        return 0 if name else 2
    if name == "--version":
        print(f"{NAME} {version_of() or '(a checkout that is not installed)'}")
        return 0
    if name not in COMMANDS:
        raise UserError(f"{name!r} is not a command{suggestion(name, COMMANDS)} (see --help)")
    with as_command(f"{NAME} {name}"):
        code: int = importlib.import_module(COMMANDS[name].module).main(rest)
    return code


def entry_point() -> None:
    """The entry point of the installed script."""
    run_cli(main)


if __name__ == "__main__":
    entry_point()
