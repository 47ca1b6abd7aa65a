"""One line of bytes to one JSON object, or the reason why not."""

from __future__ import annotations

import json
import math
from typing import Any

from programs.errors import SynthReasonerError
from programs.inputs.cleaning import replace_surrogates
from programs.inputs.report import BAD_UTF8, NESTED_TOO_DEEP, NOT_AN_OBJECT, NOT_JSON

MAX_DEPTH = 100
"""Levels of nesting. Deeper values can be read, but the fast JSON writers refuse them from about 250 on."""
_INT64 = range(-(2**63), 2**63)


class BadLine(SynthReasonerError):
    """The line holds no record; the message is one of the reasons of report.py."""


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object on a line, made of values that every JSON writer takes.

    Where JSON in the wild goes beyond the standard: control characters within strings are allowed, NaN and infinite
    numbers are null (pandas writes them for what is missing), the last of equal keys counts, whole numbers beyond 64
    bits become strings of their digits, lone surrogates become U+FFFD. Raises BadLine.
    """
    try:
        line = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadLine(BAD_UTF8) from error
    try:
        value = _DECODER.decode(line)
        record = _portable(value, MAX_DEPTH)
    except RecursionError as error:
        raise BadLine(NESTED_TOO_DEEP) from error
    except ValueError as error:
        raise BadLine(NOT_JSON) from error
    if not isinstance(record, dict):
        raise BadLine(NOT_AN_OBJECT)
    return record


def _portable(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return replace_surrogates(value)
    if isinstance(value, dict | list) and depth == 0:
        raise RecursionError
    if isinstance(value, dict):
        return {replace_surrogates(key): _portable(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_portable(item, depth - 1) for item in value]
    return value


def _int(digits: str) -> int | str:
    # Past some thousand digits Python itself refuses to convert.
    if len(digits) > 20:
        return digits
    number = int(digits)
    return number if number in _INT64 else digits


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


_DECODER = json.JSONDecoder(strict=False, parse_int=_int, parse_float=_float, parse_constant=lambda _: None)
