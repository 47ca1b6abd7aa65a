"""The compiled programs that ship with the project, and which program a run uses."""

import json
import logging
from pathlib import Path

from programs.compiled.load import identity_at, load_tracer
from programs.errors import UserError
from programs.tracer import Tracer

PLAIN = Path("none")
"""`--program none`: the program as it is."""

log = logging.getLogger("synthreasoner")


def tracer_for(program: Path | None, model: str, prompt_order: str) -> Tracer:
    """The program of a run: the one that is named, else the one that ships for the model, else the program as it is.

    A shipped one is used only where its report shows that it is better; a stale one is left, which is logged.
    Raises `UserError` where the one that is named cannot be loaded.
    """
    if program == PLAIN:
        return load_tracer()
    if program is not None:
        tracer = load_tracer(program, prompt_order=prompt_order)
        made_for = identity_at(program).model
        if made_for is not None and made_for != model:
            log.warning("%s was compiled for %s, and is used with %s", program, made_for, model)
        return tracer
    shipped = shipped_program(model)
    if shipped is None:
        return load_tracer()
    try:
        return load_tracer(shipped, prompt_order=prompt_order)
    except UserError as error:
        log.warning("the compiled program that ships for %s is not used: %s", model, error)
        return load_tracer()


def shipped_program(model: str) -> Path | None:
    """The folder of the compiled program that ships for a model and is better than the plain one, or None.

    It lies inside the installed package, or in the checkout that this file is part of."""
    programs = Path(__file__).resolve().parents[1]
    places = (programs / "resources" / "compiled" / model, programs.parent / "data" / "compiled" / model)
    return next((place for place in places if (place / "program.json").is_file() and _improved(place)), None)


def _improved(folder: Path) -> bool:
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        log.warning("%s has no report that can be read, and is not used", folder)
        return False
    return isinstance(report, dict) and report.get("improved") is True
