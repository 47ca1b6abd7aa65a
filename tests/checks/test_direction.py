"""What sentences say about directions, as sets of worlds.

1. up and down, better and worse turn into one another; turning twice changes nothing.
2. Negation, significance, p-values, cues in a row and elliptic clauses are read as the module says.
3. A question, a supposition, a purpose and a bound say nothing. No text makes it fail.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.checks.direction import statements
from programs.checks.direction_words import BETTER as BETTER_WORDS
from programs.checks.direction_words import CUES, OPEN, SAME
from programs.checks.direction_words import DOWN as DOWN_WORDS
from programs.checks.direction_words import UP as UP_WORDS
from programs.checks.direction_words import WORSE as WORSE_WORDS
from programs.checks.words import tokens
from programs.checks.worlds import BETTER, DOWN, EVERY, NONE, NOT_SIGNIFICANT, SIGNIFICANT, UP, WORSE, together, turned


def worlds(text: str) -> list[int]:
    return [statement.worlds for statement in statements(tokens(text))]


@given(st.integers(0, EVERY))
def test_turning_twice_changes_nothing(some: int) -> None:
    assert turned(turned(some)) == some
    assert turned(some) & NONE == some & NONE


def test_what_turns_into_what() -> None:
    assert turned(UP) == DOWN
    assert turned(BETTER) == WORSE
    assert turned(UP & SIGNIFICANT) == DOWN & SIGNIFICANT
    assert (together(DOWN, UP), together(DOWN, DOWN), together(UP, DOWN)) == (DOWN, UP, DOWN)
    assert (together(DOWN, BETTER), together(DOWN, WORSE), together(UP, BETTER)) == (WORSE, BETTER, BETTER)


def test_no_word_has_two_directions() -> None:
    kinds = (UP_WORDS, DOWN_WORDS, BETTER_WORDS, WORSE_WORDS, SAME)
    assert sum(map(len, kinds)) == len(frozenset().union(*kinds))
    assert not CUES & OPEN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The slope increases with mass.", [UP]),
        ("The slope is lower.", [DOWN]),
        ("The slope was significantly lower.", [DOWN & SIGNIFICANT]),
        ("The fit improved.", [BETTER]),
        ("The slope did not increase.", [EVERY & ~UP]),
        ("The slope didn't increase.", [EVERY & ~UP]),
        ("The slope did not increase significantly.", [EVERY & ~(UP & SIGNIFICANT)]),
        ("There was no difference in slope.", [NONE]),
        ("There was no significant difference in slope.", [NOT_SIGNIFICANT]),
        ("The slopes are unchanged.", [NONE]),
        ("The slopes are not similar to those of halos (p = 0.01).", [SIGNIFICANT]),
        ("The slope depends on mass.", [EVERY & ~NONE]),
        ("The slopes differed significantly.", [SIGNIFICANT]),
        ("The slope was 1.2 in A and 1.4 in B (p = 0.03).", [SIGNIFICANT]),
        ("The slope was 1.2 in A and 1.4 in B, p = 0.4.", [NOT_SIGNIFICANT]),
        ("The slope was lower (p = 0.2).", [DOWN & NOT_SIGNIFICANT]),
        ("The slope was lower, but not significantly.", [DOWN & NOT_SIGNIFICANT]),
        ("The slope was lower; however, the difference was not significant.", [DOWN & NOT_SIGNIFICANT]),
        ("The reduction did not reach statistical significance.", [DOWN & NOT_SIGNIFICANT]),
        ("Pain fell in both, with no difference between groups.", [NONE]),
        ("There was less improvement than before.", [WORSE]),
        ("Reduced impairment was seen.", [BETTER]),
        ("The reduction in pain was smaller.", [UP]),
        ("Mass increases and spin decreases.", [UP, DOWN]),
        ("Mass and spin increase.", [UP]),
        ("Pain and nausea were reduced but not fever.", [DOWN, NOT_SIGNIFICANT]),
        ("There was no evidence that the new and very careful treatment of the data lowers it.", [EVERY & ~DOWN]),
        ("The slope is no longer higher.", [EVERY & ~UP]),
        ("The slope is not only higher.", [UP]),
        ("More than 20 galaxies were seen.", []),
        ("A more detailed look follows.", []),
        ("It serves to reduce the noise.", []),
        ("It was found to reduce the noise.", [DOWN]),
        ("Perhaps the slope increases.", []),
        ("Does the slope increase?", []),
        ("We ask whether the slope increases.", []),
        ("A significant share was seen.", []),
        ("The slope rises and falls: it increased, decreased.", [UP, UP, DOWN]),
        ("", []),
    ],
)
def test_what_a_sentence_says(text: str, expected: list[int]) -> None:
    assert worlds(text) == expected


def test_a_statement_knows_what_it_is_about() -> None:
    mass, spin = statements(tokens("The halo mass increases, and its spin decreases."))
    assert (sorted(mass.words), *mass.cues) == (["halo", "mass"], "increases")
    assert (sorted(spin.words), *spin.cues) == (["spin"], "decreases")


PIECES = (
    "no not higher lower significant p = < .05 0.2 1.2.3 , but and ; ( ) [ ] to than more improved between in slope",
    "difference non evidence vs . with baseline ? longer superior compared placebo both groups reduction",
)
WORDS = st.lists(st.sampled_from(" ".join(PIECES).split()), max_size=25).map(" ".join)


@given(WORDS)
def test_no_text_makes_it_fail(text: str) -> None:
    assert all(0 < found <= EVERY for found in worlds(text))
