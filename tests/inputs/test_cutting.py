"""pieces: a long text as passages, none of its words lost and none made up.

1. No passage is longer than the limit, blank, or ends in white space; they come in order.
2. Together they hold all of the text but white space.
3. What two share are whole sentences of one section, no more than asked for.
4. A passage has parts of the sections that it names, and never of parts with nothing to ask about beside others.
5. Small sections are put together; a section that fits is never cut.
"""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from programs.inputs.cutting import Piece, cut_into_passages
from programs.inputs.formats.paper import Block, Paper, paper_of
from programs.text.sentences import split
from tests.inputs.making_papers import prose

WORDS = st.sampled_from(["dust", "cf.", "Fig. 3", "z", "=", "1.1", "galaxies.", "The", "slope", "x" * 90, "km/s."])
PARAGRAPHS = st.lists(WORDS, min_size=1, max_size=60).map(" ".join)
HEADINGS = st.sampled_from(["1 Introduction", "2.1 Data", "References", "Results", "Acknowledgements", "Appendix A"])
BLOCKS = st.lists(
    st.one_of(PARAGRAPHS.map(Block), st.builds(Block, HEADINGS, st.integers(1, 3))), min_size=1, max_size=14
)


@given(BLOCKS, st.integers(200, 900), st.integers(0, 3))
def test_nothing_is_lost_and_nothing_is_too_long(blocks: list[Block], limit: int, overlap: int) -> None:
    paper = paper_of(blocks)
    cut = list(cut_into_passages(paper, limit, overlap))
    held: set[int] = set()
    for piece in cut:
        text = paper.text[piece.start : piece.end]
        assert text
        assert text == text.strip()
        assert len(text) <= limit
        held |= set(range(piece.start, piece.end))
    assert [piece.start for piece in cut] == sorted({piece.start for piece in cut})
    assert not any(not paper.text[place].isspace() for place in set(range(len(paper.text))) - held)
    for before, after in pairwise(cut):
        _check_shared(paper, before, after, overlap)


def _check_shared(paper: Paper, before: Piece, after: Piece, overlap: int) -> None:
    if after.start >= before.end:
        return
    section = next(part for part in paper.sections if part.start <= after.start < part.end)
    assert before.end <= section.end
    start = section.end - len(paper.text[section.start : section.end].lstrip())
    whole = [(start + span.start, start + span.end) for span in split(paper.text[start : section.end])]
    shared = [span for span in whole if after.start <= span[0] and span[1] <= before.end]
    assert shared
    assert len(shared) <= overlap
    assert (shared[0][0], shared[-1][1]) == (after.start, before.end)


@given(BLOCKS, st.integers(200, 900))
def test_a_passage_names_the_sections_that_it_has_parts_of(blocks: list[Block], limit: int) -> None:
    paper = paper_of(blocks)
    for piece in cut_into_passages(paper, limit, 1):
        shared = [paper.text[max(part.start, piece.start) : min(part.end, piece.end)] for part in paper.sections]
        within = [part for part, words in zip(paper.sections, shared, strict=True) if words.strip()]
        assert list(piece.sections) == [" > ".join(part.path) for part in within if part.path]
        assert {part.kind for part in within} == {piece.kind}
        if len(within) == 1 and len(paper.text[within[0].start : within[0].end].strip()) <= limit:
            assert paper.text[piece.start : piece.end] == paper.text[within[0].start : within[0].end].strip()


def test_a_long_section_is_cut_at_sentences_into_passages_of_about_one_length() -> None:
    paper = paper_of([Block("Results", 1), *(Block(part) for part in prose(1, 12).split("\n\n"))])
    cut = list(cut_into_passages(paper, 1500, 1))
    lengths = [piece.end - piece.start for piece in cut]
    assert len(cut) >= 3
    assert min(lengths) > 0.5 * max(lengths)
    ends = [paper.text[piece.start : piece.end] for piece in cut]
    assert all(text.endswith(".") and not text.endswith(("cf.", "Fig.", "al.")) for text in ends)
    for before, after in pairwise(cut):
        assert paper.text[after.start : before.end].count(". ") <= 4
        assert after.start < before.end, "one sentence is repeated"
    assert all(after.start >= before.end for before, after in pairwise(cut_into_passages(paper, 1500, 0)))


def test_a_sentence_beyond_the_limit_is_cut_between_words() -> None:
    paper = paper_of([Block("word " * 150), Block("z" * 450)])
    texts = [paper.text[piece.start : piece.end] for piece in cut_into_passages(paper, 200, 2)]
    assert all(len(text) <= 200 for text in texts)
    assert all(set(text.split()) == {"word"} for text in texts if "word" in text and "z" not in text)
    assert "".join("".join(texts).split()) == "word" * 150 + "z" * 450
