"""The process in which documents are read, one at a time: what a hostile or damaged file does to it, it does to nothing
else.

Standard input: a line of JSON (`format`, `size`, `seconds`), then so many bytes; standard output: one line of JSON for
each, `paper`, or `reason` and `detail`. It ends with its input, and is ended by a signal where a document takes too
long.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any, BinaryIO

from programs.inputs.formats.paper import DAMAGED, Unreadable
from programs.inputs.formats.table import FORMATS, reader_of

TOO_LARGE = "a document that takes too much memory to read"
MEMORY = 4 * 2**30
"""Bytes of address space. Papers take a tenth of it."""


def main() -> int:
    # What libraries print must not come between the lines.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _bound_memory()
    for line in iter(sys.stdin.buffer.readline, b""):
        asked = json.loads(line)
        answers.write(json.dumps(_answer(asked, sys.stdin.buffer)).encode() + b"\n")
        answers.flush()
    return 0


def _answer(asked: dict[str, Any], source: BinaryIO) -> dict[str, Any]:
    data = source.read(asked["size"])
    # An alarm that nothing handles ends the process, even within C.
    signal.alarm(asked["seconds"])
    try:
        paper = reader_of(FORMATS[asked["format"]])(data)
        return {"paper": paper.model_dump(mode="json")}
    except Unreadable as problem:
        return {"reason": str(problem), "detail": repr(problem.__cause__)}
    except MemoryError:
        return {"reason": TOO_LARGE, "detail": "MemoryError"}
    except Exception as error:
        # Readers raise all sorts of things over damaged files; whatever it was, the file is the reason.
        return {"reason": DAMAGED, "detail": repr(error)}
    finally:
        signal.alarm(0)


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    bound = MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most)
    resource.setrlimit(resource.RLIMIT_AS, (bound, most))


if __name__ == "__main__":
    sys.exit(main())
