"""The register of questions on disk.

1. It finds the twin that comparing with every question would find, in whatever order they were put.
2. Putting a text's questions takes the place of those that it had.
3. What was put and not reached is forgotten; what was reached stands. A damaged or older file is made anew.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from programs.selection.register import Entry, Register
from programs.text.near_duplicates import similarity

STEMS = (
    "Why does the scatter of {0} grow towards fainter {1}?",
    "How would you transfer the calibration of {0} to a survey without {1}?",
    "Which systematic effect of {0} limits the precision on {1} by {2} percent?",
)
TOPICS = ("lensing", "redshift", "velocity", "polarisation", "metallicity", "luminosity", "clustering", "extinction")


def questions(dice: random.Random, count: int) -> list[tuple[str, Entry]]:
    made = []
    for number in range(count):
        one, other = dice.sample(TOPICS, 2)
        text = dice.choice(STEMS).format(one, other, dice.randint(2, 4))
        # Words that carry nothing make other texts of the same question.
        made.append((f"{number:016x}", ("mechanism", f"Please explain: {text}" if dice.random() < 0.4 else text)))
    return made


@pytest.mark.parametrize("threshold", [70.0, 85.0, 100.0])
def test_the_twin_is_the_one_that_comparing_with_all_finds(tmp_path: Path, threshold: float) -> None:
    dice = random.Random(3)
    kept, asked = questions(dice, 120), questions(dice, 40)
    with Register(tmp_path / "one") as one, Register(tmp_path / "other") as other:
        for sample, entry in kept:
            one.put(sample, [entry])
        for sample, entry in reversed(kept):
            other.put(sample, [entry])
        found = 0
        for _, (_, text) in asked:
            near = [
                (-similarity(text, words), sample)
                for sample, (_, words) in kept
                if similarity(text, words) >= threshold
            ]
            twin = one.twin(text, threshold, apart_from="nobody")
            assert twin == other.twin(text, threshold, apart_from="nobody")
            assert (twin and (-twin.similarity, twin.sample)) == min(near, default=None)
            found += twin is not None
        assert 5 < found <= 40


def test_putting_again_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    with Register(tmp_path / "register") as register:
        register.put("a", [("mechanism", "Why do galaxies rotate?"), ("critical", "Does dust redden starlight?")])
        register.put("a", [("critical", "Does dust redden starlight?")])
        assert register.twin("Why do galaxies rotate?", 85.0, apart_from="b") is None
        assert register.twin("Does dust redden starlight?", 85.0, apart_from="b") is not None


def test_what_was_not_reached_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "register"
    with Register(path) as register:
        assert register.read_to == (0, "")
        register.put("a", [("mechanism", "Why do galaxies rotate?")])
        register.reached(120, "mark")
        register.put("b", [("mechanism", "Does dust redden starlight?")])
    with Register(path) as register:
        assert register.read_to == (120, "mark")
        assert register.holds("a", ("mechanism", "Why do galaxies rotate?"))
        assert not register.holds("b", ("mechanism", "Does dust redden starlight?"))
        register.clear()
        assert register.read_to == (0, "")
        assert not register.holds("a", ("mechanism", "Why do galaxies rotate?"))
        register.reached(7, "x")
    with Register(path) as register:
        assert register.read_to == (7, "x")


@pytest.mark.parametrize("damage", [b"no database", b""])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "register"
    with Register(path) as register:
        register.put("a", [("mechanism", "Why do galaxies rotate?")])
        register.reached(120, "mark")
    path.write_bytes(damage or path.read_bytes()[:5000])
    with Register(path) as register:
        assert register.read_to == (0, "")
        assert register.twin("Why do galaxies rotate?", 85.0, apart_from="b") is None
