"""Imports go down the layers of the code only, so that there are no import cycles. Class names are unique."""

import ast
from collections import Counter
from collections.abc import Iterator

from tests.lab import ROOT

LAYERS = (
    "signatures text",
    "errors redaction rejection versions files background_loop cli",
    "inputs lms",
    "record_parts records option_groups settings schema statistics",
    "asking compiled stages traces tracer run",
    "document exports reports",
    "proving",
    "export generate merge models prove report command completion",
    "optimize",
)
PACKAGES = " ".join(LAYERS).split()
"""Folders, and single files of programs/, from the bottom up. Each imports only from itself and those before it."""

EXCEPTIONS = {
    ("programs", "tracer"): "loaded when it is asked for: `from programs import load_tracer`",
}

TREES = {
    file.relative_to(ROOT).with_suffix("").parts: ast.parse(file.read_text(encoding="utf-8"))
    for top in ("signatures", "programs", "optimize")
    for file in sorted((ROOT / top).rglob("*.py"))
}


def package_of(module: tuple[str, ...]) -> str:
    return module[1] if module[0] == "programs" and module[1:] not in ((), ("__init__",)) else module[0]


def imported_names(tree: ast.AST) -> Iterator[tuple[str, ...]]:
    """The modules, and the names in modules, that a file imports anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from ((*node.module.split("."), name.name) for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (tuple(name.name.split(".")) for name in node.names)


def test_imports_go_to_lower_layers_only() -> None:
    found = [(package_of(module), name) for module, tree in TREES.items() for name in imported_names(tree)]
    arrows = {(user, package_of(name)) for user, name in found if name[0] in ("signatures", "programs", "optimize")}
    heights = {name: height for height, name in enumerate(PACKAGES)}
    unknown = {name for arrow in arrows for name in arrow} - {*PACKAGES, "programs"}
    assert not unknown, "add them to LAYERS"
    upward = {(low, high) for low, high in arrows if low != high and heights.get(low, -1) < heights.get(high, -1)}
    assert not upward - {*EXCEPTIONS}


def test_class_names_are_unique() -> None:
    names = Counter(node.name for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1] == []
