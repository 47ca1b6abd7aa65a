"""The traces of a page in compressed pieces, each of which can be read by itself.

A piece is JSON, `{"passages": [TEXT, ...], "traces": [{"passage": PLACE, ...}, ...]}`, deflated (zlib) and in base64. The
index is a piece of its own: `{"runs": [NAME, ...], "fields": [...], "names": {FIELD: [NAME, ...]}, "rows":
[[...], ...]}`, where the values of the named fields are places in their names.
"""

import base64
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson

from programs.reports.embedded import FIELDS
from programs.reports.sample import Kept, Sample

PIECE = 262_144
"""Bytes of JSON after which a piece ends: few enough to be opened at once, enough to compress well."""
LARGEST = 4 * PIECE
"""Bytes after which a piece ends although its passage has more traces."""
NAMED = ("type", "difficulty", "status", "model", "title", "domain", "passage", "need", "question_id")


@dataclass(frozen=True)
class Packed:
    """What goes into the page. `traces` is how many of the sample's traces there was room for."""

    index: str
    pieces: list[str]
    traces: int


def pack(sample: Sample, room: int, facts: dict[str, Any]) -> Packed:
    """Packs the sample's traces, in its order, as far as they fit into `room` bytes with their index, which also holds
    `facts`."""
    pieces: list[str] = []
    taken: list[Kept] = []
    used = 0
    for held in _divided(sample):
        piece = _pressed(_piece(sample, held))
        used += len(piece) + _index_bytes(held)
        if used > room and pieces:
            break
        for place, kept in enumerate(held):
            kept.row.update(chunk=len(pieces), place=place)
        pieces.append(piece)
        taken += held
    return Packed(_pressed(_index(taken, facts)), pieces, len(taken))


def _divided(sample: Sample) -> Iterator[list[Kept]]:
    """The traces of each piece: those of a passage in one, unless they are very many."""
    piece: list[Kept] = []
    size = 0
    for name, group in groupby(sample.kept(), key=lambda kept: kept.row["passage"]):
        size += len(sample.passage(name) or "")
        for kept in group:
            piece.append(kept)
            size += len(zlib.decompress(kept.rest))
            if size > LARGEST:
                yield piece
                piece, size = [], 0
        if size > PIECE:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _piece(sample: Sample, held: list[Kept]) -> bytes:
    names = list(dict.fromkeys(kept.row["passage"] for kept in held))
    texts = orjson.dumps([sample.passage(name) for name in names])
    traces = (
        b'{"passage":%d,' % names.index(kept.row["passage"]) + zlib.decompress(kept.rest).removeprefix(b"{")
        for kept in held
    )
    return b'{"passages":' + texts + b',"traces":[' + b",\n".join(traces) + b"]}"


def _index(taken: list[Kept], facts: dict[str, Any]) -> bytes:
    rows = [kept.row for kept in sorted(taken, key=lambda kept: kept.number)]
    _name_each(rows)
    names: dict[str, list[Any]] = {}
    for field in NAMED:
        places = {value: place for place, value in enumerate(dict.fromkeys(row[field] for row in rows))}
        names[field] = list(places)
        for row in rows:
            row[field] = places[row[field]]
    values = [[row[field] for field in FIELDS] for row in rows]
    return orjson.dumps({**facts, "fields": FIELDS, "names": names, "rows": values})


def _name_each(rows: list[dict[str, Any]]) -> None:
    """Gives each row a key of its own: its id, or its number where it has none or another has the same."""
    used: set[str] = set()
    for number, row in enumerate(rows, 1):
        name = row["key"] or f"trace-{number}"
        row["key"] = f"{name}-{number}" if name in used else name
        used.add(row["key"])


def _index_bytes(held: list[Kept]) -> int:
    """About what the index takes for these."""
    return sum(kept.row_bytes for kept in held) * 2 // 3


def _pressed(plain: bytes) -> str:
    return base64.b64encode(zlib.compress(plain, 9)).decode()
