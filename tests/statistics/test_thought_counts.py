"""The distributions of thoughts in a document's metadata, and the cautions to the user.

1. The counts are those of the records, including records of older versions and other tools.
2. Memory does not grow: the frequent names are kept nearly exactly, and the number of distinct ones is estimated.
3. A caution is given exactly if something that a student would copy exceeds its bound.
"""

import random
from typing import Any

import pytest

from programs.records import Record
from programs.schema import ThoughtDistributions
from programs.statistics.thought_counts import ThoughtCount, cautions_of
from tests.exports import building

PARAGRAPHS = [
    ("computes", "Wait, 30 percent of nine?"),
    ("wrong", "That makes five of them."),
    ("takes_back", "No: nearly three."),
    ("settles", "So three it is."),
]


def record(paragraphs: list[tuple[str, str]], **fields: Any) -> Record:
    steps = [{"kind": kind, "text": text} for kind, text in paragraphs]
    return building.record(**{"thought": "\n\n".join(text for _, text in paragraphs), "steps": steps, **fields})


def counted(*records: Record) -> ThoughtDistributions:
    count = ThoughtCount()
    for one in records:
        count.add(one)
    found = count.result()
    assert found is not None
    return found


def test_the_counts_are_those_of_the_records() -> None:
    shape = {"name": "backwards", "noticed": "at once", "length": "short"}
    first = record(PARAGRAPHS, shape=shape, yes_or_no="no", needs_passage=["30"])
    second = record([("computes", "Wait, 30 percent: three."), ("settles", "Done.")], yes_or_no="yes")
    plain = record([], reasoning_trace="A thought of another tool.")
    found = counted(first, second, plain)
    assert found.traces == 3
    assert found.shapes == {"backwards": 1}
    kinds = {kind: (count.paragraphs, count.traces) for kind, count in found.kinds.items()}
    assert kinds == {"computes": (2, 2), "settles": (2, 2), "wrong": (1, 1), "takes_back": (1, 1)}
    assert len(found.sequences) == 2
    assert found.openings == {"wait 30 percent": 2, "a thought of": 1}
    assert found.words["50%"] == 5
    assert (found.with_wrong_turn, found.needing_passage) == (1, 1)
    # Ten of the seventeen words come before the correction.
    assert [tenth for tenth, count in enumerate(found.corrections) if count] == [5]
    assert found.yes_or_no == {"no": 1, "yes": 1}
    assert ThoughtCount().result() is None


def varied_record(number: int, **fields: Any) -> Record:
    kinds = random.Random(number).choices(("tries", "computes", "doubts", "recalls"), k=6)
    return record([(kind, f"Word{number} and some more.") for kind in kinds], **fields)


def cautions(*records: Record) -> list[str]:
    """The cautions except those about lengths."""
    return [line for line in cautions_of(counted(*records)) if " words, " not in line]


def test_varied_thoughts_raise_no_caution() -> None:
    answers = ("yes", "no", "neither")
    assert cautions(*(varied_record(n, yes_or_no=answers[n % 3]) for n in range(60))) == []


@pytest.mark.parametrize(("max_ratio", "warned"), [(3, []), (1.5, ["thoughts", "answers"])])
def test_lengths_that_hardly_differ_raise_a_caution(max_ratio: float, warned: list[str]) -> None:
    def record_of_length(number: int) -> Record:
        text = " ".join([f"word{number}"] * int(50 * max_ratio ** (number / 23)))
        return record([("tries", text)], final_answer=text)

    lines = [line for line in cautions_of(counted(*map(record_of_length, range(24)))) if " words, " in line]
    assert [line.split()[3] for line in lines] == warned


def test_what_a_student_would_copy_raises_a_caution() -> None:
    shape = {"name": "backwards", "noticed": None, "length": "short"}
    alike = [record(PARAGRAPHS, shape=shape, yes_or_no="no") for _ in range(24)]
    found = cautions(*alike, *(varied_record(number) for number in range(24)))
    assert [line.partition(",")[0] for line in found] == [
        '50% of the thoughts begin "wait 30 percent"',
        '50% of the thoughts have the shape "backwards"',
        '50% of the thoughts follow the order "computes',
        '100% of the yes-or-no answers are "no"',
    ]
    assert list(cautions_of(counted(*alike[:19]))) == [], "too few traces to tell"


def test_right_options_that_always_have_the_same_rank_raise_a_caution() -> None:
    def choice(number: int, rank: int) -> Record:
        options = ["a" * (9 - place) for place in range(4)]
        short = {"kind": "choice", "text": options[rank], "options": options}
        return record([("tries", f"{number} or so."), ("settles", f"Then {number}.")], short_answer=short)

    alike = counted(*(choice(number, 0) for number in range(24)))
    assert alike.choices == {"number 1": 24}
    assert any("number 1 by length" in line for line in cautions_of(alike))
    mixed = counted(*(choice(number, number % 4) for number in range(24)))
    assert not any("by length" in line for line in cautions_of(mixed))
