"""`--prefilter`: removes parts with nothing to ask about from the texts.

1. Each kind of part with a heading is removed from Markdown, LaTeX and plain text, as are short labelled statements and a
   list of references at the end; their sizes are counted by kind. The rest stays word for word, in order.
2. Text that only resembles such a part stays, and so does everything on other lines than a label's own.
3. Filtering is idempotent; what remains consists of lines of the text.
4. A text of which too little remains is skipped with the reason that removed most of it; every line is counted once.
5. A record's text is what remains: its id, its quotes and their positions refer to that text.
"""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.inputs.cleaning import clean
from programs.inputs.prefilter import TOO_LITTLE, prefilter
from programs.inputs.sample import content_id
from tests.inputs.writing import line, read, write
from tests.lab import laboratory, passage, run_command, user_error

ONE = (
    "Dust between the stars absorbs blue light more strongly than red light, so that distant clusters look redder than "
    "they are. We measured the colours of 212 clusters twice and found that the slope falls from 1.4 to 1.1 when mended."
)
TWO = (
    "The correction assumes that all grains have the same size. If small grains survive near hot stars, the extinction "
    "there is steeper, and the corrected slope would be too shallow by 0.1. New spectra of 40 clusters could settle it."
)
REFERENCES = """[1] A. Miller, B. Okoye, "Grains near hot stars", ApJ 512, 33-41 (1999).
[2] C. Tanaka et al., MNRAS 401, 1711 (2010).
[3] D. Novak and E. Ruiz, Phys. Rev. D 83, 12 (2011), arXiv:1101.0001."""
PLAIN_REFERENCES = """Miller, A., Okoye, B. 1999, ApJ, 512, 33
Tanaka, C., et al. 2010, MNRAS, 401, 1711
Novak, D., & Ruiz, E. 2011, Phys. Rev. D, 83, 12"""
MORE_REFERENCES = ["The archive, release 4", "van der Berg J, Miller A. Dust. Lancet. 2003;36:1-9"]
THANKS = (
    "We thank F. Lindqvist for careful reading. This work was supported by the Northern Foundation under grant 1234."
)


HEADED = [
    (f"# References\n\n{REFERENCES}", "references"),
    (f"References\n{PLAIN_REFERENCES}", "references"),
    (f"7. REFERENCES\n\n{PLAIN_REFERENCES}\n\nAn entry that no rule knows, somewhere, some day", "references"),
    ("\\begin{thebibliography}{9}\n\\bibitem{m} Miller et al. 1999\n\\end{thebibliography}", "references"),
    (f"## Acknowledgements\n{THANKS}", "acknowledgements"),
    (f"Acknowledgments.\n{THANKS}", "acknowledgements"),
    (f"**Acknowledgements**\n\n{THANKS}", "acknowledgements"),
    (f"\\begin{{acknowledgments}}\n{THANKS}\n\\end{{acknowledgments}}", "acknowledgements"),
    ("Funding: the trial was paid for by the Northern Health Council.", "acknowledgements"),
    ("Appendix A: Colour terms\n\nThe colour terms of all filters are listed for each of the nights.", "appendix"),
    ("# Contents\n1. Dust and grains ... 3\n2. Clusters ... 7", "table of contents"),
    ("Authors and affiliations\nAnna Miller, University of Norrland", "author list"),
    ("Keywords: dust, extinction – stars: early-type", "statements about the paper"),
    ("**Keywords:** dust", "statements about the paper"),
    ("## Data availability\nAll spectra are in the archive.", "statements about the paper"),
    ("Author Contributions\nA.M. wrote the text, B.O. made the figures.", "statements about the paper"),
    ("Conflict of interest: none declared.", "statements about the paper"),
]
AT_THE_END = [
    (PLAIN_REFERENCES, "references"),
    (REFERENCES, "references"),
    ("\n\n".join([*PLAIN_REFERENCES.splitlines(), *MORE_REFERENCES]), "references"),
    (REFERENCES.replace("\n", " "), "references"),
    ("\\appendix\n\\section{Colour terms}\nThe colour terms are listed for each night.", "appendix"),
]


@pytest.mark.parametrize(("part", "reason"), [*HEADED, *AT_THE_END])
def test_each_kind_of_part_is_removed(part: str, reason: str) -> None:
    found = prefilter(f"{ONE}\n\n{TWO}\n\n{part}")
    assert found == (f"{ONE}\n\n{TWO}", {reason: sum(len(line.strip()) for line in part.split("\n"))})


@pytest.mark.parametrize(("part", "reason"), HEADED)
@pytest.mark.parametrize("after", ["# Discussion", "Discussion", "### Grains", "4.1 Grains"])
def test_a_part_ends_at_the_next_heading(part: str, reason: str, after: str) -> None:
    """Of the same or a higher level, if the part's own heading has a level."""
    deeper = ("###", "4.1") if part.startswith("# ") else "###" if part.startswith("##") else "no heading is deeper"
    if not after.startswith(deeper):
        found = prefilter(f"# Results\n\n{ONE}\n\n{part}\n\n{after}\n\n{TWO}")
        assert found.text == f"# Results\n\n{ONE}\n\n{after}\n\n{TWO}"
        assert list(found.removed) == [reason]


@pytest.mark.parametrize(
    "text",
    [
        "Thanks to its modular design, the code can be used by other groups, who need no grant for it.",
        "We acknowledge that this assumption fails near hot stars. The slope would then be too shallow by a tenth.",
        "The authors acknowledge the limitations of a sample of 40. It cannot tell grains of different sizes apart.",
        "Appendicitis was found in 12 of 30 children, of whom 4 had no fever. The appendix was removed in all of them.",
        "Smith et al. (1999) found 12 clusters, Jones et al. (2003) 14, and Okoye et al. (2010) 40 in the same field.",
        "- Smith (1999) measured the slope at 1.4.\n- Jones (2003) found 1.2 with more of them.\n- Okoye (2010) found 1.1.",
        "1. Stars form in clouds.\n2. Clouds collapse when they are cold.\n3. Dust cools them by radiating heat away.",
        "The contents of the shell were heated to 400 K.",
        "References to earlier work are given where they help; the sum of 212 clusters is taken from 3 surveys.",
        "Background: 36 children were treated.\n\nMethods: Records of 15 years were reviewed.\n\nResults: 17 recovered.",
        "Field A\t120\nField B\t131\nField C\t98\nField D\t140",
        "1  Placebo arm     12\n2  Low dose     15\n3  High dose     19",
        "| z | slope |\n|---|---|\n| 0.1 | 1.4 |\n| 0.2 | 1.1 |",
        "accepted 40 of 212 clusters in 2015, and rejected the others because their colours were too uncertain to be used.",
        "Support for this picture comes from the grains themselves. Funding a survey of them would be cheap.",
        "# Data\n\nThe data are 40 spectra.\n\n# Software\n\nThe code solves for the slope by least squares.",
    ],
)
def test_text_that_only_resembles_such_a_part_stays(text: str) -> None:
    assert prefilter(f"{ONE}\n\n{clean(text)}\n\n{TWO}") == (f"{ONE}\n\n{clean(text)}\n\n{TWO}", {})


LABELS = st.sampled_from(
    ["Keywords: dust", "Funding: none.", "Index terms. Dust", "Correspondence: a@b.org", "**Data availability**: no."]
)


@given(LABELS, LABELS, st.sampled_from(["\n", "\n\n"]))
def test_a_label_removes_only_its_own_line(label: str, second: str, gap: str) -> None:
    body = f"{ONE} {TWO}".replace(". ", ".\n")
    assert prefilter(f"{label}{gap}{body}").text == body
    assert prefilter(f"{label}{gap}{second}{gap}{body}").text == body
    assert prefilter(f"{body}\n\n{label}").text == body
    long = f"{label} {ONE} {TWO}"
    assert prefilter(long) == (long, {})
    assert prefilter(f"{long}\n{ONE}") == (f"{long}\n{ONE}", {})


def test_where_a_part_with_a_plain_heading_ends() -> None:
    """At a line of its own before prose. A table of contents ends at the first prose."""
    thanks = f"{ONE}\n\nAcknowledgements\n\n{THANKS}\n\nGrains near hot stars\n\n{TWO}"
    assert prefilter(thanks).text == f"{ONE}\n\nGrains near hot stars\n\n{TWO}"
    contents = f"Contents\n\nGrains near hot stars ... 3\nClusters ... 7\n\n{ONE}\n\n{TWO}"
    assert prefilter(contents).text == f"{ONE}\n\n{TWO}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"References\n{PLAIN_REFERENCES}", "references"),
        (REFERENCES, "references"),
        (f"Funding\n{THANKS}\n\nA word.", "acknowledgements"),
        ("The sky is blue.", TOO_LITTLE),
        ("A" * 400, TOO_LITTLE),
        (ONE, None),
    ],
)
def test_the_reason_why_too_little_of_a_text_is_left(text: str, reason: str | None) -> None:
    assert prefilter(text).why_nothing == reason


BLOCKS = [
    ONE,
    TWO,
    REFERENCES,
    PLAIN_REFERENCES,
    THANKS,
    *PLAIN_REFERENCES.splitlines(),
    *["# References", "References", "Acknowledgements", "# Methods", "Discussion", "Grains near hot stars", "Contents"],
    *["1 Introduction ..... 3", "2 Grains near stars", "2.1 Dust", "## Dust", "\\appendix", "Keywords: dust", ""],
]


@given(st.lists(st.tuples(st.sampled_from(BLOCKS), st.sampled_from(["\n", "\n\n", " ", "\n\n\n"])), max_size=12))
def test_filtering_is_idempotent_and_adds_nothing(blocks: list[tuple[str, str]]) -> None:
    text = clean("".join(f"{block}{gap}" for block, gap in blocks))
    found = prefilter(text)
    assert prefilter(found.text) == (found.text, {})
    assert clean(found.text) == found.text
    position = 0
    for kept in filter(None, map(str.strip, found.text.split("\n"))):
        position = text.index(kept, position)
    assert sum(found.removed.values()) <= len(text)
    assert (not found.removed) == (found.text == text)


def test_every_line_is_counted_once(tmp_path: Path) -> None:
    texts = [
        f"{ONE}\n\n{TWO}",
        f"{ONE}\n\n# References\n{REFERENCES}",
        f"{ONE}\n\n## References\n{PLAIN_REFERENCES}\n\n## Funding\n{THANKS}",
        f"Acknowledgements\n{THANKS}",
        "Short.",
        f"References\n{PLAIN_REFERENCES}",
    ]
    file = write(tmp_path / "in.jsonl", *map(line, texts))
    samples, report = read(file, prefilter=True)
    assert [sample.text for sample in samples] == [f"{ONE}\n\n{TWO}", ONE]
    assert [sample.id for sample in samples] == [content_id(sample.text) for sample in samples]
    assert samples[1].removed == {"references": 12 + sum(map(len, REFERENCES.split("\n")))}
    assert report.skipped == {
        "duplicate text": 1,
        "nothing to ask about: acknowledgements": 1,
        "nothing to ask about: too little text": 1,
        "nothing to ask about: references": 1,
    }
    assert (report.trimmed, report.trimmed_chars) == ({"references": 1}, samples[1].removed)
    whole, unfiltered = read(file)
    assert (len(whole), unfiltered.trimmed, unfiltered.skipped) == (6, {}, {})


def test_quotes_refer_to_the_filtered_text(tmp_path: Path) -> None:
    texts = [f"Keywords: dust\n\n{passage(n)}\n\nAcknowledgements\n{THANKS}" for n in range(3)]
    with laboratory(tmp_path) as lab:
        write(lab.input, *map(line, [*texts, f"Funding\n{THANKS}"]))
        finished = lab.run(prefilter=True)
        assert len(lab.records) == 3
        for number, record in enumerate(sorted(lab.records, key=lambda r: r["source_paper"]["place"]["line"])):
            source = record["source_paper"]
            assert source["text"] == passage(number)
            assert set(source["removed"]) == {"statements about the paper", "acknowledgements"}
            quotes = [(item["quote"], item["start"], item["end"]) for item in record["evidence"] if item["verified"]]
            assert quotes
            assert all(source["text"][start:end] == quote for quote, start, end in quotes)
        assert all(THANKS not in json.dumps(body) for body in lab.server.bodies)
        assert finished.summary.input["left_out_of_texts"] == {"statements about the paper": 3, "acknowledgements": 3}
        assert finished.summary.input["skipped"] == {"nothing to ask about: acknowledgements": 1}
        assert "--prefilter was on and is now off" in user_error(run_command(*lab.arguments()))
        dry_run = run_command(*lab.arguments(dry_run=True, prefilter=True, output=tmp_path / "other.json"))
        assert "would leave out: acknowledgements of 3 texts" in dry_run.stdout
