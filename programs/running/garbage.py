"""How often Python looks for garbage, in a process that does nothing but make traces."""

import gc

OBJECTS_A_COLLECTION = 20_000
"""New objects, less those that went, after which it looks; by itself, after 700 or 2,000."""


def collect_seldom() -> None:
    """Leaves alone for good what exists by now, which is what was imported, and looks at the rest more seldom: calls leave
    few cycles behind, and looking for them takes a tenth of the CPU time."""
    gc.freeze()
    gc.set_threshold(OBJECTS_A_COLLECTION)
