"""A truth table: what leans on an absent source, by which rule, and what only looks like it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.checks.self_contained import RULES, leaning

LEANS = [
    ("What does the paper conclude about dark energy?", "document"),
    ("How large is the effect in this study?", "document"),
    ("Why does the passage compare two masks?", "document"),
    ("What does the text say about reionization?", "document"),
    ("Which dust model does the excerpt prefer?", "document"),
    ("What is claimed by the article?", "document"),
    ("According to the study, is the Hubble tension real?", "document"),
    ("According to the paper, what sets the scale?", "document"),
    ("What is the main finding of the study of 212 galaxies?", "document"),
    ("How was the bias treated in the present study?", "document"),
    ("What limits the present work?", "document"),
    ("What is new in this work?", "document"),
    ("This work shows that halos merge.", "document"),
    ("Is the given passage convincing?", "document"),
    ("Does the following text describe inflation?", "document"),
    ("Is the study's sample large enough?", "document"),
    ("What did our paper find?", "document"),
    ("The abstract states a value of 70.", "document"),
    ("See the methods section for the mask.", "document"),
    ("Why do the authors reject a fifth force?", "authors"),
    ("What is the authors' view of feedback?", "authors"),
    ("Which caveat does the author raise?", "authors"),
    ("What did the researchers measure?", "authors"),
    ("Why did the team mask the plane?", "authors"),
    ("How do the astronomers correct for dust?", "authors"),
    ("What is shown in Figure 3?", "figure"),
    ("Does Fig. 2 support the claim?", "figure"),
    ("Compare Figs. 2 and 3.", "figure"),
    ("Read the slope from figure S1.", "figure"),
    ("What trend appears in the figure?", "figure"),
    ("What can be read from the plot?", "figure"),
    ("Which entry of Table 1 is largest?", "table"),
    ("List the masses of Table II.", "table"),
    ("As argued in Section 4, halos are triaxial.", "section"),
    ("Use the method of Sec. 3.2 here.", "section"),
    ("This follows from § 5.", "section"),
    ("The proof is on page 12.", "section"),
    ("Details are in Appendix A.", "section"),
    ("Insert this into equation (5).", "equation"),
    ("What does Eq. 7 imply?", "equation"),
    ("Combine Eqs. (3) and (4).", "equation"),
    ("What does sentence 4 claim?", "sentence number"),
    ("Sentences 2 and 3 contradict it.", "sentence number"),
    ("The dipole is robust [12].", "citation"),
    ("Earlier work found the same [3, 4].", "citation"),
    ("Several groups agree [5-7].", "citation"),
    ("[2] says that the mask matters.", "citation"),
    ("As mentioned above, the dipole is weak.", "earlier text"),
    ("As described earlier, it fails.", "earlier text"),
    ("Which of the above is correct?", "earlier text"),
    ("Given the above, what follows?", "earlier text"),
    ("Is the aforementioned model stable?", "earlier text"),
    ("Why does the described method fail?", "earlier text"),
    ("Use the provided data to decide.", "given material"),
    ("In the given scenario, what cools?", "given material"),
    ("Based on the given information, is it bound?", "given material"),
    ("According to the results, is the dipole real?", "source"),
    ("According to the provided information, is it real?", "source"),
    ("Based on the context, which model wins?", "source"),
    ("What do our results imply for inflation?", "own work"),
    ("How did we find the amplitude? Because we measured it twice.", "own work"),
    ("We find that the amplitude is 0.066. Why?", "own work"),
    ("How does our sample compare with SDSS?", "own work"),
]

STANDS_ALONE = [
    "Why does table salt dissolve in water?",
    "What is the figure of merit of a dark-energy survey?",
    "How does a study of supernovae constrain expansion?",
    "Where does helium stand in the periodic table?",
    "Which section of the sky does the plane cover?",
    "How fast can text messages be sent by radio?",
    "Is a cross section of 3 barns large?",
    "Why does the cross section 3 decades above threshold fall?",
    "What happens during the passage of a shock through a cloud?",
    "How does the passage from laminar to turbulent flow begin?",
    "Why does the passage of time feel uneven?",
    "How is the paper strip used in chromatography?",
    "Can the paper by Hubble be read without its distance errors?",
    "What did the study of variable stars teach us?",
    "A study of 40 dwarfs finds a core. What could the study have missed?",
    "A team measures the spin of a black hole. How could the team test its model?",
    "Researchers heat a gas to 300 K. What do the researchers see?",
    "A recent paper claims a fifth force. Which test would refute the paper?",
    "What did the authors of a survey of quasars assume?",
    "What do scientists know about dark matter?",
    "How do astronomers measure distances?",
    "According to the second law of thermodynamics, can entropy fall?",
    "According to the Standard Model, are neutrinos massless?",
    "According to general relativity, does light bend?",
    "According to the data from Planck, how flat is space?",
    "According to the results of the Michelson-Morley experiment, is there an ether?",
    "Can three bodies move in a figure 8 orbit?",
    "Is a figure of 70 km/s/Mpc realistic?",
    "Why is the figure 2.3 sigma often misread?",
    "Solve the equation 2x + 3 = 7.",
    "Is equation 3 = x trivial?",
    "What does the equation of state w describe?",
    "Why is an equation needed here?",
    "Does x lie in the interval [0, 1]?",
    "Is the range [10, 20] wide enough?",
    "Why is [18]F used in PET?",
    "What does a[3] return in C?",
    "Why does temperature rise above the photosphere?",
    "What lies above 100 km?",
    "How do above-ground detectors veto muons?",
    "What is the energy provided by fusion?",
    "A star is stable provided that gravity balances pressure.",
    "For a given mass, which halo is denser?",
    "At the given temperature, hydrogen is neutral.",
    "What does redshift mean in the context of expansion?",
    "How do we know that our Galaxy has a black hole?",
    "Why do we find ourselves in a flat universe?",
    "If we found a second dipole, what would follow?",
    "What could we measure with a larger dish?",
    "Solving for the distance, we find d = 100 Mpc.",
    "Can our Sun become a supernova?",
    "How does this work in practice?",
    "Why does this work for light but not for sound?",
    "How much of this work done by the gas is lost?",
    "Does the appendix help digestion?",
    "What is an abstract space in mathematics?",
    "How long is a sentence 4 words long to read?",
    "Why do articles of faith not count as evidence?",
    "How do textbooks define a parsec?",
    "Why are 3 figures enough for a slide rule?",
    "What makes a table 2 m long sag?",
    "How does the team at CERN calibrate its magnets?",
    "What does Smith et al. (2010) mean by a void?",
    "In case studies, how are confounders treated?",
]


@pytest.mark.parametrize(("text", "reason"), LEANS)
def test_leans(text: str, reason: str) -> None:
    assert reason in [hit.reason for hit in leaning(text)]


@pytest.mark.parametrize("text", STANDS_ALONE)
def test_stands_alone(text: str) -> None:
    assert leaning(text) == []


def test_every_rule_name_is_in_the_truth_table() -> None:
    assert {rule.name for rule in RULES} == {reason for _, reason in LEANS}


@given(st.lists(st.sampled_from([text for text, _ in LEANS] + STANDS_ALONE), max_size=6))
def test_hits_are_ordered_disjoint_and_say_what_they_found(texts: list[str]) -> None:
    text = " ".join(texts)
    hits = leaning(text)
    assert all(text[hit.start : hit.end] == hit.phrase != "" for hit in hits)
    assert all(a.end <= b.start for a, b in pairwise(hits))


def test_an_introduction_must_come_first() -> None:
    assert leaning("What could the study have missed? A study of 40 dwarfs finds a core.")
