"""The arms that are done, as JSON lines: the first says of what, and each other is a result. A run that was killed goes on
with the arm that it was at; a torn last line is cut off."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from programs.errors import JournalError, UserError
from programs.files import cut_torn_line
from programs.proving.training import ArmResult

NAME = "arms.jsonl"


class ArmJournal:
    """The file in a folder. `settings` are what the results depend on. Raises `UserError` where those of the file differ,
    naming them, and `JournalError` where it cannot be read or written."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.path, self.done = folder / NAME, list[ArmResult]()
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                cut_torn_line(file)
            finally:
                os.close(file)
            head, *lines = [orjson.loads(line) for line in self.path.read_bytes().splitlines()] or [None]
            if head is None:
                self._append({"settings": dict(settings)})
                return
            self._check(head["settings"], settings)
            self.done = [ArmResult.model_validate(line) for line in lines]
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror or error}") from error
        except (orjson.JSONDecodeError, ValidationError, KeyError, TypeError) as error:
            raise JournalError(
                f"{self.path} is damaged: {str(error).splitlines()[0]}; --no-resume begins anew"
            ) from None

    def _check(self, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
        unlike = sorted(name for name in {*theirs, *ours} if theirs.get(name) != ours.get(name))
        if unlike:
            raise UserError(
                f"{self.path} holds arms of another {', '.join(unlike)}: name another --output, or begin anew (--no-resume)"
            )

    def add(self, result: ArmResult) -> None:
        """Writes a result, and to the disk."""
        self._append(result.model_dump(mode="json"))
        self.done.append(result)

    def _append(self, line: Mapping[str, Any]) -> None:
        with self.path.open("ab") as file:
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            file.flush()
            os.fsync(file.fileno())
