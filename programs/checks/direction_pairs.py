"""Words of direction with their opposites, form by form: what a passage says the other way round when one takes the
place of the other."""

from __future__ import annotations

_ROWS = """
    increase increases increased increasing / decrease decreases decreased decreasing
    strengthen strengthens strengthened strengthening / weaken weakens weakened weakening
    improve improves improved improving / worsen worsens worsened worsening
    raise raises raised raising / lower lowers lowered lowering
    positive positively / negative negatively
    higher / lower
    larger / smaller
    greater / lesser
    stronger / weaker
    faster / slower
    longer / shorter
    better / worse
    brighter / fainter
    hotter / cooler
    wider / narrower
    thicker / thinner
    denser / sparser
    bluer / redder
    older / younger
    earlier / later
    above / below
"""
PAIRS = [
    (tuple(first.split()), tuple(second.split()))
    for first, _, second in (row.partition("/") for row in _ROWS.strip().splitlines())
]
"""The two sides of a direction, each with its forms in the same order."""
