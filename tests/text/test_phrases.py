"""Truth tables: phrases that refer to an absent source or show how a text was made, by rule, and plain English that only
looks like them, alone or with a question."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.text.phrases import (
    ARTEFACT_RULES,
    ASKER,
    FORM,
    HYPOTHESIS,
    NOTES,
    SENTENCE,
    SOURCE_REFERENCE_RULES,
    artefacts,
    source_references,
    strip_source,
)
from tests.text.tables import cases, texts

REFERENCES = cases(
    {
        "document": r"""
            What does the paper conclude about dark energy? | How large is the effect in this study? |
            Why does the passage compare two masks? | What does the text say about reionization? |
            Which dust model does the excerpt prefer? | What is claimed by the article? |
            According to the study, is the Hubble tension real? | According to the paper, what sets the scale? |
            What is the main finding of the study of 212 galaxies? | How was the bias treated in the present study? |
            What limits the present work? | What is new in this work? | This work shows that halos merge. |
            Is the given passage convincing? | Does the following text describe inflation? |
            Is the study's sample large enough? | What did our paper find? | The abstract states a value of 70. |
            The context explicitly states the value. |
            Medication was not controlled for in this study. |
            These papers report that lithium plates. | From the articles it is clear that the tax failed. |
            These excerpts state that the choir sang. | The report says that floods double.
        """,
        "authors": r"""
            Why do the authors reject a fifth force? | What is the authors' view of feedback? |
            Which caveat does the author raise? | What did the researchers measure? |
            Why did the team mask the plane? | How do the astronomers correct for dust?
        """,
        "part of a document": r"""
            What is shown in Figure 3? | Does Fig. 2 support the claim? | Compare Figs. 2 and 3. |
            Read the slope from figure S1. | What trend appears in the figure? | What can be read from the plot? |
            Which entry of Table 1 is largest? |
            As argued in Section 4, halos are triaxial. | Use the method of Sec. 3.2 here. | This follows from § 5. |
            The proof is on page 12. | Details are in Appendix A. | Insert this into equation (5). |
            What does Eq. 7 imply? | Combine Eqs. (3) and (4).
        """,
        "source": r"""
            Use the provided data to decide. | Based on the given information, is it bound? |
            According to the provided information, is it real? | Based on the context, which model wins? |
            Why does the described method fail? | In the given scenario, what cools? |
            Could the findings presented here bear on dark matter?
        """,
        "own work": r"""
            What do our results imply for inflation? | How did we find the amplitude? Because we measured it twice. |
            The scatter is large and we report it here. | How does our sample compare with SDSS? |
            Our study found that the drug helps.
        """,
    }
)

NO_REFERENCES = texts(
    r"""
    The texts say that the dam leaks. |
    A retriever fetches ten texts, and a model reads the passages: does their order matter? |
    Why does table salt dissolve in water? | What is the figure of merit of a dark-energy survey? |
    How does a study of supernovae constrain expansion? | Where does helium stand in the periodic table? |
    Which section of the sky does the plane cover? | How fast can text messages be sent by radio? |
    Is a cross section of 3 barns large? | Is the cross section 3 times as large? | Vaginal 0.48, sections 0.52: is it 1? |
    What happens during the passage of a shock through a cloud? |
    Can the paper by Hubble be read without its distance errors? |
    What did the study of variable stars teach us? |
    A study of 40 dwarfs finds a core. What could the study have missed? |
    A team measures the spin of a black hole. How could the team test its model? |
    Researchers heat a gas to 300 K. What do the researchers see? |
    A recent paper claims a fifth force. Which test would refute the paper? |
    A report from our insurer puts it at 5%. The report says that floods double. Is that right? |
    According to the Standard Model, are neutrinos massless? | According to general relativity, does light bend? |
    Can three bodies move in a figure 8 orbit? | Is a figure of 70 km/s/Mpc realistic? |
    What does the equation of state w describe? | Why is an equation needed here? |
    Does x lie in the interval [0, 1]? | Is the range [10, 20] wide enough? | Why is [18]F used in PET? |
    A star is stable provided that gravity balances pressure. | For a given mass, which halo is denser? |
    At the given temperature, hydrogen is neutral. | What does redshift mean in the context of expansion? |
    How do we know that our Galaxy has a black hole? | Why do we find ourselves in a flat universe? |
    If we found a second dipole, what would follow? | What could we measure with a larger dish? |
    How does this work in practice? | Why does this work for light but not for sound? |
    How does the team at CERN calibrate its magnets? | What does Smith et al. (2010) mean by a void? |
    In case studies, how are confounders treated? |
    Does the paper "On the Electrodynamics of Moving Bodies" need an ether? |
    If we measured the spin twice, what would we gain?
    """
)

STUDY = "In a randomised study, researchers compared two doses in 40 patients. Is the higher one better?"
INTRODUCED = [
    ("The study shows only that it is tolerated.", STUDY),
    ("The researchers would have had to blind the nurses.", STUDY),
    ("Nobody drew lots in this study.", "Is one small study of 30 girls enough?"),
    ("The team could have swapped the lamps.", "In an earlier trial, 14 of 14 recovered. How far does that reach?"),
    ("The team stresses the bolts too often.", "Our crane creaks; we load it twice a day. Is that too much?"),
    ("Vaginal births 96, sections 104.", "Of our births 15 in 100 are a planned section. How many is that?"),
    ("The study is too small to tell.", "Our study had eight cases; is that too few?"),
    ("Dividing, 3 over 14 is 0.21. We conclude that the yield is high.", STUDY),
    ("The papers agree on a half-life.", "I read papers on this. Can its half-life be 5 days?"),
    ("In the present analysis the weakest step is the selection.", STUDY),
    ("With the given figures, the described method gains little.", STUDY),
    ("I read 14 of 14 as none lost. The numbers in the question are medians.", STUDY),
    ("A trial would settle it. The trial needs 200 patients, and the study at least a year.", ""),
]
NOT_INTRODUCED = [
    ("The paper does not say how they were chosen.", STUDY),
    ("The authors also found a correlation.", STUDY),
    ("We know this: the team found a correlation.", "Is a correlation of 0.3 worth a second look?"),
    ("The text says nothing about the spread.", STUDY),
    ("Based on the provided context, yes.", STUDY),
    ("It is higher, as Table 2 has it.", STUDY),
    ("It is higher, as section 3 has it.", "Which section of the sky is it?"),
    ("It is higher, as Table 2 has it.", "Is a planned section safer?"),
    ("The excerpt gives a p of .03.", STUDY),
    ("I should keep in mind that the study did not control for it.", "Which explanation fits equal thresholds?"),
]


@pytest.mark.parametrize(("text", "reason"), REFERENCES)
def test_references_to_a_source_are_found(text: str, reason: str) -> None:
    assert reason in [hit.reason for hit in source_references(text)]


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("According to the passage, why does dust redden light?", "Why does dust redden light?"),
        ("Based on the information provided, is dust red?", "Is dust red?"),
        ("Based on the information provided in the text, which dust is red?", "Which dust is red?"),
        ("In this study, the dust was red. Why?", "The dust was red. Why?"),
        ("Which dust is red, according to the passage? And why?", "Which dust is red? And why?"),
        ("mRNA was low. Why so, based on the text?", "mRNA was low. Why so?"),
        ("According to the study, which followed 212 people, is it so?", None),
        ("What is dust according to the passage of the Veda?", None),
        (
            "In this study area, what grows? | Given the context of dust, why so? | According to the passage, mRNA is.",
            None,
        ),
        ("From the paper, by Hubble, why is it so?", None),
    ],
)
def test_words_that_only_name_the_source_are_removed(text: str, rest: str | None) -> None:
    assert [strip_source(each) for each in texts(text)] == [rest or each for each in texts(text)]


@pytest.mark.parametrize("text", NO_REFERENCES)
def test_plain_english_has_no_references(text: str) -> None:
    assert source_references(text) == []


@pytest.mark.parametrize(("text", "question"), INTRODUCED)
def test_a_text_may_refer_to_what_it_or_its_question_introduces(text: str, question: str) -> None:
    assert source_references(text, given=question) == []


@pytest.mark.parametrize(("text", "question"), NOT_INTRODUCED)
def test_a_question_forgives_only_what_it_introduces(text: str, question: str) -> None:
    assert source_references(text, given=question)


@given(st.lists(st.sampled_from([text for text, _ in REFERENCES] + NO_REFERENCES), max_size=6))
def test_references_are_ordered_disjoint_and_quote_the_text(texts: list[str]) -> None:
    text = " ".join(texts)
    hits = source_references(text)
    assert all(text[hit.start : hit.end] == hit.phrase != "" for hit in hits)
    assert all(a.end <= b.start for a, b in pairwise(hits))


ARTEFACTS = [
    *cases(
        {
            SENTENCE: r"""
            There was no difference, as stated in sentence 8. | Sentences 2 and 3 contradict it. |
            Thresholds were higher (p = .03) [9]. | Several of them agree with [2].
        """,
            HYPOTHESIS: r"""
            Hypothesis 1 says that the deficit comes first. | So hypothesis B is wrong. | Hypotheses 1 and 2 differ.
        """,
            NOTES: r"""
            The evidence says that there was none. | The critique says that the sample is small. |
            The critique also mentions attention. |
            It is in the notes, so it holds. | The context provided calls for care. | From the evidence given, it holds. |
            The strands say that selection matters. | Based on the analysis provided, it holds. |
            All the evidence provided points to dust. | By the observations and the thought presented, it is dust. |
            The relevant sentences are about dust. | It follows from the given scientific text.
        """,
            FORM: r"""
            That was my wrong turn. | Now takes_back. | Doubts: is 14 the median? |
            **wrong** So the count rises. |
            [wonders] Who was never asked?
        """,
            ASKER: r"""
            I think about what the person wants. | The user asks whether it holds. |
            What the user wants is a number. | The asker has a misconception. | This reader needs an image. |
            The person who asks wants a number. | This person wants to know why.
        """,
        }
    ),
    ("It is so.\n\n**Takes back:** it is not.", FORM),
]

TO_LEARNERS = texts("""
    For a student: ask who was not checked. | So far so good. For a sceptic I’d say it is a scale set to a known weight. |
    A student should ask of any perfect score who never got into it. | The student asks for the mechanism.
""")

NO_ARTEFACTS = texts(
    r"""
    It helps nobody but the person it happens to. |
    The null hypothesis survives; one hypothesis would be dust. |
    One hypothesis is dust, another is age. The first hypothesis predicts a colour. |
    I reject the null hypothesis 5% of the time, and the hypothesis 2.5 sigma away never. |
    The evidence shows little, and it rests on the evidence given in court. |
    The probability of the hypothesis given the data is small. | Under the given hypothesis, 3 of 20 fail. |
    The evidence given so small a sample is thin. |
    A person stands on a scale. The person jumps, and it reads more. |
    The person who was never rechecked is what I can't see. |
    The person I spoke to keeps bees. | The person taking the drug sleeps less. | The person behind the wheel was tired. |
    The person we hired wants a raise, and the person asked to leave was ill. |
    This feedback isn't made or isn't used; stellar feedback heats the gas. |
    Check: 3 times 4 is 12. Wrong. Correction: I forgot the carbon. |
    Does x lie in [0, 1]? The range [10, 20] is wide, and [18]F decays. |
    The median was 60 [50-80] minutes, with F [1, 30] = 0.6. | [O/Fe] falls with [Fe/H]. |
    A sentence 4 words long is short. | I'm asked what this says about tracking. |
    The analysis shows that p is .04. The notes of a chord beat, and RNA strands fold. |
    For a halo of this size I'd say 3 percent. To a first approximation I'd say yes. |
    If a surgeon thought an ovary was dead he took it out, and the surgeon's eye is what is in doubt. |
    I'd tell the parents that it may not survive. | The user can choose a mask. |
    What is the critique of pure reason? | He was instructed to rest, and the DNA carries the instructions. |
    Hmm. It takes back what it gave. Who doubts: nobody.
    """
)


@pytest.mark.parametrize(("text", "reason"), ARTEFACTS)
def test_artefacts_are_found_with_their_reason(text: str, reason: str) -> None:
    found = artefacts(text)
    assert reason in [fault.reason for fault in found]
    assert all(text[fault.start : fault.end] == fault.phrase for fault in found)


@pytest.mark.parametrize("text", TO_LEARNERS)
def test_speaking_to_a_learner_is_an_artefact(text: str) -> None:
    assert [fault.reason for fault in artefacts(text)] == [ASKER]


@pytest.mark.parametrize("text", NO_ARTEFACTS)
def test_plain_english_has_no_artefacts(text: str) -> None:
    assert artefacts(text) == []


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("For a student I'd say: wait.", "What should a student do?"),
        ("So hypothesis B is wrong.", "Does hypothesis A or hypothesis B fit?"),
        ("The person asks for 9.8.", "How fast does a person in a lift fall?"),
    ],
)
def test_what_the_question_mentions_is_no_artefact(text: str, question: str) -> None:
    assert artefacts(text)
    assert artefacts(text, given=question) == []


def test_every_rule_is_in_a_truth_table() -> None:
    assert {rule.reason for rule in SOURCE_REFERENCE_RULES} == {reason for _, reason in REFERENCES}
    assert {rule.reason for rule in ARTEFACT_RULES} == {reason for _, reason in ARTEFACTS}
