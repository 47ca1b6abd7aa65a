"""Words that converters lose, join or make up. Each case gives exactly the text that a reader sees.

HTML: text around comments, superscripts, notes, whole pages in a form. Word: containers, text boxes, superscripts. LaTeX:
percent signs that start no comment, conditionals, environments that only the class defines."""

import io
import zipfile

import docx
import pytest

from programs.inputs.formats.html import read_html
from programs.inputs.formats.latex import read_latex
from programs.inputs.formats.word import read_docx
from programs.inputs.report import SkipReason, Unreadable

HTML = {
    "comments": (
        "<h2>Dust</h2><!-- a --><p>It<!-- b --> reddens<?php c ?> stars.</p><![if !IE]><p>So.</p>",
        "Dust\n\nIt reddens stars.\n\nSo.",
    ),
    "figures": ("<p>3&times;10<sup>5</sup> a cm<sup>-2</sup>, the 5<sup>th</sup></p>", "3×10^5 a cm^-2, the 5th"),
    "citations": (
        "<p>stars<sup>7</sup> dust<sup>[5]</sup> gas.<sup>3,4</sup> M<sup>2</sup></p>",
        "stars [7] dust [5] gas. [3,4] M^2",
    ),
    "notes": (
        "<p>Noted<span class='ltx_note'><sup class='ltx_note_mark'>1</sup><span class='ltx_tag ltx_tag_note'>1</span>by "
        "hand</span> here.</p>",
        "Noted (by hand) here.",
    ),
    "a page in a form": ("<form><p>Dust <button>Go</button>reddens.</p><input value='x'></form>", "Dust reddens."),
    "a head of its own": (
        "<article><header><p>The abstract.</p></header><p>Words.</p></article>",
        "The abstract.\n\nWords.",
    ),
    "formulas drawn twice": (
        "<p>So <span class='MathJax'>x1</span><script type='math/tex'>x_1</script> is.</p>",
        "So $x_1$ is.",
    ),
    "hidden": ("<p>Seen.</p><p hidden>No.</p><div style='display: none'>No.</div>", "Seen."),
    "soft hyphens": ("<p>gal&shy;axies</p>", "galaxies"),
    "deep": (f"{'<div>' * 600}<p>Deep words.</p>{'</div>' * 600}<p>After.</p>", "Deep words.\n\nAfter."),
}


@pytest.mark.parametrize(("page", "text"), HTML.values(), ids=HTML)
def test_html(page: str, text: str) -> None:
    assert read_html(f"<html><body>{page}</body></html>".encode()).text == text


@pytest.mark.parametrize("page", ["<span>" * 600, "<div>" * 5000], ids=["for the tree", "for the parser"])
def test_html_that_is_nested_too_deep_raises_its_reason(page: str) -> None:
    with pytest.raises(Unreadable, match=SkipReason.NESTED_TOO_DEEP):
        read_html(f"<p>Before.</p>{page}<p>Deep.</p>".encode())


LATEX = {
    "comments": ("We take%\n % aside\n five super-%\nluminous stars.\n\n% no\nNext 5\\%.", "We takefive super-luminous "
                 "stars.\n\nNext 5%."),
    "a line of comment": ("One.\n%\nTwo.", "One. Two."),
    "addresses": (
        "See \\url{https://a.org/{x}%20b}, \\url|https://a.org/%7E|, \\path{c%d} and \\href{https://a.org/%20}{this}.\n\nNext.",
        "See https://a.org/{x}%20b, https://a.org/%7E, c%d and this.\n\nNext.",
    ),
    "verbatim": ("Use \\verb|50% of| and \\lstinline!9%! now. % no\nEnd.", "Use 50% of and 9% now. End."),
    "hidden": ("A \\iffalse no \\ifx a b no \\fi no \\else yes \\fi B \\iffalse no \\fi C.", "A yes B C."),
    "macros": ("\\newcommand{\\foo}[1]{\\textbf{#1}}\\foo{with {\\it deep {\\bf braces}}}.", "with deep braces."),
    "environments": (
        "\\begin{theorem}[Main] Let $x$.\\end{theorem}\\begin{mybox}Boxed.\\end{mybox}\\begin{sidewaystable}"
        "\\caption{Slopes.}\\begin{tabular}{c}a\\end{tabular}\\end{sidewaystable}\\begin{wrapfigure}{r}{3cm}\\caption{Dust.}"
        "\\end{wrapfigure}",
        "Let $x$.\n\nBoxed.\n\nSlopes.\n\na\n\nDust.",
    ),
    "abstracts in parts": (
        "\\abstract{Why {we}.}{What.}{How.}{Found.}{}\n\\section{Data}W.",
        "Abstract\n\nWhy we.\n\nWhat.\n\nHow.\n\nFound.\n\nData\n\nW.",
    ),
    "thanks": ("W.\n\\acknowledgments We thank her.", "W.\n\nAcknowledgements\n\nWe thank her."),
    "the end of input": ("W. \\endinput no", "W."),
}  # fmt: skip


@pytest.mark.parametrize(("body", "text"), LATEX.values(), ids=LATEX)
def test_latex(body: str, text: str) -> None:
    assert read_latex(f"\\begin{{document}}\n{body}\n\\end{{document}}\n".encode()).text == text


def run(words: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{words}</w:t></w:r>'


def par(*parts: str) -> str:
    return f"<w:p>{''.join(parts)}</w:p>"


def element(name: str, *parts: str, attributes: str = "") -> str:
    return f"<{name} {attributes}>{''.join(parts)}</{name}>"


def control(*parts: str) -> str:
    return element("w:sdt", element("w:sdtContent", *parts))


BOX = element("w:txbxContent", par(run("Boxed.")), par(run("Twice.")))
CHOICE = element("mc:Choice", run("This"), attributes="Requires='w14'") + element("mc:Fallback", run("That"))
CUSTOM = element("w:customXml", run("b ")) + element("w:bdo", run("c"))
MOVED = "w:id='1' w:author='x'"
SYMBOL = "<w:r><w:sym w:font='Symbol' w:char='F061'/></w:r>"
WORD = {
    "content controls": (
        control(par(run("One."), control(run(" Two.")))) + control(control(par(run("Three.")))),
        "One. Two.\n\nThree.",
    ),
    "other containers": (element("w:customXml", par(run("A "), CUSTOM)), "A b c"),
    "fields": (par(run("See "), element("w:fldSimple", run("Fig. 3"), attributes="w:instr='REF x'")), "See Fig. 3"),
    "alternatives": (par(element("mc:AlternateContent", CHOICE), run(" one.")), "This one."),
    "text boxes": (
        par(f"<w:r><w:t>Around</w:t><w:pict>{BOX}</w:pict></w:r>", run(" it.")),
        "Around it.\n\nBoxed.\n\nTwice.",
    ),
    "raised letters": (
        par(run("10"), run("5", "<w:vertAlign w:val='superscript'/>"))
        + par(run("10"), run("7", "<w:position w:val='6'/>")),
        "10^5\n\n10^7",
    ),
    "symbols": (par(SYMBOL, run("a", "<w:rFonts w:ascii='Symbol' w:hAnsi='Symbol'/>")), "αα"),
    "moved text": (
        par(element("w:moveFrom", run("Gone"), attributes=MOVED), element("w:moveTo", run("Here"), attributes=MOVED)),
        "Here",
    ),
}


def word(body: str) -> bytes:
    empty, out = io.BytesIO(), io.BytesIO()
    docx.Document().save(empty)
    namespaces = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    namespaces += ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    with zipfile.ZipFile(empty) as read, zipfile.ZipFile(out, "w") as written:
        for name in read.namelist():
            document = f"<w:document {namespaces}><w:body>{body}</w:body></w:document>".encode()
            written.writestr(name, document if name == "word/document.xml" else read.read(name))
    return out.getvalue()


@pytest.mark.parametrize(("body", "text"), WORD.values(), ids=WORD)
def test_word(body: str, text: str) -> None:
    assert read_docx(word(body)).text == text
