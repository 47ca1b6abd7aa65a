"""Invariants of stage 1: a question of a type, checked; the types in an order that the text fixes.

1. The order is fixed by the text's hash and the seed alone; each of the seven types leads 10 to 19 per cent of 700 texts.
2. A pool holds at most one question a type, the first usable one over all its tries, and why the others were not taken.
3. A question that leans on its source, names nothing of its passage, leaks machine text, says nothing, or asks what an
   earlier one asks is rejected with the reason, which goes back.
4. What a question is like is drawn by text, type and seed: who asks, of which part of the passage, how long, which way.
5. Text is one line; who asks and at which level is kept.
"""

import re
from collections import Counter
from typing import Any

import pytest

from programs.asking.ask import Ask
from programs.asking.reply import Rejected, Reply
from programs.inputs.sample import content_id
from programs.rejection import Reason, Rejection
from programs.stages.questions import QuestionPool, QuestionStage, problems_of, type_order
from signatures.question_type import QUESTION_TYPES
from signatures.questions import ASKERS, CLAIMS, MAX_QUESTION_WORDS, NO_CLAIM
from signatures.vocabulary import ASKING
from tests.making import TEXT, answered, good_output, passage, sample, tracer

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
    return Reply(status="ok", output=last, rejected=[Rejected(output=each, problems=["no"]) for each in rejected])


def pool(**replies: Reply) -> QuestionPool:
    return STAGE.pool(passage(), replies)


@pytest.mark.parametrize("seed", [0, 1, 2, 42])
def test_every_type_leads_equally_often(seed: int) -> None:
    leads = Counter(type_order(content_id(f"Text number {number}."), seed)[0] for number in range(700))
    assert set(leads) == set(QUESTION_TYPES)
    assert all(70 <= count <= 133 for count in leads.values()), leads


def test_known_orders_do_not_change() -> None:
    order = ["application", "comparison", "interpretation", "limitation", "clarification", "mechanism", "critical"]
    assert type_order("0123456789abcdef", 0) == order


BAD = "What do the authors say about it in this study of theirs?"


def test_the_first_usable_question_of_each_type_is_taken() -> None:
    better = "Why does the scatter between exposures\n grow towards fainter targets?"
    drafts = {"critical": [BAD, better], "mechanism": [BAD], "limitation": []}
    found = pool(**{kind: reply(kind, *texts) for kind, texts in drafts.items()})
    assert [(one.type, one.text) for one in found.questions] == [
        ("critical", " ".join(better.split())),
        ("limitation", output("limitation")["question"]),
    ]
    assert [(one.type, one.text, one.rejection.reason) for one in found.rejected] == [
        ("critical", BAD, Reason.LEANS),
        ("mechanism", BAD, Reason.LEANS),
    ]
    assert {one.audience for one in found.questions} == {"curious student"}
    unread = Reply(status="unread", rejected=[Rejected(text="not JSON", problems=["no"])])
    assert pool(critical=unread) == QuestionPool(questions=[], rejected=[])


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("What does Figure 3 show about the amplitude of the lensing signal?", Reason.LEANS, "leans on its source"),
        ('What follows from {"properties": {"a": 1}} for the amplitude?', Reason.FORM, "JSON schema"),
        ("I'm sorry, but I can't write a question about that passage today.", Reason.NOTHING_ASKED, "refusal"),
        ("????????????????????????", Reason.FORM, "no words"),
        ("Can you explain this a little further, please?", Reason.OFF_SUBJECT, "names nothing of it"),
    ],
)
def test_a_question_that_is_none_is_rejected(text: str, kind: Reason, reason: str) -> None:
    (rejected,) = pool(critical=reply("critical", text)).rejected
    problems = [problem.detail for problem in problems_of(text, TEXT)]
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
def test_who_asks_may_speak_of_work_of_their_own(text: str) -> None:
    assert problems_of(text, TEXT) == ()


def test_a_question_that_repeats_an_earlier_one_is_rejected() -> None:
    first = "Why does the scatter between repeated exposures grow towards fainter targets?"
    again = "Explain why the scatter between repeated exposures grows towards fainter targets."
    (rejected,) = pool(clarification=reply("clarification", first), mechanism=reply("mechanism", again)).rejected
    assert rejected.rejection == Rejection(reason=Reason.SAME_QUESTION, detail=f"asks the same as: {first}")
    assert rejected.type == "mechanism"


def test_the_stage_is_told_what_an_answer_will_have() -> None:
    asked = ask("critical")
    assert asked.inputs == {**asked.inputs, "passage": passage().shown, "given": ASKING["closed"]}
    assert set(asked.inputs) == {"passage", "given", "wanted"}
    assert ask("critical", setting="open").inputs["given"] == ASKING["open"]
    assert asked.key == f"questions/{sample().id}/critical"
    assert answered(asked, output("critical")).status == "ok"


def test_what_questions_are_like_is_drawn_for_each() -> None:
    told = {kind: str(ask(kind).inputs["wanted"]) for kind in QUESTION_TYPES}
    assert told == {kind: str(ask(kind).inputs["wanted"]) for kind in QUESTION_TYPES}
    assert all(text.startswith(f"It asks {QUESTION_TYPES[kind].asks}.") for kind, text in told.items())
    many = [str(ask("critical", f"Text {number}. {TEXT}").inputs["wanted"]) for number in range(300)]
    for table, least in ((ASKERS, 15), ((*CLAIMS, NO_CLAIM), 5)):
        counts = Counter(next(each for each in table if each in text) for text in many)
        assert set(counts) == set(table)
        assert min(counts.values()) >= least
    assert 150 <= sum(NO_CLAIM in text for text in many) <= 210
    assert all(NO_CLAIM in str(ask("limitation", f"Text {number}. {TEXT}").inputs["wanted"]) for number in range(40))
    words = sorted(int(re.findall(r"about (\d+) words", text)[0]) for text in many)
    assert (words[0], words[-1]) == (QUESTION_TYPES["critical"].fewest_words, MAX_QUESTION_WORDS)
    assert 60 <= words[len(words) // 2] <= 80


def drawn(stage: QuestionStage, kind: str, text: str) -> int:
    """The sentence that a question is to grow out of."""
    return int(re.findall(r"sentence (\d+)", str(stage.ask(passage(text), kind, "closed", 0).inputs["wanted"]))[0])


def test_the_questions_of_a_text_are_about_all_of_it() -> None:
    long = " ".join(f"In case {number} the scatter of the exposures grows." for number in range(70))
    places = [drawn(STAGE, kind, long) for kind in QUESTION_TYPES]
    assert sorted((place - 1) // 10 for place in places) == list(range(7))
    more = QuestionStage({"history": QUESTION_TYPES["critical"], **QUESTION_TYPES})
    assert [drawn(more, kind, long) for kind in QUESTION_TYPES] == places, "an own type moves no other"


def test_no_question_grows_out_of_a_heading() -> None:
    said = [f"In case {number} the scatter of the exposures grows." for number in range(9)]
    assert {drawn(STAGE, kind, "\n\n".join(["RESULTS", *said[:2], "TRIAL: NCT7"])) for kind in QUESTION_TYPES} == {2, 3}
    headed = "\n\n".join(f"RESULTS\n\n{one}" for one in said)
    assert all(drawn(STAGE, kind, headed) % 2 == 0 for kind in QUESTION_TYPES)
    assert {drawn(STAGE, kind, f"{said[0]}\n\nRESULTS") for kind in QUESTION_TYPES} == {1, 2}, "one is too few"
