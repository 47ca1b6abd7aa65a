"""The house: no import runs upwards, so that no two rooms know each other in a circle; a class name stands once."""

import ast
from collections import Counter
from collections.abc import Iterator

from tests.lab import ROOT

FLOORS = (
    "signatures text",
    "errors redaction rejection versions files background_loop cli",
    "inputs lms",
    "records option_groups settings schema statistics",
    "asking compiled stages traces tracer run",
    "document exports reports",
    "proving",
    "export generate merge models prove report command completion",
    "optimize",
)
ROOMS = " ".join(FLOORS).split()
"""From the ground up: folders, and the files of programs/ by themselves. A room imports from those before it."""

EXCEPTIONS = {
    ("run", "document"): "a run writes its document, and a document is made from a run's journal",
    ("programs", "tracer"): "loaded when it is asked for: `from programs import load_tracer`",
}

TREES = {
    file.relative_to(ROOT).with_suffix("").parts: ast.parse(file.read_text(encoding="utf-8"))
    for top in ("signatures", "programs", "optimize")
    for file in sorted((ROOT / top).rglob("*.py"))
}


def room(module: tuple[str, ...]) -> str:
    return module[1] if module[0] == "programs" and module[1:] not in ((), ("__init__",)) else module[0]


def imports(tree: ast.AST) -> Iterator[tuple[str, ...]]:
    """What a file imports of ours, wherever in it, by module or by name in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from ((*node.module.split("."), name.name) for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (tuple(name.name.split(".")) for name in node.names)


def test_no_import_runs_upwards() -> None:
    found = [(room(module), one) for module, tree in TREES.items() for one in imports(tree)]
    arrows = {(where, room(one)) for where, one in found if one[0] in ("signatures", "programs", "optimize")}
    places = {name: place for place, name in enumerate(ROOMS)}
    unknown = {name for arrow in arrows for name in arrow} - {*ROOMS, "programs"}
    assert not unknown, "which floor are they on?"
    up = {(low, high) for low, high in arrows if low != high and places.get(low, -1) < places.get(high, -1)}
    assert not up - {*EXCEPTIONS}


def test_a_class_name_stands_once() -> None:
    names = Counter(node.name for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1] == []
