"""Words of direction with their opposites, form by form: what a passage says the other way round when one takes the
place of the other.

The forms of a row are of one part of speech, or of the same two. Left out are words whose opposite would not fit in every
place of theirs: the verbs "raise" and "lower" ("lower" is a comparative more often), and "greater" ("lesser than" is no
English). Where a word is part of a phrase in which it tells no direction (`FIXED`), its pair cannot be used.
"""

from __future__ import annotations

import re

_ROWS = """
    increase increases increased increasing / decrease decreases decreased decreasing
    strengthen strengthens strengthened strengthening / weaken weakens weakened weakening
    improve improves improved improving / worsen worsens worsened worsening
    positive positively / negative negatively
    higher / lower
    larger / smaller
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

_SAID = (
    r"(?:described|mentioned|discussed|noted|shown|seen|said|stated|given|defined|outlined|listed|reported|explained"
    r"|presented)"
)
FIXED = re.compile(
    r"\b(?:no|any) longer\b"
    r"|\b(?:to|can|could|may|might|will|would|should|must|not) lower\b|\blower (?:the|its|their|this|these|those|it)\b"
    r"|\blower (?:limits?|bounds?|panels?|left|right|rows?|case|end)\b"
    r"|\b(?:older|younger|earlier|later) (?:literature|work|works|stud(?:y|ies)|papers?|authors?|reports?|on)\b"
    r"|\b(?:years?|months?|weeks?|days?|hours?|minutes?) (?:earlier|later)\b"
    rf"|\b{_SAID} (?:earlier|later)\b|\bsooner or later\b|\b(?:or|had) better\b"
    # Prepositions have what they are above or below right after them.
    r"|\b(?:above|below)\b(?!\s+(?:an?|the|this|that|these|those|its|their|about|one|zero|[0-9~$≈]))"
    rf"|\b(?:as|see|{_SAID})(?: \w+)? (?:above|below)\b|\b(?:the|from) (?:above|below)\b|\babove all\b",
    re.IGNORECASE,
)
"""Where one of the words tells no direction, or has no opposite of its own part of speech."""
