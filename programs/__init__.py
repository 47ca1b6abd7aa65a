"""SynthReasoner: reasoning training data from scientific text, as a DSPy program.

from programs import load_tracer
tracer = load_tracer()
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from programs.tracer import Tracer, load_tracer

__all__ = ["Tracer", "load_tracer"]


def __getattr__(name: str) -> Any:
    # Importing DSPy takes most of a second, so it happens only when one of these names is used.
    if name in __all__:
        from programs import tracer

        return getattr(tracer, name)
    raise AttributeError(f"module 'programs' has no attribute {name!r}")
