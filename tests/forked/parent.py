"""`python -m tests.forked.parent FD`: has imported what commands import, and forks a process for each that it is to start.

A process of its own, and not the tests' process: that one's servers run in threads, which no fork survives. What it starts
is a Python process like any other: it has its own pid, environment, folder and streams, and ends by itself, exit handlers
included. The socket FD brings orders, each with the descriptors of stdout, of stderr, and of a pipe for what becomes of
the process: its pid, then its exit code (of a signal: less than 0), a line each.
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
    """A command, `python -m module *arguments`. `largest_file` are the bytes beyond which the system lets no file grow."""

    module: str
    arguments: list[str]
    env: dict[str, str]
    cwd: Path
    largest_file: int | None = None


def main(control: socket.socket) -> None:
    """Forks until the other end is closed. Returns then, and in each process that is to become a command."""
    for module in (*COMMANDS, *LAZY):
        import_module(module)
    gc.freeze()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, LONGEST, 3)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            break
        os.waitpid(pid, 0)
        for descriptor in descriptors:
            os.close(descriptor)
    stdout, stderr, fate = descriptors
    # Twice, so that the one in between waits for the command while the parent takes the next order.
    if os.fork():
        os._exit(0)
    pid = os.fork()
    if pid:
        watch(pid, fate, (stdout, stderr, 2))
    os.close(fate)
    become(Order.model_validate_json(message), stdout, stderr)


def watch(pid: int, fate: int, others: tuple[int, ...]) -> None:
    """Tells what becomes of a process, and ends with it."""
    for descriptor in others:
        os.close(descriptor)
    os.write(fate, b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    os.write(fate, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def become(order: Order, stdout: int, stderr: int) -> None:
    """Makes this process the command's."""
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.close(stdout)
    os.close(stderr)
    os.environ.clear()
    os.environ.update(order.env)
    os.chdir(order.cwd)
    if order.largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.largest_file, order.largest_file))
    sys.argv = [order.module, *order.arguments]
    run_cli(import_module(order.module).main)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
