"""A paper in each supported format. The sentences are the same except for their numbers."""

import gzip
import io
from pathlib import Path

import docx
import pyarrow as pa
import pyarrow.parquet as pq

from tests.inputs.pdf_builders import two_columns

SENTENCES = (
    "Dust reddens the light of {count} galaxies behind the cluster. ",
    "The scatter between repeated exposures amounts to {count} percent, cf. Fig. 3 of Riess et al. (2016). ",
    "Removing the brightest neighbours changes the amplitude by less than one standard deviation. ",
    "Whether atmospheric dispersion contributes remains unknown, because calibration lamps were switched off. ",
)


def prose(start: int, paragraphs: int = 3) -> str:
    """Paragraphs of four sentences each. Their numbers count up from `start`."""
    return "\n\n".join("".join(SENTENCES).format(count=start + number).strip() for number in range(paragraphs))


def markdown() -> bytes:
    return (
        "---\ntitle: Markdown of dust\ndoi: 10.1234/md.1\nlicense: CC-BY-4.0\ndate: 2024-01-03\n"
        "authors: [J. Doe]\n---\n\n"
        f"# Markdown of dust\n\n{prose(100)}\n\n## Methods\n\n{prose(110)}\n\n```\n# no heading\n```\n\n"
        f"Setext results\n--------------\n\n{prose(120)} The slope is $\\beta = 1.1$.\n\n"
        "## References\n\n[1] Riess, A. 2016.\n"
    ).encode()


def text() -> bytes:
    return (
        f"Abstract\n\n{prose(200)}\n\n1 Introduction\n\n{prose(210)}\n\n1.1 Earlier work\n\n{prose(220)}\n\n"
        "Acknowledgements\n\nWe thank the staff.\n"
    ).encode()


def latex() -> bytes:
    body = prose(300).replace("percent", r"\percent{}").replace("Riess et al. (2016)", r"\citet{Riess2016}")
    return rf"""\documentclass[twocolumn]{{aastex63}}
\usepackage{{amsmath}} % not read
\newcommand{{\percent}}{{per cent}}
\title[Short]{{LaTeX of \emph{{dust}}}}
\begin{{document}}
\author{{J. Doe}}\affiliation{{University of Nowhere, Nowhere}}
\doi{{10.1234/tex.1}}
\begin{{abstract}}
We measure $\sigma_8 = 0.81$ to 5\% accuracy. % never shown
\end{{abstract}}
\section{{Introduction}}\label{{sec:one}}
{body}
\subsection{{Model}}
The relation is
\begin{{equation}}
m(z) = 5 \log_{{10}} d(z) + 25
\end{{equation}}
and \input{{other}} follows. {prose(310)}
\begin{{figure}}\centering\includegraphics[width=\columnwidth]{{a.png}}\caption{{The scatter of $m$.}}\end{{figure}}
\begin{{acknowledgments}}We thank the staff.\end{{acknowledgments}}
\appendix
\section{{More of it}}
Numbers of minor interest.
\begin{{thebibliography}}{{9}}
\bibitem[Riess(2016)]{{Riess2016}} Riess, A. 2016, ApJ, 1, 2
\end{{thebibliography}}
\end{{document}}
""".encode()


def html() -> bytes:
    paragraphs = "".join(f"<p>{part}</p>" for part in prose(400).split("\n\n"))
    return f"""<!DOCTYPE html><html lang="en"><head><title>Page | Publisher</title><style>p {{}}</style>
<meta name="citation_title" content="HTML of dust"><meta name="citation_doi" content="doi:10.1234/HTML.1">
<meta name="citation_author" content="Doe, J."><link rel="license" href="https://creativecommons.org/licenses/by-nc/4.0/">
</head><body><nav><ul><li>Home</li></ul></nav><article><h1>HTML of dust</h1><h2>Abstract</h2>{paragraphs}
<h2>Results</h2><p>The slope is <math alttext="\\beta=1.1"><mi>b</mi></math>, as <b>bold</b> as H<sub>2</sub>O.<br>Next.</p>
<h3>Table</h3><table><tr><th>name</th><th>slope</th></tr><tr><td>a</td><td>1.1</td></tr></table>
<script>var hidden = 1;</script><h2>References</h2><ol><li>Riess 2016</li></ol></article><footer>Cookies</footer>
</body></html>""".encode()


def word() -> bytes:
    document = docx.Document()
    document.core_properties.author = "J. Doe; R. Roe"
    document.core_properties.identifier = "doi:10.1234/docx.1"
    document.add_paragraph("Word of dust", style="Title")
    document.add_heading("Introduction", 1)
    for part in prose(500).split("\n\n"):
        document.add_paragraph(part)
    document.add_heading("Sample", 2)
    document.add_paragraph("The sample follows.")
    table = document.add_table(rows=2, cols=2)
    for index, cell in enumerate(["name", "slope", "a", "1.1"]):
        table.rows[index // 2].cells[index % 2].text = cell
    document.add_heading("References", 1)
    document.add_paragraph("Riess 2016")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def parquet_file(path: Path, rows: list[dict[str, object]]) -> Path:
    """Writes rows to a Parquet file."""
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def folder_of_all_formats(folder: Path) -> Path:
    """Makes a folder with a paper in each format, a table, a JSONL file, and files that are not inputs."""
    (folder / "below").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    for name, data in {
        "a.pdf": two_columns(),
        "b.md": markdown(),
        "below/c.txt.gz": gzip.compress(text()),
        "below/2401.01234v2.tex": latex(),
        "below/e.html": html(),
        "f.docx": word(),
        "h.jsonl": b'{"text": "A line of JSON, which has a text of its own."}\n',
        "picture.png": b"\x89PNG",
        ".hidden/g.md": b"Never read.",
        ".DS_Store": b"\0",
        "~$f.docx": b"Word's lock",
        "out.journal.jsonl": b"{}\n",
    }.items():
        (folder / name).write_bytes(data)
    parquet_file(
        folder / "g.parquet", [{"text": prose(600), "doi": "10.1234/row.1", "year": 2024}, {"text": None, "doi": "x"}]
    )
    return folder
