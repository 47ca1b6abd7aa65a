"""Loading the program, compiled or as it is, for the runner and for research code."""

import json
import logging
from pathlib import Path
from typing import Any

from programs.compiled import Identity, differences, identity_in, identity_of
from programs.errors import UserError
from programs.tracer import Tracer

ALLOWED_KEYS = frozenset({"demos", "signature", "traces", "train", "lm"})
"""What a saved predictor may hold. Anything else could set attributes that DSPy would act on."""


log = logging.getLogger("synthreasoner")


def load_tracer(
    program: Path | str | None = None, *, prompt_order: str | None = None, model: str | None = None
) -> Tracer:
    """The program: as it is without `program`, else with the instructions and demonstrations of a compiled one.

    `program` is a folder that `python -m optimize.compile` wrote, or the program.json in it, or a file that `Tracer.save`
    wrote. It must have been made for this program, field by field, and for this order of prompts where one is given; that
    it was compiled for another model than `model` is logged. It is read as data: models, addresses and keys in it are never
    taken.
    Raises `UserError`, naming what differs, when there is none or it is another program's.
    """
    tracer = Tracer()
    if program is None:
        return tracer
    path = program_file(Path(program))
    state = _read(path)
    identity = _identity(path, state)
    found = differences(identity, identity_of(tracer, prompt_order=prompt_order))
    if found:
        raise UserError(f"--program: {path} was made for another program: {'; '.join(found)}. Compile it again")
    if model is not None and identity.model not in (None, model):
        log.warning("%s was compiled for %s, and is used with %s", path, identity.model, model)
    expected = tracer.dump_state()
    if set(state) - {"metadata"} != set(expected):
        odd = sorted(set(expected) ^ (set(state) - {"metadata"}))
        raise UserError(f"--program: {path} is another program's: it differs in {', '.join(odd)}")
    for name, part in expected.items():
        _check(path, name, state[name], part)
        state[name]["lm"] = None
    tracer.load_state({name: state[name] for name in expected})
    for name, predictor in tracer.named_predictors():
        if name in identity.temperatures:
            predictor.config["temperature"] = identity.temperatures[name]
    return tracer


def identity_at(program: Path | str) -> Identity:
    """What a saved program was made for. Raises `UserError` where there is none."""
    path = program_file(Path(program))
    return _identity(path, _read(path))


def program_file(path: Path) -> Path:
    """The file of a program that is named by its folder or its file."""
    return path / "program.json" if path.is_dir() else path


def _identity(path: Path, state: dict[str, Any]) -> Identity:
    identity = identity_in(state)
    if identity is None:
        raise UserError(
            f"--program: {path} does not say which program it was made for: "
            "it takes one of python -m optimize.compile, or of Tracer.save"
        )
    return identity


def _read(path: Path) -> dict[str, Any]:
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"--program: there is no file {path}") from None
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UserError(f"--program: {path} cannot be read as JSON: {error}") from None
    if not isinstance(state, dict) or not all(isinstance(part, dict) for part in state.values()):
        raise UserError(f"--program: {path} is not a saved program")
    return state


def _check(path: Path, name: str, given: dict[str, Any], expected: dict[str, Any]) -> None:
    extra = set(given) - ALLOWED_KEYS
    if extra:
        raise UserError(f"--program: {path} sets {', '.join(sorted(extra))} of {name}, which a program may not")
    try:
        prefixes = [[field["prefix"] for field in state["signature"]["fields"]] for state in (given, expected)]
        texts = [given["signature"]["instructions"], *(field["description"] for field in given["signature"]["fields"])]
        demos = given.get("demos", [])
        sound = all(isinstance(text, str) for text in texts) and all(isinstance(demo, dict) for demo in demos)
    except (AttributeError, KeyError, TypeError):
        sound = False
    if not sound:
        raise UserError(f"--program: {path} is not a saved program: its {name} is damaged")
    if prefixes[0] != prefixes[1]:
        raise UserError(f"--program: {path} was made for other fields of {name}: {prefixes[0]}, not {prefixes[1]}")
