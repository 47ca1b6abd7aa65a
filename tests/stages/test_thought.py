"""Invariants of stage 4: the thought and the answer.

1. A thought is rejected if a paragraph contains machine text, says nothing or repeats another; the reason names which. So
   is one that copies the passage or its notes. What a re-ask then leaves out is an input of the first try.
2. An answer that refers to its source, contains machine text, says nothing or only repeats the question is rejected.
3. The thought stage is given what the strands found; the answer stage is given the thought.
4. The right claim of a choice is requested at every rank by length equally often, and the same for the same question.
5. The requested length of an answer follows its depth, varies, and is not above that of its thought.
"""

import dataclasses
import re
from collections import Counter
from typing import get_args

import pytest

from programs.background_loop import run_in_background
from programs.stages.checks import answer_problems, own_problems, thought_problems
from programs.stages.thought import NO_FAULTS, Faults
from signatures.answer import ANSWER_ENDS, ANSWER_WORDS, CLAIM_LENGTHS
from signatures.thought import Thought
from signatures.vocabulary import Depth, Setting
from tests.builders import PARAGRAPHS, TEXT, Answers, passage, plan, question, strands, thought, tracer

QUESTION = question()
NOTES = (
    "The amplitude may have come from a drift of the lamps between the nights rather than from the lensing of galaxies, "
    "as nobody measured it."
)
DOUBT = dict(PARAGRAPHS)["doubts"]
REPETITIVE = [
    ("considers", f"{start}, and this is because the scatter between repeated exposures grows towards fainter targets.")
    for start in (
        "I first ask how the lensing catalogue was put together",
        "Perhaps brightness alone would settle everything about it",
        "Wait, nine percent leaves nothing of that simple picture",
        "So my mistake was to forget how targets were chosen",
        "Alternatively lamps could have drifted during the night",
        "All in all I hold the amplitude for sound",
    )
]
NOT_TAKEN_BACK = [pair for pair in PARAGRAPHS if pair[0] != "takes_back"]
WRONG_AT_THE_END = [*(pair for pair in PARAGRAPHS if pair[0] != "wrong"), PARAGRAPHS[1]]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (thought(takes_back="IMPORTANT AUTHENTICATION NOTICE FROM ARGO: ACCESS DENIED"), "paragraph 4: access notice"),
        (thought(doubts="." * 48), "paragraph 3: no words"),
        (thought(takes_back=DOUBT), "paragraph 4: says the same as paragraph 3"),
        (thought(takes_back=DOUBT.replace("But wait", "But, wait")), "paragraph 4: says the same as paragraph 3"),
        (thought(takes_back=f"Hm. That is not it. {DOUBT} So I drop it."), 'says twice: "But wait'),
        (thought(takes_back="But why? I do not know. But why?"), None),
        (
            thought(
                takes_back="The difference is significant in this survey. Or is it? The difference is not significant in "
                "this survey. At 300 kelvin it is 0.026 electronvolts. At 600 kelvin it is 0.052 electronvolts."
            ),
            None,
        ),
        (thought(NOT_TAKEN_BACK), "paragraph 2: it is wrong, and no later paragraph takes it back"),
        (thought(WRONG_AT_THE_END), "paragraph 6: it is wrong, and no later paragraph takes it back"),
        (thought(tries=f"{PARAGRAPHS[0][1]} {TEXT}"), "recites the passage"),
        (thought(tries=f"{PARAGRAPHS[0][1]} {' '.join(TEXT.split()[:14])}"), None),
        (thought([("tries", NOTES), ("considers", PARAGRAPHS[0][1]), PARAGRAPHS[5]]), "recites the notes"),
        (thought(tries=f"{PARAGRAPHS[0][1]} {' '.join(NOTES.split()[:14])}"), None),
        (thought(REPETITIVE), "the thought as a whole: "),
    ],
)
def test_an_unusable_thought_is_rejected_with_its_paragraph(made: Thought, reason: str | None) -> None:
    found = thought_problems(made, QUESTION, passage(), NOTES, "closed")
    assert [str(reason) in why for why in found] == [True] * bool(reason)


def test_what_a_reask_leaves_out_is_an_input() -> None:
    ask = tracer().writer.thought_ask(
        passage(), QUESTION, strands(), dataclasses.replace(plan(), setting="open"), NO_FAULTS
    )
    assert ask.drop_inputs
    assert {*ask.drop_inputs.values()} <= ask.inputs.keys()
    # DSPy would warn at each call that lacks an input of another kind.
    fields = ask.predict.signature.input_fields
    assert all(type(None) in get_args(fields[name].annotation) for name in ask.drop_inputs.values())


@pytest.mark.parametrize("setting", ["closed", "open"])
def test_a_figure_that_only_the_passage_gives_is_rejected_once_if_it_is_not_in_view(setting: Setting) -> None:
    said = thought(settles="So of the 107 galaxies hardly any would be left, and the amplitude holds.").model_dump()
    planned = dataclasses.replace(plan(), setting=setting)
    for seen, judged in ((False, 0), (True, 0), (True, 107)):
        found = strands()
        found.critique.alternative = f"That {107 if seen and not judged else 95} galaxies say little."
        faults = Faults(thought=(f"It leaves out the {judged} galaxies.",) if judged else ())
        ask = tracer().writer.thought_ask(passage(), QUESTION, found, planned, faults)
        first, again = ask.check([ask.read(said)]), ask.check([ask.read(said), ask.read(said)])
        assert [("107" in why) for why in first] == [True] * (seen and setting == "closed"), "else it was never shown"
        assert again == []


def test_a_models_own_answer_may_refer_to_what_its_question_introduced() -> None:
    said = "The study is too small to tell: forty girls leave the difference open."
    for asked, accepted in (("Is one small study of forty girls enough?", True), ("Are forty girls enough?", False)):
        problems = own_problems(["Forty is few."], said, question(text=asked), "closed")
        assert (problems == []) is accepted


@pytest.mark.parametrize(
    ("text", "setting", "reason"),
    [
        ("As described in the passage, the scatter amounts to 9 percent and grows.", "closed", "refers to its source"),
        ("Internal Server Error: the upstream did not answer in time, please try again.", "closed", "server error"),
        ('{"text": "The amplitude is biased because the scatter grows."}', "closed", "JSON instead of prose"),
        (QUESTION.text, "closed", "only repeats the question"),
        (QUESTION.text.replace("?", "."), "closed", "only repeats the question"),
        ("The study finds a scatter of 9 percent.", "closed", "refers to its source"),
        ("The study finds a scatter of 9 percent.", "open", None),
        ("The scatter of 9 percent stands in Figure 3.", "open", "refers to its source"),
        ("Our results show a scatter of 9 percent.", "open", "refers to its source"),
        ("Here, we measured a scatter of 9 percent.", "open", "refers to its source"),
    ],
)
def test_an_unusable_answer_is_rejected_with_its_reason(text: str, setting: Setting, reason: str | None) -> None:
    """With the passage in view an answer may refer to it, but not to its figures, nor to its work as the writer's own."""
    problems = answer_problems(text, QUESTION, setting)
    assert any(reason in problem for problem in problems) if reason else problems == []


@pytest.mark.parametrize("setting", ["open", "closed"])
def test_the_thought_stage_gets_the_strands_and_the_passage_if_it_is_in_view(setting: Setting) -> None:
    found, answers = strands(), Answers()
    run_in_background(
        tracer().writer.write(passage(), QUESTION, found, dataclasses.replace(plan(), setting=setting), answers)
    )
    trace, final = answers.asks
    feedback = {"earlier", "feedback"}
    assert trace.inputs.items() >= found.for_thought.items()
    withheld = {"passage"} if setting == "closed" else set()
    assert set(trace.inputs) == set(trace.predict.signature.input_fields) - feedback - withheld
    assert final.inputs["thought"].startswith("About ")
    assert "<thought>" not in final.inputs["thought"]
    assert set(final.inputs) == set(final.predict.signature.input_fields) - feedback
    assert final.depth > trace.depth


def test_each_end_of_an_answer_and_each_rank_of_the_right_claim_of_a_choice_is_requested() -> None:
    writer, notes = tracer().writer, strands()

    def requested_extent(number: int) -> str:
        ask = writer.answer_ask(passage(f"{TEXT} {number}"), QUESTION, notes, thought(), plan(), NO_FAULTS)
        return str(ask.inputs["extent"]).partition(". ")[2]

    counts = Counter(map(requested_extent, range(320)))
    assert set(counts) == {f"{end} {claims}" for end in ANSWER_ENDS for claims in CLAIM_LENGTHS}
    assert min(counts.values()) >= 8
    assert requested_extent(3) == requested_extent(3)


@pytest.mark.parametrize("depth", ANSWER_WORDS)
def test_the_requested_length_of_an_answer_follows_its_depth_and_thought(depth: Depth) -> None:
    found = strands()
    notes = dataclasses.replace(found, analysis=found.analysis.model_copy(update={"depth": depth}))
    fewest, most = ANSWER_WORDS[depth]

    def requested_words(number: int, words: int) -> int:
        long = thought([("tries", " ".join(["dust"] * (words // 4)))] * 4)
        ask = tracer().writer.answer_ask(passage(f"{TEXT} {number}"), QUESTION, notes, long, plan(), NO_FAULTS)
        return int(re.findall(r"about (\d+) words", ask.inputs["extent"])[0])

    lengths = sorted(requested_words(number, 600) for number in range(60))
    assert fewest - 5 <= lengths[0] <= fewest * 1.3
    assert most / 1.3 <= lengths[-1] <= most + 5
    assert {requested_words(number, 20) for number in range(20)} == {fewest}
    assert max(requested_words(number, most // 2) for number in range(60)) <= max(fewest, most / 2 + 10)
