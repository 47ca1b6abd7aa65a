"""Invariants of stage 1, which asks for questions of several types and checks them.

1. The text's hash and the seed alone fix the order of the types. Each of the seven is the first of 10 to 19% of 700 texts.
2. A pool has at most one question of a type, the first usable one of all tries, and why the others were rejected.
3. A question that refers to its source, names nothing of its passage, contains machine text, says nothing, or repeats an
   earlier one is rejected, and the model is told the reason.
4. Text, type and seed fix what a question is like: who asks, about which part of the passage, how long, with which claim.
5. A question is one line of text, and keeps who asks and at which level.
"""

import re
from collections import Counter
from typing import Any

import pytest

from programs.asking.ask import Ask
from programs.asking.reply import RejectedTry, Reply
from programs.inputs.sample import content_id
from programs.rejection import Reason, Rejection
from programs.stages.questions import QuestionPool, QuestionStage, question_problems, type_order
from signatures.question_type import QUESTION_TYPES
from signatures.questions import ASKERS, CLAIMS, FIGURE, MAX_QUESTION_WORDS, MIN_WORDS_FOR_TWO, ONE_THING, TWO_THINGS
from signatures.vocabulary import ASKING
from tests.builders import TEXT, good_output, passage, reply_to, sample, tracer

STAGE = tracer().questions


def ask(kind: str, text: str = TEXT, setting: Any = "closed", seed: int = 0) -> Ask:
    return STAGE.ask(passage(text), kind, setting, seed)


def output(kind: str, text: str = "") -> dict[str, Any]:
    """A draft for a type, by default a good one."""
    good: dict[str, Any] = good_output(ask(kind))
    return {**good, "question": text or good["question"]}


def reply(kind: str, *texts: str) -> Reply:
    """A reply in which all but the last text were rejected."""
    *rejected, last = (output(kind, text) for text in texts or ("",))
    return Reply(status="ok", output=last, rejected=[RejectedTry(output=each, problems=["no"]) for each in rejected])


def pool(**replies: Reply) -> QuestionPool:
    return STAGE.pool(passage(), replies)


@pytest.mark.parametrize("seed", [0, 1, 2, 42])
def test_every_type_comes_first_equally_often(seed: int) -> None:
    firsts = Counter(type_order(content_id(f"Text number {number}."), seed)[0] for number in range(700))
    assert set(firsts) == set(QUESTION_TYPES)
    assert all(70 <= count <= 133 for count in firsts.values()), firsts


def test_the_order_for_a_known_text_does_not_change() -> None:
    order = ["application", "comparison", "interpretation", "limitation", "clarification", "mechanism", "critical"]
    assert type_order("0123456789abcdef", 0) == order


UNUSABLE = "What do the authors say about it in this study of theirs?"


def test_the_first_usable_question_of_each_type_is_kept() -> None:
    better = "Why does the scatter between exposures\n grow towards fainter targets?"
    drafts = {"critical": [UNUSABLE, better], "mechanism": [UNUSABLE], "limitation": []}
    found = pool(**{kind: reply(kind, *texts) for kind, texts in drafts.items()})
    assert [(question.type, question.text) for question in found.questions] == [
        ("critical", " ".join(better.split())),
        ("limitation", output("limitation")["question"]),
    ]
    assert [(question.type, question.text, question.rejection.reason) for question in found.rejected] == [
        ("critical", UNUSABLE, Reason.REFERS_TO_SOURCE),
        ("mechanism", UNUSABLE, Reason.REFERS_TO_SOURCE),
    ]
    assert {question.audience for question in found.questions} == {"curious student"}
    unread = Reply(status="unread", rejected=[RejectedTry(text="not JSON", problems=["no"])])
    assert pool(critical=unread) == QuestionPool(questions=[], rejected=[])


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        (
            "What does Figure 3 show about the amplitude of the lensing signal?",
            Reason.REFERS_TO_SOURCE,
            "refers to its source",
        ),
        ('What follows from {"properties": {"a": 1}} for the amplitude?', Reason.FORM, "JSON schema"),
        ("I'm sorry, but I can't write a question about that passage today.", Reason.NOTHING_ASKED, "refusal"),
        ("????????????????????????", Reason.FORM, "no words"),
        ("Can you explain this a little further, please?", Reason.OFF_SUBJECT, "names nothing of it"),
    ],
)
def test_an_unusable_question_is_rejected_with_its_reason(text: str, kind: Reason, reason: str) -> None:
    (rejected,) = pool(critical=reply("critical", text)).rejected
    problems = [problem.detail for problem in question_problems(text, TEXT)]
    assert rejected.rejection == Rejection(reason=kind, detail="; ".join(problems))
    assert reason in rejected.rejection.detail
    asked = ask("critical")
    assert asked.check([asked.read(output("critical", text))]) == problems
    assert asked.check([asked.read(output("critical", text)), asked.read(output("critical"))]) == []


@pytest.mark.parametrize(
    "text",
    [
        "We measured a lensing amplitude in eight fields; is that enough to see the scatter?",
        "Our data show that the scatter grows towards faint targets. Must it bias the amplitude?",
        "Our study of the scatter had eight exposures; is that too few for an amplitude?",
    ],
)
def test_the_asker_may_mention_their_own_work(text: str) -> None:
    assert question_problems(text, TEXT) == ()


def test_a_question_that_repeats_an_earlier_one_is_rejected() -> None:
    first = "Why does the scatter between repeated exposures grow towards fainter targets?"
    again = "Explain why the scatter between repeated exposures grows towards fainter targets."
    (rejected,) = pool(clarification=reply("clarification", first), mechanism=reply("mechanism", again)).rejected
    assert rejected.rejection == Rejection(reason=Reason.SAME_QUESTION, detail=f"asks the same as: {first}")
    assert rejected.type == "mechanism"


def test_the_stage_is_told_what_the_answer_can_use() -> None:
    asked = ask("critical")
    assert asked.inputs == {**asked.inputs, "passage": passage().shown, "given": ASKING["closed"]}
    assert set(asked.inputs) == {"passage", "given", "wanted"}
    assert ask("critical", setting="open").inputs["given"] == ASKING["open"]
    assert asked.key == f"questions/{sample().id}/critical"
    assert reply_to(asked, output("critical")).status == "ok"


def test_the_properties_of_each_question_are_drawn() -> None:
    wanted = {kind: str(ask(kind).inputs["wanted"]) for kind in QUESTION_TYPES}
    assert wanted == {kind: str(ask(kind).inputs["wanted"]) for kind in QUESTION_TYPES}
    assert all(text.startswith(f"It asks {QUESTION_TYPES[kind].asks}.") for kind, text in wanted.items())
    wanted_by_text = [str(ask("critical", f"Text {number}. {TEXT}").inputs["wanted"]) for number in range(300)]
    for table, minimum in ((ASKERS, 15), ((*CLAIMS, ONE_THING, TWO_THINGS), 5)):
        counts = Counter(next(each for each in table if each in text) for text in wanted_by_text)
        assert set(counts) == set(table)
        assert min(counts.values()) >= minimum
    assert 150 <= sum(ONE_THING in text or TWO_THINGS in text for text in wanted_by_text) <= 210
    limits = [str(ask("limitation", f"Text {number}. {TEXT}").inputs["wanted"]) for number in range(40)]
    assert all(any(each in text for each in (FIGURE, ONE_THING, TWO_THINGS)) for text in limits)
    assert 5 <= sum(FIGURE in text for text in limits) <= 20
    words = sorted(int(re.findall(r"about (\d+) words", text)[0]) for text in wanted_by_text)
    assert (words[0], words[-1]) == (QUESTION_TYPES["critical"].fewest_words, MAX_QUESTION_WORDS)
    assert 60 <= words[len(words) // 2] <= 80
    brief = [str(ask("mechanism", f"Text {number}. {TEXT}").inputs["wanted"]) for number in range(200)]
    fewest = {
        two: min(int(re.findall(r"about (\d+) words", text)[0]) for text in brief if (TWO_THINGS in text) is two)
        for two in (True, False)
    }
    assert fewest == {True: MIN_WORDS_FOR_TWO, False: QUESTION_TYPES["mechanism"].fewest_words}


def drawn(stage: QuestionStage, kind: str, text: str) -> int:
    """The number of the sentence that is drawn for a question to build on."""
    return int(re.findall(r"sentence (\d+)", str(stage.ask(passage(text), kind, "closed", 0).inputs["wanted"]))[0])


def test_the_questions_of_a_text_cover_all_parts_of_it() -> None:
    long = " ".join(f"In case {number} the scatter of the exposures grows." for number in range(70))
    numbers = [drawn(STAGE, kind, long) for kind in QUESTION_TYPES]
    assert sorted((number - 1) // 10 for number in numbers) == list(range(7))
    more = QuestionStage({"history": QUESTION_TYPES["critical"], **QUESTION_TYPES})
    assert [drawn(more, kind, long) for kind in QUESTION_TYPES] == numbers, "an added type moves no other"


def test_no_question_builds_on_a_heading() -> None:
    said = [f"In case {number} the scatter of the exposures grows." for number in range(9)]
    assert {drawn(STAGE, kind, "\n\n".join(["RESULTS", *said[:2], "TRIAL: NCT7"])) for kind in QUESTION_TYPES} == {2, 3}
    headed = "\n\n".join(f"RESULTS\n\n{sentence}" for sentence in said)
    assert all(drawn(STAGE, kind, headed) % 2 == 0 for kind in QUESTION_TYPES)
    assert {drawn(STAGE, kind, f"{said[0]}\n\nRESULTS") for kind in QUESTION_TYPES} == {1, 2}, "one is too few"
