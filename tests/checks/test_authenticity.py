"""Thinking scores high, dry prose low, filler nothing; and what adds no thought adds no score."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.checks.authenticity import authenticity_score, complexity_level, reasoning_patterns

THINKING = """The question asks whether the dipolar asymmetry is real once the scan over multipoles is counted. My \
first instinct is to quote the 2.3 per cent probability: 46 of 2,000 isotropic skies exceed the observed \
amplitude of 0.066, so it looks like a two-sigma effect.

Hmm, but I should check where the upper limit of 64 came from. It was inherited from earlier discussions \
of this same sky, which means it was not fixed in advance. So my first reading was too quick: the 2.3 \
per cent assumes a range that nobody was entitled to assume. When the maximum multipole may vary between \
20 and 200, 318 of 2,000 skies are as unusual, and 318/2000 = 15.9 per cent.

Is that penalty itself unique, though? Not really; a finer grid of multipoles would change it, and I \
can't tell in which direction without running the pipeline. One possibility is that residual Galactic \
emission causes the modulation. The component separations change the amplitude by at most 0.004, which \
argues against that explanation. Another explanation might be a plain fluctuation, and that is \
consistent with the mean of 0.034 in the simulations.

Someone asking this question probably wants to know whether to believe in broken isotropy. It's a bit \
like tossing coins until a streak shows up and then computing the odds of that streak alone. Putting \
this together, I would say that the asymmetry does not require a departure from isotropy, although I am \
not certain that the scan covers every choice made."""

DRY = """Galaxies rotate because they formed from collapsing gas with angular momentum. The Milky Way has a \
rotation speed of 220 km/s at the position of the Sun. The mass enclosed within a radius determines the \
orbital velocity there. Dark matter halos extend far beyond the stellar disc. Simulations reproduce the \
observed rotation curves when a halo is included. The density profile of the halo may follow a \
characteristic form. Baryons dominate the inner region of most bright spirals. The measurements of outer \
discs suggest that the halo continues beyond 30 kpc."""

FILLER = [
    "Hmm.",
    "Wait, actually.",
    "Maybe, maybe not.",
    "Let me think about that.",
    "Wait, that's not right.",
    "I was wrong.",
    "Perhaps the evidence suggests an alternative hypothesis.",
    "I should reconsider my assumption, I think.",
    "So, overall, I'm not sure.",
]


def test_the_three_kinds_of_text_lie_in_their_bands() -> None:
    assert 0.7 <= authenticity_score(THINKING) <= 0.9
    assert 0.1 <= authenticity_score(DRY) <= 0.4
    assert authenticity_score("") == 0.0


@pytest.mark.parametrize("filler", [*FILLER, "hmm, wait, actually, maybe", " ".join(FILLER)])
def test_filler_cannot_win(filler: str) -> None:
    assert authenticity_score(f"{filler} " * 100) < 0.2
    assert reasoning_patterns(f"{filler} " * 100) == []


@given(st.sampled_from([THINKING, DRY]), st.lists(st.tuples(st.integers(0, 40), st.sampled_from(FILLER)), max_size=25))
@settings(max_examples=60, deadline=None)
def test_filler_anywhere_never_raises_the_score(text: str, padding: list[tuple[int, str]]) -> None:
    sentences = text.replace("\n\n", " ").split(". ")
    for place, filler in padding:
        sentences.insert(place % (len(sentences) + 1), filler.rstrip("."))
    assert authenticity_score(". ".join(sentences)) <= authenticity_score(text)


@given(st.sampled_from([THINKING, DRY]), st.integers(0, 20), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_repeating_a_sentence_never_raises_the_score(text: str, which: int, times: int) -> None:
    sentences = text.replace("\n\n", " ").split(". ")
    again = sentences[which % len(sentences)]
    assert authenticity_score(text + " " + f"{again}. " * times) <= authenticity_score(text)


def test_saying_it_all_twice_costs() -> None:
    assert authenticity_score(f"{THINKING}\n{THINKING}") < 0.6


def test_markers_before_every_dry_sentence_do_not_make_it_thinking() -> None:
    padded = " ".join(f"Wait, actually, maybe {sentence}." for sentence in DRY.split(". "))
    assert authenticity_score(padded) <= authenticity_score(DRY) + 0.01


def test_one_sentence_cannot_hold_every_pattern() -> None:
    stuffed = (
        "I should suppose the evidence of the survey is weak because another explanation, like a lens, could also mean "
        "that I was wrong, and I'm not sure, so the answer boils down to what the reader wants to know."
    )
    assert len(reasoning_patterns(stuffed)) <= 2


@pytest.mark.parametrize(
    ("sentence", "pattern"),
    [
        ("The polarisation data argue strongly against a Galactic origin of the dipole.", "evidence_evaluation"),
        ("Suppose the modulation were produced during inflation by a long wavelength mode.", "hypothesis_generation"),
        (
            "It remains unclear whether the foreground template captures synchrotron curvature.",
            "uncertainty_acknowledgement",
        ),
        ("Another explanation involves anisotropic noise across the scanning pattern.", "alternative_consideration"),
        ("The sample of merging clusters is too small for a population estimate.", "method_critique"),
        ("Let me check whether the lensing kernel peaks near redshift one.", "metacognition"),
        ("The amplitude 0.066 minus the isotropic mean 0.034 leaves half the excess.", "quantitative_reasoning"),
        ("The halo behaves like a container whose walls slowly stretch outward.", "analogy"),
        ("Gas settles into the disc because radiative cooling removes pressure support.", "causal_reasoning"),
        ("The reader asking about isotropy needs a plain statement of odds.", "user_perspective"),
        ("Taken together, polarisation and lensing leave little room for modulation.", "synthesis"),
    ],
)
def test_each_pattern_has_its_sentence(sentence: str, pattern: str) -> None:
    assert pattern in reasoning_patterns(sentence)


def test_a_correction_needs_a_claim_before_it_and_something_new() -> None:
    claim = "The rotation curve proves that dark matter particles fill the galactic halo."
    mended = "I was wrong that the rotation curve proves particles: modified gravity predicts flat orbits too."
    assert "self_correction" in reasoning_patterns(f"{claim} {mended}")
    assert "self_correction" not in reasoning_patterns(mended)
    assert "self_correction" not in reasoning_patterns(f"{mended} {claim}")
    assert "self_correction" not in reasoning_patterns(f"{claim} I was wrong about that.")


def test_complexity_grows_with_thoughts_and_patterns() -> None:
    assert complexity_level("It is 42.") == "low"
    assert complexity_level("Hmm, wait. " * 100) == "low"
    assert complexity_level(THINKING.split("\n\nIs that")[0]) in {"low", "medium"}
    assert complexity_level(THINKING) == "high"


@given(st.text(max_size=300))
def test_the_score_is_a_share(text: str) -> None:
    assert 0.0 <= authenticity_score(text) <= 1.0
