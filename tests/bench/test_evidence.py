"""What `python -m tests.bench.evidence` counts, on three claims with known truth."""

import json
from pathlib import Path
from typing import Any

import pytest

from programs.errors import UserError
from tests.bench.evidence import Case, by_rules, cases_in, main
from tests.standin.scientist import Asked, Scientist
from tests.standin.server import StandIn

SENTENCES = [
    "We compared the masked map with the raw map.",
    "The scatter was significantly lower in the masked map than in the raw map (p < 0.01).",
    "The amplitude did not differ between the maps.",
]
CLAIMS = [
    ("a", "Compared with the raw map, the masked map significantly increased the scatter.", "CONTRADICT", [1]),
    ("b", "Compared with the raw map, the masked map significantly decreased the scatter.", "SUPPORT", [1]),
    ("c", "The amplitude differs between the maps, by 12 percent.", "CONTRADICT", [2]),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines = [
        {"id": name, "claim": claim, "label": label, "abstract_sentences": SENTENCES, "evidence": evidence, "other": 1}
        for name, claim, label, evidence in CLAIMS
    ]
    path = tmp_path / "claims.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + "\n", encoding="utf-8")
    return path


def test_places_are_those_of_the_sentences(file: Path) -> None:
    case = cases_in(file)[0]
    assert [case.text[span.start : span.end] for span in case.spans] == SENTENCES


def test_the_halves_are_split_by_the_id_alone() -> None:
    halves = [Case(id=f"ei-{n}", claim="", label="SUPPORT", abstract_sentences=[], evidence=[]) for n in range(400)]
    assert 150 < sum(case.development for case in halves) < 250


def test_the_rules_are_asked_given_the_evidence_and_alone(file: Path) -> None:
    found = [by_rules(case) for case in cases_in(file)]
    assert [(one.given, one.alone) for one in found] == [(True, True), (False, False), (True, True)]
    assert [one.ranked[0] for one in found] == [1, 1, 2]
    assert [one.unfound_numbers for one in found] == [0, 0, 1]


def test_the_figures_with_a_model(file: Path, tmp_path: Path) -> None:
    def steps(asked: Asked) -> Any:
        if "12 percent" in asked.given("steps"):
            return "I cannot say."
        flipped = "increased" in asked.given("steps")
        status = "contradicted" if flipped else "supported"
        return {"items": [{"step": 1, "sentence": 2, "reason": "The second says so.", "status": status}]}

    out = tmp_path / "figures.json"
    with StandIn(Scientist({"steps": steps})) as server:
        arguments = [str(file), "--model", "openai/any", "--api-base", server.openai_base, "--json", str(out)]
        assert main(arguments) == 0
        assert not server.surprises
    written = json.loads(out.read_text(encoding="utf-8"))
    both = written["rows"][-1]
    assert both["half"] == "both"
    assert both["rules alone: caught"] == "2/2 (100%)"
    assert both["rules alone: false alarms"] == "0/1 (0%)"
    assert both["model: caught"] == "1/1 (100%)"
    assert both["model: unread"] == "1/3 (33%)"
    assert both["model: false alarms"] == "0/1 (0%)"
    assert [claim["model"] for claim in written["claims"]] == [True, False, None]


def test_a_file_that_is_none_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        main([str(tmp_path / "none.jsonl")])
    (tmp_path / "other.jsonl").write_text('{"text": "no claim"}\n')
    with pytest.raises(UserError, match=r"other.jsonl, line 1"):
        main([str(tmp_path / "other.jsonl")])
