"""Which sentence carries a step, and what the rules say of it.

1. Every reported place, cut from the passage, is the quote: up to the normal form of `programs.checks.evidence` where it
   was found by text in a step that says the same. A match by words is a whole sentence of the passage.
2. What stands in the passage word for word is not contradicted by its other sentences, but by what is around it there.
   "supported" only where the claim stands in the passage, and of a near match only with the same words of sense in the same
   order; "contradicted" only with a reason; no other status by rule.
   Both are of the whole step: contradicted if one claim is, supported only if every claim is.
3. The sentence that says the most of a claim is found; one that was chosen as evidence goes before an equal one; a sentence
   that shares too little is none.
4. A number that stands nowhere in the passage is named whatever the quote.
5. No text makes it fail.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.checks.contradiction import Sentence
from programs.checks.evidence import locate, normalise
from programs.checks.passage_search import LEAST_SHARE, Source
from programs.checks.sentences import split
from programs.checks.step_evidence import StepEvidence, claims, step_evidence

TEXT = (
    "Catalogue seven holds lensing measurements of 107 galaxies from a spectroscopic telescope. "
    "The scatter between repeated exposures amounts to 9 percent and grows towards fainter targets. "
    "Removing the brightest neighbours – as the “cleaned” list does – lowers the amplitude by 0.4 standard deviations. "
    "Whether atmospheric dispersion contributes remains unknown, because calibration lamps were switched off."
)
SPANS = split(TEXT)
SOURCE = Source(TEXT, SPANS)


def found(step: str, chosen: tuple[int, ...] = ()) -> StepEvidence:
    return step_evidence(step, SOURCE, chosen)


def quote_of(evidence: StepEvidence) -> str | None:
    return None if evidence.start is None else TEXT[evidence.start : evidence.end]


def sentence(number: int) -> str:
    span = SPANS[number]
    return TEXT[span.start : span.end]


@given(st.integers(0, len(SPANS) - 1), st.booleans(), st.booleans())
def test_a_retyped_sentence_is_supported_by_itself(number: int, loud: bool, typed: bool) -> None:
    wanted = sentence(number)
    step = wanted.upper() if loud else wanted
    step = step.replace("–", "-").replace("“", '"').replace("”", '"') if typed else step
    evidence = found(f"Let me see what is known. {step} What follows?")
    quote = quote_of(evidence)
    assert quote is not None
    assert normalise(quote) == normalise(step)
    assert evidence.method in ("exact", "normalised")
    # The last sentence says itself that something is unknown: nothing is asserted that could be supported.
    assert evidence.status == (None if number == 3 else "supported")


@given(st.data())
def test_a_slice_in_quotation_marks_is_found_where_it_stands(data: st.DataObject) -> None:
    wanted = sentence(data.draw(st.integers(0, 1)))
    words = wanted.split()
    start = data.draw(st.integers(0, len(words) - 5))
    cut = " ".join(words[start : data.draw(st.integers(start + 5, len(words)))])
    evidence = found(f"I keep coming back to “{cut}” and to what it means for {' '.join(words[:4])}, if anything.")
    if evidence.method in ("exact", "normalised"):
        assert quote_of(evidence) == cut
    else:
        assert (evidence.method, evidence.status) in (("words", None), (None, None))


PIECES = st.lists(
    st.sampled_from(
        [*TEXT.split(), "not", "no", "lower", "decreases", "brighter", "8", "“", "”", "?", ".", "if", "ﬁ", "\n"]
    ),
    max_size=40,
).map(" ".join)


@given(PIECES, st.sets(st.integers(0, 5)))
def test_what_is_reported_holds_for_any_step(step: str, chosen: set[int]) -> None:
    evidence = step_evidence(step, SOURCE, chosen)
    if evidence.start is None or evidence.end is None:
        assert (evidence.claim, evidence.method, evidence.similarity, evidence.status) == (None, None, None, None)
    else:
        assert evidence.claim is not None
        assert evidence.claim in step
        assert evidence.similarity is not None
        assert LEAST_SHARE - 0.1 <= evidence.similarity <= 100.1
        places = [(span.start, span.end) for span in SPANS]
        if evidence.method == "words":
            assert (evidence.start, evidence.end) in places
        else:
            assert any(start <= evidence.start < evidence.end <= end for start, end in places)
    if evidence.status == "supported":
        assert evidence.method != "words"
        # A quote is looked for without the quotation marks around it.
        bare = [normalise(text or "").strip('" ') for text in (evidence.claim, quote_of(evidence))]
        assert bare[0] == bare[1] or evidence.method == "fuzzy"
    assert evidence.status in (None, "supported", "contradicted")
    assert (evidence.conflict is not None) == (evidence.status == "contradicted")


@given(st.text(max_size=80), st.text(max_size=200))
def test_no_text_makes_it_fail(step: str, passage: str) -> None:
    evidence = step_evidence(step, Source(passage, split(passage)))
    if evidence.start is not None and evidence.end is not None:
        assert passage[evidence.start : evidence.end].strip()


@pytest.mark.parametrize(
    ("step", "number", "status"),
    [
        ("So the scatter is 9 percent and is larger for the fainter targets.", 1, None),
        ("But the scatter between exposures shrinks towards fainter targets.", 1, "contradicted"),
        ("But the scatter between exposures grows towards brighter targets.", 1, "contradicted"),
        ("Removing the brightest neighbours raises the amplitude.", 2, "contradicted"),
        ("Perhaps removing the brightest neighbours raises the amplitude.", 2, None),
        ("The telescope is spectroscopic, and the galaxies in the catalogue are measured by lensing.", 0, None),
        ("The calibration lamps were switched off, so I would not trust the dispersion.", 3, None),
    ],
)
def test_the_sentence_that_says_the_most_is_the_quote(step: str, number: int, status: str | None) -> None:
    evidence = found(step)
    assert quote_of(evidence) == sentence(number)
    assert (evidence.method, evidence.status) == ("words", status)


@pytest.mark.parametrize(
    "step",
    [
        "Perhaps something else entirely decides the matter.",
        "Does the scatter grow towards fainter targets?",
        "",
        "Hmm.",
    ],
)
def test_what_shares_too_little_or_asks_has_no_quote(step: str) -> None:
    assert found(step) == StepEvidence()


def test_a_contradicted_claim_goes_before_one_that_is_supported() -> None:
    evidence = found(f"{sentence(0)} The scatter between exposures shrinks towards fainter targets.")
    assert (evidence.status, quote_of(evidence)) == ("contradicted", sentence(1))
    assert evidence.conflict == 'claim: "shrinks", quote: "grows"'


@pytest.mark.parametrize(
    ("others", "status"),
    [
        ([], "supported"),
        (["Is that so?", "Let me see what follows.", "Hmm."], "supported"),
        ([sentence(2)], "supported"),
        (["So the whole survey is worthless, and dark energy must be phantom."], None),
        (["Perhaps the lamps explain all of it."], None),
        (["Let me see, the lamps explain all of it."], None),
        (["Let me recall that the lamps explain all of it."], None),
        ([sentence(2), "The lamps explain all of it."], None),
        (["The scatter between exposures shrinks towards fainter targets."], "contradicted"),
    ],
)
def test_a_step_is_supported_only_if_every_claim_of_it_is(others: list[str], status: str | None) -> None:
    for step in ([sentence(0), *others], [*others, sentence(0)]):
        evidence = found(" ".join(step))
        assert evidence.status == status
        assert (evidence.method == "exact") == (status != "contradicted"), "the best claim is quoted"


def test_what_was_chosen_as_evidence_goes_before_an_equal_one() -> None:
    text = "The halo spin of old galaxies is known. The halo spin of young galaxies is known."
    source = Source(text, split(text))
    claim = Sentence("The halo spin is known.")
    assert [one.index for one in source.find(claim)] == [0, 1]
    assert [one.index for one in source.find(claim, {1})] == [1, 0]


def test_numbers_that_stand_nowhere_are_named_whatever_the_quote() -> None:
    evidence = found("The scatter between repeated exposures is 8 percent, for 107 galaxies. Is it 12.5?")
    assert evidence.unfound_numbers == ["8 percent", "12.5"]
    assert quote_of(evidence) == sentence(1)
    assert found("Nothing here but 12.5, I think.").unfound_numbers == ["12.5"]


def test_order_of_sentences_does_not_matter_to_what_is_found() -> None:
    sentences = [sentence(number) for number in range(len(SPANS))]
    claim = "But the scatter between exposures shrinks towards fainter targets."
    for seed in range(5):
        shuffled = random.Random(seed).sample(sentences, len(sentences))
        text = " ".join(shuffled)
        evidence = step_evidence(claim, Source(text, split(text)))
        assert text[evidence.start or 0 : evidence.end] == sentence(1)


def test_claims_are_the_sentences_that_do_not_ask() -> None:
    step = "It grows by 0.4 percent. Does it? I think so! “Why not?” And e.g. this, 8 vs. 10 (Fig. 3)."
    assert list(claims(step)) == ["It grows by 0.4 percent.", "I think so!", "And e.g. this, 8 vs. 10 (Fig. 3)."]


ROLES = (
    "Patients who received metformin had lower fasting glucose at follow-up than patients who received placebo in this "
    "trial of older adults."
)
MASS = (
    "The stellar mass of every galaxy in the final sample was derived from broadband photometry with a standard code."
)


@pytest.mark.parametrize(
    ("passage", "claim", "status"),
    [
        (ROLES, ROLES.replace("metformin", "X").replace("placebo", "metformin").replace("X", "placebo"), None),
        (ROLES, ROLES.replace("metformin", "insulin"), None),
        (MASS, MASS.replace("stellar", "gas"), None),
        (MASS, MASS.replace("from", "for"), None),
        (MASS, MASS.replace("galaxy", "galaxie"), None),
        (MASS, MASS.replace("was derived", "is derived").replace("a standard", "the standard"), "supported"),
        (MASS, MASS.replace("every galaxy", "*every* galaxy").replace("The", "So the"), "supported"),
    ],
)
def test_a_near_match_supports_only_what_says_the_same(passage: str, claim: str, status: str | None) -> None:
    match = locate(claim, passage)
    assert match is not None
    assert match.method == "fuzzy"
    text = f"{passage} {TEXT}"
    assert step_evidence(claim, Source(text, split(text))).status == status


ARMS = "In the treated arm pain increased over twelve weeks. In the sham arm pain decreased over twelve weeks."


@pytest.mark.parametrize(
    ("passage", "claim", "status"),
    [
        (ARMS, "In the treated arm pain increased over twelve weeks.", "supported"),
        (ARMS, "In the sham arm pain decreased over twelve weeks.", "supported"),
        (ARMS, "In the treated arm pain decreased over twelve weeks.", "contradicted"),
        ("As said, the drug reduced pain in older adults.", "The drug reduced pain in older adults.", "supported"),
        ("Nobody knows whether the drug reduced pain in older adults.", "The drug reduced pain in older adults.", None),
        ("It reduced pain in older adults, but not in younger ones.", "It reduced pain in older adults", None),
        (
            "There was no evidence in any of these trials that the drug reduced pain in older adults.",
            "The drug reduced pain in older adults.",
            "contradicted",
        ),
        (
            "The drug reduced pain in older adults, whereas in others, who cannot take it, it was not tried.",
            "The drug reduced pain in older adults.",
            None,
        ),
        ("The drug reduced pain in older adults in none of the trials.", "The drug reduced pain in older adults", None),
    ],
)
def test_what_stands_word_for_word_is_contradicted_by_its_own_sentence_alone(
    passage: str, claim: str, status: str | None
) -> None:
    assert step_evidence(claim, Source(passage, split(passage))).status == status


@given(st.permutations(ARMS.split()), st.permutations(ARMS.split()))
def test_no_sentence_of_a_passage_is_contradicted_by_the_passage(one: list[str], other: list[str]) -> None:
    sentences = [" ".join(words).replace(".", "").capitalize() + "." for words in (one, other)]
    text = " ".join(sentences)
    source = Source(text, split(text))
    assert [step_evidence(sentence, source).status for sentence in sentences] == ["supported"] * 2
