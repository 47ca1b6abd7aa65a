"""cut_into_passages: cuts a paper into passages without losing or adding words.

1. Passages come in order; none is longer than the limit, blank, or starts or ends with white space.
2. Together they cover the text except white space.
3. Two passages share only whole sentences of one section, at most `overlap`.
4. A passage names exactly the sections that it overlaps. Parts with nothing to ask about are not joined with other parts.
5. Small sections are joined; a section that fits into the limit is never cut.
"""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from programs.inputs.chunking import Chunk, cut_into_passages
from programs.inputs.formats.paper import Block, Paper, paper_of
from programs.text.sentences import split_sentences
from tests.inputs.paper_builders import prose

WORDS = st.sampled_from(["dust", "cf.", "Fig. 3", "z", "=", "1.1", "galaxies.", "The", "slope", "x" * 90, "km/s."])
PARAGRAPHS = st.lists(WORDS, min_size=1, max_size=60).map(" ".join)
HEADINGS = st.sampled_from(["1 Introduction", "2.1 Data", "References", "Results", "Acknowledgements", "Appendix A"])
BLOCKS = st.lists(
    st.one_of(PARAGRAPHS.map(Block), st.builds(Block, HEADINGS, st.integers(1, 3))), min_size=1, max_size=14
)


@given(BLOCKS, st.integers(200, 900), st.integers(0, 3))
def test_passages_cover_the_text_and_none_is_too_long(blocks: list[Block], limit: int, overlap: int) -> None:
    paper = paper_of(blocks)
    pieces = list(cut_into_passages(paper, limit, overlap))
    covered: set[int] = set()
    for piece in pieces:
        text = paper.text[piece.start : piece.end]
        assert text
        assert text == text.strip()
        assert len(text) <= limit
        covered |= set(range(piece.start, piece.end))
    assert [piece.start for piece in pieces] == sorted({piece.start for piece in pieces})
    assert not any(not paper.text[index].isspace() for index in set(range(len(paper.text))) - covered)
    for before, after in pairwise(pieces):
        _check_overlap(paper, before, after, overlap)


def _check_overlap(paper: Paper, before: Chunk, after: Chunk, overlap: int) -> None:
    if after.start >= before.end:
        return
    section = next(part for part in paper.sections if part.start <= after.start < part.end)
    assert before.end <= section.end
    start = section.end - len(paper.text[section.start : section.end].lstrip())
    sentences = [(start + span.start, start + span.end) for span in split_sentences(paper.text[start : section.end])]
    shared = [span for span in sentences if after.start <= span[0] and span[1] <= before.end]
    assert shared
    assert len(shared) <= overlap
    assert (shared[0][0], shared[-1][1]) == (after.start, before.end)


@given(BLOCKS, st.integers(200, 900))
def test_a_passage_names_the_sections_that_it_overlaps(blocks: list[Block], limit: int) -> None:
    paper = paper_of(blocks)
    for piece in cut_into_passages(paper, limit, 1):
        overlaps = [paper.text[max(part.start, piece.start) : min(part.end, piece.end)] for part in paper.sections]
        overlapped = [part for part, words in zip(paper.sections, overlaps, strict=True) if words.strip()]
        assert list(piece.sections) == [" > ".join(part.path) for part in overlapped if part.path]
        assert {part.kind for part in overlapped} == {piece.kind}
        if len(overlapped) == 1 and len(paper.text[overlapped[0].start : overlapped[0].end].strip()) <= limit:
            assert paper.text[piece.start : piece.end] == paper.text[overlapped[0].start : overlapped[0].end].strip()


def test_a_long_section_is_cut_at_sentences_into_passages_of_about_equal_length() -> None:
    paper = paper_of([Block("Results", 1), *(Block(part) for part in prose(1, 12).split("\n\n"))])
    pieces = list(cut_into_passages(paper, 1500, 1))
    lengths = [piece.end - piece.start for piece in pieces]
    assert len(pieces) >= 3
    assert min(lengths) > 0.5 * max(lengths)
    texts = [paper.text[piece.start : piece.end] for piece in pieces]
    assert all(text.endswith(".") and not text.endswith(("cf.", "Fig.", "al.")) for text in texts)
    for before, after in pairwise(pieces):
        assert paper.text[after.start : before.end].count(". ") <= 4
        assert after.start < before.end, "one sentence is repeated"
    assert all(after.start >= before.end for before, after in pairwise(cut_into_passages(paper, 1500, 0)))


def test_a_sentence_longer_than_the_limit_is_cut_between_words() -> None:
    paper = paper_of([Block("word " * 150), Block("z" * 450)])
    texts = [paper.text[piece.start : piece.end] for piece in cut_into_passages(paper, 200, 2)]
    assert all(len(text) <= 200 for text in texts)
    assert all(set(text.split()) == {"word"} for text in texts if "word" in text and "z" not in text)
    assert "".join("".join(texts).split()) == "word" * 150 + "z" * 450
