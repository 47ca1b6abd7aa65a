"""PDF files like those of papers: in two columns, in one column, scanned, and locked with a password."""

import io
from collections.abc import Iterator
from typing import NamedTuple

from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = A4
MARGIN, GAP = 50.0, 20.0
COLUMN = (WIDTH - 2 * MARGIN - GAP) / 2
BODY, HEAD = "Times-Roman", "Times-Bold"
SIZE, LEADING = 9.5, 11.5
TITLE = "Scatter of the Redshift Relation in Dusty Galaxies"
RUNNING_HEAD = "J. Doe et al.: Scatter in dusty galaxies"


class Line(NamedTuple):
    """A line of a column. In points: `indent` from the left, and `skip`, the extra space above."""

    text: str
    font: str = BODY
    size: float = SIZE
    indent: float = 0.0
    skip: float = 0.0


def paragraph(text: str, *, indent: float = 10.0, width: float = COLUMN, skip: float = 0.0) -> Iterator[Line]:
    """The lines of a paragraph. A word that does not fit is broken at its soft hyphen (\\xad), if it has one."""
    line, first = "", True
    words = text.split(" ")
    while words:
        word = words.pop(0)
        available = width - (indent if first else 0.0)
        longer = f"{line} {word}".strip()
        if stringWidth(longer.replace("\xad", ""), BODY, SIZE) <= available:
            line = longer
            continue
        head, _, tail = word.partition("\xad")
        if tail and stringWidth(f"{line} {head}-".strip(), BODY, SIZE) <= available:
            line, words = f"{line} {head}-", [tail, *words]
        else:
            words.insert(0, word)
        yield Line(line.replace("\xad", "").strip(), indent=indent if first else 0.0, skip=skip if first else 0.0)
        line, first = "", False
    yield Line(line.replace("\xad", ""), indent=indent if first else 0.0, skip=skip if first else 0.0)


def heading(text: str, size: float = 11.0) -> Line:
    return Line(text, HEAD, size, skip=8.0)


def formula(text: str, number: int) -> Line:
    return Line(f"{text}{' ' * 12}({number})", "Times-Italic", SIZE, indent=40.0, skip=5.0)


def body() -> Iterator[Line]:
    """The paper below its abstract, several pages long."""
    yield heading("1 Introduction")
    yield from paragraph(
        "Dust reddens the light of distant galaxies and changes what their redshifts seem to say. Earlier "
        "measure\xadments of the relation between redshift and lumi\xadnosity disagree by eleven percent, cf. Fig. 3 of "
        "Riess et al. (2016), and none of them cor\xadrected for spectro\xadscopic selection."
    )
    yield from paragraph(
        "In this work 212 galaxies are followed over six years. The well-known bias of flux-limited samples is removed "
        "before any slope is fitted, so that the scatter that remains is a property of the galaxies them\xadselves."
    )
    yield heading("2 Data and Methods")
    yield heading("2.1 Observations", 10.0)
    for night in range(1, 9):
        yield from paragraph(
            f"During night {night} the spectro\xadgraph recorded {20 + night} galaxies with an expo\xadsure of "
            f"{night * 300} seconds each. Calibra\xadtion lamps were observed before and after every target, and the "
            f"wave\xadlength solution drifted by {night}.{night} kilo\xadmetres per second at most. "
            "Frames with clouds were rejected."
        )
    yield heading("2.2 Model", 10.0)
    yield from paragraph("The apparent magnitude of a galaxy is taken to follow the relation", skip=2.0)
    yield formula("m(z) = 5 log d(z) + 25 + A", 1)
    yield from paragraph(
        "where the extinction A is found from the ratio of the Balmer lines, and the distance d(z) from a flat model with "
        "a matter density of 0.31. Its likeli\xadhood is",
        indent=0.0,
        skip=3.0,
    )
    yield formula("ln L = -0.5 (m - M) C (m - M)", 2)
    yield from paragraph(
        "in which C holds the errors of all expo\xadsures and their correla\xadtions.", indent=0.0, skip=3.0
    )
    yield heading("3 Results")
    for sample in range(1, 11):
        yield from paragraph(
            f"In subsample {sample} the fitted slope is {1 + sample / 10:.1f} with an uncer\xadtainty of 0.{sample + 1} "
            f"magnitudes. Removing the brightest neigh\xadbours changes the ampli\xadtude by less than one standard "
            f"devia\xadtion, whereas the scatter of subsample {sample} falls by {sample + 3} percent once dust is "
            "corrected for."
        )
    yield heading("4 Conclusions")
    yield from paragraph(
        "The scatter of the relation is smaller than was thought. Whether atmo\xadspheric dispersion contri\xadbutes to it "
        "remains unknown, because calibra\xadtion lamps were switched off during twilight."
    )
    yield heading("Acknowledgements")
    yield from paragraph("We thank the staff of the observatory. This work was supported by grant 1234.")
    yield heading("References")
    for number, name in enumerate(["Riess, A. G.", "Planck, M.", "Freedman, W. L.", "Brout, D."], 1):
        yield from paragraph(f"{name}, et al. 20{15 + number}, ApJ, {800 + number}, {50 + number}", indent=0.0)


ABSTRACT = (
    "We measure the scatter of the relation between redshift and magnitude for 212 dusty galaxies. Corrected for dust, the "
    "slope falls to 1.1 and the scatter to seven percent. Systematic errors of the calibra\xadtion dominate what is left."
)


def two_columns(*, rowwise: bool = False, info: bool = True) -> bytes:
    """A paper in two columns below a title and an abstract of full width, with running heads and page numbers.

    `rowwise` draws both columns line by line across the page, as some programs do, so that only the positions of the lines
    tell the reading order. Without `info` the file has no metadata."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True)
    if info:
        canvas.setTitle(TITLE)
        canvas.setAuthor("J. Doe and R. Roe")
    lines = list(body())
    page = 1
    while lines:
        top = _draw_front_matter(canvas) if page == 1 else HEIGHT - 70
        canvas.setFont(BODY, 8)
        canvas.drawString(MARGIN, HEIGHT - 40, RUNNING_HEAD)
        canvas.drawCentredString(WIDTH / 2, 25, str(page))
        placed: list[tuple[int, float, Line]] = []
        for column in range(2):
            # The second page has a figure above its left column.
            y = top - 150 * (page == 2 and column == 0)
            while lines and y - lines[0].skip - LEADING > 60:
                line = lines.pop(0)
                y -= line.skip + LEADING
                placed.append((column, y, line))
        if page == 2:
            canvas.rect(MARGIN, top - 140, COLUMN, 130)
        if rowwise:
            placed.sort(key=lambda item: (-item[1], item[0]))
        for column, y, line in placed:
            _draw_line(canvas, MARGIN + column * (COLUMN + GAP) + line.indent, y, line)
        canvas.showPage()
        page += 1
    canvas.save()
    return out.getvalue()


def _draw_front_matter(canvas: Canvas) -> float:
    """Draws title, authors, abstract, footer and arXiv stamp. Returns the height at which the columns start."""
    for font, size, from_top, words in (
        (HEAD, 16, 100, TITLE),
        (BODY, 10, 122, "J. Doe, R. Roe"),
        (HEAD, 10, 150, "Abstract"),
    ):
        canvas.setFont(font, size)
        canvas.drawCentredString(WIDTH / 2, HEIGHT - from_top, words)
    y = HEIGHT - 152
    for line in paragraph(ABSTRACT, indent=0.0, width=380):
        y -= LEADING
        _draw_line(canvas, (WIDTH - 380) / 2, y, line)
    canvas.setFont(BODY, 8)
    canvas.drawString(MARGIN, 40, "doi:10.1234/scatter.2024.17   Published under CC BY 4.0")
    canvas.saveState()
    canvas.translate(25, 250)
    canvas.rotate(90)
    canvas.setFont(BODY, 16)
    canvas.drawString(0, 0, "arXiv:2401.01234v2 [astro-ph.CO] 3 Jan 2024")
    canvas.restoreState()
    return float(y - 20)


def _draw_line(canvas: Canvas, x: float, y: float, line: Line) -> None:
    canvas.setFont(line.font, line.size)
    canvas.drawString(x, y, line.text)


def scan() -> bytes:
    """A page that is only an image."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True)
    canvas.drawImage(ImageReader(Image.effect_noise((120, 160), 60)), 0, 0, WIDTH, HEIGHT)
    canvas.save()
    return out.getvalue()


def locked(password: str = "secret") -> bytes:
    """A paper that opens only with a password."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, encrypt=StandardEncryption(password, canPrint=0), invariant=True)
    canvas.drawString(MARGIN, HEIGHT - 100, "Dust reddens the light of 212 galaxies.")
    canvas.save()
    return out.getvalue()


def one_column(*, leading: float = 1.2, numbered: float = 0, form: bool = False, gap: float = 0) -> bytes:
    """Paragraphs in one column. `leading`: the distance of lines as a multiple of their size; `numbered`: the x at which
    each line has a line number (0: none); `form`: each page is drawn by a Form XObject; `gap`: the space between
    paragraphs, which replaces the indent (0: indented)."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True)
    layout = {"indent": 0.0 if gap else 24.0, "width": 430.0, "skip": gap}
    lines = [heading("Introduction"), *(line for text in PARAGRAPHS for line in paragraph(text, **layout))]
    y, number = 0.0, 0
    while lines:
        if form:
            canvas.beginForm(f"page{number}")
        start, y = number, HEIGHT - 80
        while lines and y > 80:
            line, number = lines.pop(0), number + 1
            y -= leading * SIZE + min(line.skip, gap)
            _draw_line(canvas, 85 + line.indent, y, line)
            if numbered:
                canvas.setFont(BODY, 7)
                canvas.drawString(numbered, y, str(number))
        if form:
            canvas.endForm()
            canvas.doForm(f"page{start}")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


PARAGRAPHS = [
    f"{part} survey of {count} galaxies measures how dust reddens their light. "
    + "The slope of the relation falls to 1.1 once the correction is made, and the scatter to seven percent. " * 3
    + f"What is left of the {part.lower()} scatter remains unknown."
    for count, part in enumerate(["First", "Second", "Third", "Fourth", "Fifth"], start=212)
]
