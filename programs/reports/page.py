"""The page itself: one HTML file that holds its style, its script and its traces, and may load nothing else.

Its Content-Security-Policy lets no request out and runs no script and no style but the page's own, known by their hashes.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

GENERATOR = "SynthReasoner report"
SCRIPTS = ("element", "facets", "route", "list", "checks", "trace", "beside", "keys", "main")
"""The script's files, in the order in which they stand in the page."""


def rendered(pieces: Iterable[str], **values: Any) -> Iterator[str]:
    """The page as a stream of texts. What it shows are `values` (templates/page.html has their names)."""
    style, script = _files("css", ["page"]), '"use strict";\n' + _files("js", SCRIPTS)
    template = _environment().get_template("page.html")
    stream = template.stream(
        generator=GENERATOR,
        policy=_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        # Base64 has nothing to escape.
        pieces=map(Markup, pieces),
        **values,
    )
    return iter(stream)


def is_ours(path: Path) -> bool:
    """Whether a file is a report, and so may be written over."""
    with path.open("rb") as file:
        return f'<meta name="generator" content="{GENERATOR}">'.encode() in file.read(1024)


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _files(ending: str, names: Sequence[str]) -> str:
    folder = resources.files("programs.reports") / "page"
    return "\n".join((folder / f"{name}.{ending}").read_text(encoding="utf-8") for name in names)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("programs.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["groupby_order"] = _in_groups
    return environment


def _in_groups(items: Iterable[Any], name: str) -> list[list[Any]]:
    """Neighbours with the same value of an attribute, together."""
    return [list(group) for _, group in groupby(items, key=attrgetter(name))]
