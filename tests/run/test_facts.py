"""Facts in the index (`programs.run.index`), figures computed from them (`programs.run.funnel`), and lines of older
versions (`programs.run.old_lines`).

1. For any journal, each count from the index equals a count over the newest lines.
2. A rejection sentence of an older version becomes the reason that it meant, and stays as the detail.
3. The blind solve of a question, which its variations share, is counted once.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.rejection import Reason
from programs.run.funnel import findings_of, funnel_of, losses
from programs.run.index import BUG, Index
from programs.run.journal import Journal
from programs.run.old_lines import upgrade_line

STATUSES = ["accepted", "rejected", "unjudged", "failed", "duplicate", "contaminated", "withdrawn"]
NEEDS = ["known", "needs_paper", "unanswered", None]

REJECTIONS = st.builds(
    lambda reason, detail: {"reason": reason.value, "detail": detail},
    st.sampled_from(list(Reason)),
    st.sampled_from(["", "trace: it says nothing", "answer: it leans", "known"]),
)
Dict = st.SearchStrategy[dict[str, Any]]
SOLVES: Dict = st.builds(
    dict,
    need=st.sampled_from(NEEDS),
    difficulty=st.none() | st.floats(0, 1),
    variations=st.sampled_from([None, [0, 1], [1], ["0-model"]]),
)
RECORDS: Dict = st.builds(dict, blind_solve=st.none() | SOLVES)
VARIATIONS: Dict = st.builds(
    dict,
    kind=st.just("unit"),
    key=st.sampled_from([f"{text}/{kind}/{name}" for text in "ab" for kind in "xy" for name in (0, 1, "0-model")]),
    status=st.sampled_from(STATUSES),
    basis=st.sampled_from(["imported", "today", "earlier"]),
    rejection=REJECTIONS,
    record=st.none() | RECORDS,
    attempts=st.lists(RECORDS, max_size=2),
    unused=st.lists(RECORDS, max_size=1),
)
ASKED = st.lists(st.just({"text": "?"}), max_size=2)
LOST = st.lists(st.fixed_dictionaries({"text": st.just("?"), "rejection": REJECTIONS}), max_size=3)
TEXTS = st.sampled_from("abcd")
POOLS: Dict = st.builds(dict, kind=st.just("pool"), key=TEXTS, questions=ASKED, rejected=LOST, dropped=LOST)
FAILURES = st.sampled_from([None, "the server is gone", f"{BUG}, please report it"])
SAMPLES: Dict = st.builds(dict, kind=st.just("sample"), key=TEXTS, settled=st.booleans(), failure=FAILURES)


def append_line(journal: Journal, line: dict[str, Any]) -> None:
    if line["kind"] == "unit":
        accepted = line["status"] == "accepted"
        line = {**line, "sample": line["key"][0], "settled": True, "digest": "d"}
        line |= {"rejection": None} if accepted else {}
    journal.append(**({"basis": "b", "line": "l"} | line if line["kind"] == "sample" else line))


@settings(max_examples=25)
@given(lines=st.lists(VARIATIONS | POOLS | SAMPLES, max_size=20), rebuild=st.booleans())
def test_1_counts_from_the_index_equal_counts_over_the_newest_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[dict[str, Any]], rebuild: bool
) -> None:
    path = tmp_path_factory.mktemp("facts") / "out.journal.jsonl"
    with Journal(path) as journal:
        for line in lines:
            append_line(journal, line)
    if rebuild:
        Path(f"{path}.index").unlink()
    with Journal(path) as journal:
        newest = {(line["kind"], line["key"]): line for line in journal.lines()}
        kinds = [[line for (kind, _), line in newest.items() if kind == name] for name in ("unit", "pool", "sample")]
        assert_counts_match(journal.index, *kinds)


def assert_counts_match(index: Index, units: list[Any], pools: list[Any], samples: list[Any]) -> None:
    found = {step.what: step for step in funnel_of(index, {}).steps}
    tried = [unit for unit in units if unit["basis"] != "imported" and unit["status"] != "withdrawn"]
    step = found["traces tried"]
    assert step.entered == len(tried)
    assert step.left == sum(unit["status"] == "accepted" for unit in tried)
    assert step.lost == Counter(loss_name(unit["rejection"]) for unit in tried if unit["status"] != "accepted")
    assert found["usable questions"].left == len({unit["key"].rpartition("/")[0] for unit in tried})
    attempts = [len(unit["attempts"]) + (unit["record"] is not None) for unit in tried]
    step = found["attempts written"]
    assert step.entered == sum(attempts) + sum(len(unit["unused"]) for unit in tried)
    assert step.left == sum(count > 0 for count in attempts)
    rejected = [question for pool in pools for question in [*pool["rejected"], *pool["dropped"]]]
    assert found["questions drafted"].lost == Counter(loss_name(question["rejection"]) for question in rejected)
    assert found["questions drafted"].left == sum(len(pool["questions"]) for pool in pools)
    known = {pool["key"] for pool in pools}
    unanswered = [sample for sample in samples if sample["failure"] and sample["key"] not in known]
    assert found["texts started by all runs"].entered == len(pools) + len(unanswered) == index.started_texts()
    unusable, done = {pool["key"] for pool in pools if not pool["questions"]}, {sample["key"] for sample in samples}
    lost = found["texts started by all runs"].lost
    assert lost.get(BUG, 0) == sum(sample["failure"].startswith(BUG) for sample in unanswered)
    assert lost.get("no usable question", 0) == len(unusable & done)
    assert lost.get("no usable question so far", 0) == len(unusable - done)
    assert index.counts() == Counter(unit["status"] for unit in units)
    reasons = sum(unit["rejection"] is not None for unit in units) + sum(bool(sample["failure"]) for sample in samples)
    assert sum(losses(index, 0).values()) == reasons


def loss_name(rejection: dict[str, str]) -> str:
    stage, reason = rejection["detail"].split(":")[0], rejection["reason"]
    return f"{stage} {reason}" if reason in ("unusable", "unanswered") else reason


OLD_VARIATIONS = [
    ("failed", "trace: the form is wrong", Reason.UNANSWERED),
    ("rejected", "answer: leans on its source", Reason.UNUSABLE),
    ("rejected", "quality 5.5 after 3 attempts", Reason.JUDGED),
    ("rejected", "blind solve: known", Reason.NEED),
    ("rejected", "no own thought was taken: 4 too short", Reason.OWN_THOUGHT),
    ("unjudged", "No comment.; No comment.", Reason.UNJUDGED),
    ("duplicate", "the same as variation 0", Reason.SAME_VARIATION),
    ("contaminated", "bench.jsonl:1", Reason.BENCHMARK),
    ("withdrawn", "it asks the same as a/x", Reason.REPEATED),
    ("withdrawn", "it gives a benchmark away: b:1", Reason.BENCHMARK),
]


def test_2_the_sentence_of_a_variation_becomes_its_reason() -> None:
    for status, sentence, reason in OLD_VARIATIONS:
        line = {"kind": "unit", "key": "k", "status": status, "reason": sentence}
        assert upgrade_line(line) == {**line, "rejection": {"reason": reason.value, "detail": sentence}}
        assert upgrade_line(upgrade_line(line)) == upgrade_line(line)
    stored = {"kind": "unit", "key": "k", "rejection": {"reason": "turned down by the judges", "detail": "4.0"}}
    assert upgrade_line(stored)["rejection"] == {"reason": "rejected by the judges", "detail": "4.0"}
    accepted = {"kind": "unit", "key": "k", "status": "accepted", "reason": None}
    assert upgrade_line(accepted) == {**accepted, "rejection": None}


def test_2_the_sentences_of_questions_become_their_reasons() -> None:
    dropped = [
        {"why": "gives a benchmark away", "twin": "b:1"},
        {"why": "asks the same as another question", "twin": "a/x"},
    ]
    rejected = [{"problems": ["asks nothing", "no words"]}]
    line = upgrade_line({"kind": "pool", "key": "k", "questions": [], "rejected": rejected, "dropped": dropped})
    reasons = [question["rejection"]["reason"] for question in [*line["rejected"], *line["dropped"]]]
    assert reasons == [Reason.FORM.value, Reason.BENCHMARK.value, Reason.REPEATED.value]
    assert upgrade_line(line) == line


def variation(**fields: Any) -> dict[str, Any]:
    line = {"kind": "unit", "key": "a/x/0", "sample": "a", "status": "accepted", "rejection": None}
    return {**line, "basis": "b", "settled": True, "digest": "d", "record": None, **fields}


def test_3_a_question_that_was_solved_once_counts_once(tmp_path: Path) -> None:
    solve = {"need": "unanswered", "difficulty": 0.5, "variations": [0, 1]}
    old = {name: value for name, value in solve.items() if name != "variations"}
    with Journal(tmp_path / "j.jsonl") as journal:
        for number in range(2):
            journal.append(**variation(key=f"a/x/{number}", record={"blind_solve": solve}))
            journal.append(**variation(key=f"a/y/{number}", record={"blind_solve": old}))
        found = findings_of(journal.index).blind_solve
    assert found is not None
    assert (found.unanswered, found.rated, found.mean_difficulty) == (3, 3, 0.5), "older ones solved each variation"
