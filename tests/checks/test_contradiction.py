"""Whether a quote contradicts a claim, on cases with known truth.

1. Directions, negations and opposite words contradict; two turns cancel.
2. A comparison is read in the claim's order; of the control alone, or of one arm over time, nothing is said.
3. Nothing contradicts itself, and no text makes it fail.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.checks.contradiction import Sentence, contradiction

SCATTER = "The scatter between repeated exposures amounts to 9 percent and grows towards fainter targets."
DRUG = "Compared with placebo, the drug "
IN_B = "Pain was significantly higher in the placebo group than in the drug group."
BOTH = "Pain decreased significantly in both groups, with no significant difference between groups."
NOT_SLEEP = "The drug significantly reduced pain and nausea but not sleep."
UNSURE = "The reduction in mortality did not reach statistical significance."
GREATER = "The reduction in body weight was significantly greater with the drug than with placebo."
DISC = "The flux in the inner disc was higher than in the halo."

CONTRADICTED = [
    ("The scatter shrinks towards fainter targets.", SCATTER),
    ("The scatter grows towards brighter targets.", SCATTER),
    ("The scatter does not grow towards fainter targets.", SCATTER),
    ("The scatter is unchanged towards fainter targets.", SCATTER),
    ("The scan was fixed in advance for all skies.", "The scan over 2,000 skies was not fixed in advance."),
    ("Slopes are steeper without the dust correction.", "Slopes are steeper with the dust correction."),
    ("Mass loss increased.", "Mass loss was reduced, and spin increased."),
    ("Luminosity increases while the radius decreases.", "Luminosity decreases while the radius increases."),
    ("The improvement was smaller at late times.", "The improvement was greater at late times."),
    ("The amplitude was significantly lower.", "The amplitude was lower, but the difference was not significant."),
    ("Velocities do not depend on colour.", "Velocities depend on colour."),
    (DISC, "The flux in the halo was higher than in the inner disc."),
    (DRUG + "significantly increased pain.", IN_B),
    (DRUG + "significantly decreased pain.", BOTH),
    (DRUG + "significantly decreased sleep.", NOT_SLEEP),
    (DRUG + "significantly decreased mortality.", UNSURE),
    (DRUG + "significantly increased weight.", GREATER),
    (DRUG + "significantly improved memory.", "Memory scores did not improve with the drug."),
    ("Compared with surgery, exercise decreased pain.", "Pain was significantly lower after surgery (p < 0.01)."),
    ("The drug was no better than placebo for pain.", "The drug was superior to placebo for pain."),
    ("The masked map shows less scatter than the raw map.", "The masked map shows more scatter than the raw map."),
]
CONSISTENT = [
    ("The scatter grows towards fainter targets.", SCATTER),
    ("The scatter shrinks towards brighter targets.", SCATTER),
    ("Perhaps the scatter shrinks towards fainter targets.", SCATTER),
    ("Does the scatter shrink towards fainter targets?", SCATTER),
    ("Spin increased.", "Mass loss was reduced, and spin increased."),
    ("Reduced impairment was seen in memory.", "Memory improved."),
    ("There was no significant difference in amplitude.", "The amplitude was lower, but not significantly."),
    ("More than 20 galaxies have a higher metallicity.", "The metallicity of 30 galaxies is higher."),
    (DISC, "The flux in the halo was lower than in the inner disc."),
    (DRUG + "significantly decreased pain.", IN_B),
    (DRUG + "made no significant difference to pain.", BOTH),
    (DRUG + "made no significant difference to sleep.", NOT_SLEEP),
    (DRUG + "significantly decreased nausea.", NOT_SLEEP),
    (DRUG + "made no significant difference to mortality.", UNSURE),
    (DRUG + "significantly decreased weight.", GREATER),
    (DRUG + "made no significant difference to weight.", "Weight decreased significantly from baseline."),
    (DRUG + "significantly decreased pain.", "Pain did not change in the placebo group."),
    ("Compared with surgery, exercise decreased pain.", "Pain was significantly higher after surgery (p < 0.01)."),
    ("Compared with surgery, exercise decreased pain.", "Pain was significantly lower after exercise (p < 0.01)."),
    ("The masked map shows less scatter than the raw map.", "The raw map shows more scatter than the masked map."),
    ("The signal grows with redshift rather than declining.", "The signal grows with redshift."),
    ("Galaxies rotate.", "The scatter decreases."),
]


@pytest.mark.parametrize(("claim", "quote"), CONTRADICTED)
def test_contradicted(claim: str, quote: str) -> None:
    assert contradiction(Sentence(claim), Sentence(quote))


@pytest.mark.parametrize(("claim", "quote"), CONSISTENT)
def test_consistent(claim: str, quote: str) -> None:
    assert contradiction(Sentence(claim), Sentence(quote)) is None


def test_the_reason_names_the_words() -> None:
    why = contradiction(Sentence("The scatter shrinks towards fainter targets."), Sentence(SCATTER))
    assert why == 'claim: "shrinks", quote: "grows"'


@pytest.mark.parametrize("text", sorted({text for pair in CONTRADICTED + CONSISTENT for text in pair}))
def test_nothing_contradicts_itself(text: str) -> None:
    assert contradiction(Sentence(text), Sentence(text)) is None


PIECES = st.lists(
    st.sampled_from([word for pair in CONTRADICTED for text in pair for word in text.split()]), max_size=18
)


@given(PIECES, PIECES)
def test_no_text_makes_it_fail(claim: list[str], quote: list[str]) -> None:
    one, other = Sentence(" ".join(claim)), Sentence(" ".join(quote))
    assert contradiction(one, other) != ""
    assert contradiction(one, one) is None
