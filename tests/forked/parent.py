"""`python -m tests.forked.parent FD`: has imported what commands import, and forks a process for each that it is to start.

A process of its own, and not the tests' process: that one's servers run in threads, which no fork survives. What it starts
is a Python process like any other: it has its own pid, environment, folder and streams, and ends by itself, exit handlers
included. The socket FD brings orders, each with the descriptor of a pipe for what becomes of the process: its pid, then its
exit code (of a signal: less than 0), a line each.
"""

import gc
import os
import resource
import socket
import sys
from importlib import import_module
from pathlib import Path

from pydantic import BaseModel

from programs.cli.options import run_cli

COMMANDS = ("programs.generate", "optimize.compile", "programs.merge")
LAZY = ("dspy", "programs.tracer", "optuna")
"""What commands import when they need it, and is slow to come."""
LONGEST = 1 << 17
"""Bytes of an order: one message of a sequenced socket."""


class Order(BaseModel):
    """A command, `python -m module *arguments`, and the files that its streams go to. `largest_file` are the bytes beyond
    which the system lets no file grow."""

    module: str
    arguments: list[str]
    env: dict[str, str]
    cwd: Path
    stdout: Path
    stderr: Path
    largest_file: int | None = None


def main(control: socket.socket) -> None:
    """Forks until the other end is closed. Returns then, and in each process that is to become a command."""
    for module in (*COMMANDS, *LAZY):
        import_module(module)
    gc.freeze()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, LONGEST, 1)
        if not message:
            return
        [fate] = descriptors
        pid = os.fork()
        if pid == 0:
            control.close()
            break
        os.waitpid(pid, 0)
        os.close(fate)
    # Twice, so that the one in between waits for the command while the parent takes the next order.
    if os.fork():
        os._exit(0)
    pid = os.fork()
    if pid:
        watch(pid, fate)
    os.close(fate)
    become(Order.model_validate_json(message))


def watch(pid: int, fate: int) -> None:
    """Tells what becomes of a process, and ends with it."""
    os.write(fate, b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    os.write(fate, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def become(order: Order) -> None:
    """Makes this process the command's."""
    for stream, path in ((1, order.stdout), (2, order.stderr)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), stream)
    os.environ.clear()
    os.environ.update(order.env)
    os.chdir(order.cwd)
    if order.largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.largest_file, order.largest_file))
    sys.argv = [order.module, *order.arguments]
    run_cli(import_module(order.module).main)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
