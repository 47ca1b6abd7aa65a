"""The `.env` file of the working folder: environment variables, such as credentials, for the commands of this project."""

import io
import os
from pathlib import Path

from programs.errors import UserError


def load_env_file(path: Path = Path(".env")) -> None:
    """Sets the variables of the file that the environment does not have yet. Where there is none, or a folder has its name
    (a virtual environment, say), nothing happens; the folders above are not looked at.

    Raises `UserError`, without a word of its content, for a file that cannot be read or understood.
    """
    if not os.path.lexists(path) or path.is_dir():
        return
    # Only where there is such a file: every command would pay for it.
    from dotenv import load_dotenv
    from dotenv.parser import parse_stream

    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} cannot be read: it is not UTF-8 text") from None
    for part in parse_stream(io.StringIO(text)):
        lacking = part.key is not None and part.value is None
        if part.error or lacking or "\0" in part.original.string:
            raise UserError(f"{path}: line {part.original.line} is not NAME=value")
    load_dotenv(stream=io.StringIO(text), override=False)
