"""Print a script that completes commands, options, their known values, and files in a shell.

synthreasoner completion bash > ~/.local/share/bash-completion/completions/synthreasoner
"""

import argparse
from typing import ClassVar, Literal

import shtab
from pydantic import Field

from programs.cli.options import Options, parse, parser_of, run_cli
from programs.cli.terminal import print_result
from programs.command import COMMANDS
from programs.versions import NAME


class CompletionOptions(Options):
    """Options of `synthreasoner completion`."""

    leading: ClassVar[str] = "shell"

    shell: Literal["bash", "zsh", "fish"] = Field(description="the shell to complete commands in")


def main(arguments: list[str] | None = None) -> int:
    options = parse(CompletionOptions, arguments, __doc__)
    print_result(script(options.shell))
    return 0


def script(shell: str) -> str:
    """The completion script for a shell. It contains all words, so that nothing of the project runs on Tab."""
    root = argparse.ArgumentParser(prog=NAME)
    root.add_argument("--version", action="store_true", help="show the version")
    commands = root.add_subparsers(dest="command")
    for name, command in COMMANDS.items():
        model = command.options_class()
        parser = parser_of(model)
        if model.leading:
            first = next(action for action in parser._actions if action.dest == model.leading)
            parser.add_argument(
                f"_{model.leading}", nargs="*", choices=first.choices, metavar=first.metavar, help=first.help
            )
        for action in parser._actions:
            # After an option with several values, the scripts would offer only values and no further options.
            action.nargs = None if action.nargs == "+" else action.nargs
            if action.metavar in ("PATH", "FILE"):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
        commands.add_parser(name, help=command.summary, parents=[parser], add_help=False)
    text: str = shtab.complete(root, shell)
    return text


if __name__ == "__main__":
    run_cli(main)
