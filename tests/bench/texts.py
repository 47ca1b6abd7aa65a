"""Made-up texts for benchmarks: any number, each different, of a stated size."""

import json
from collections.abc import Iterator
from pathlib import Path

SENTENCES = (
    "Survey field {n} was observed for {a} hours with the two-channel imager, reaching a depth of {b}.{c} magnitudes.",
    "The luminosities of {a}{b} galaxies in field {n} correlate with the surrounding density at a level of 0.{c}{a}.",
    "A control sample of {b}{c} objects, chosen without regard to density, shows no such correlation.",
    "Dust corrections were applied galaxy by galaxy and lower the slope from 1.{c} to 1.{b}.",
    "If the completeness of the faint end is overestimated by {a} per cent, half of the effect disappears.",
    "Spectra of {c}{a} objects confirm the photometric redshifts to within 0.0{b}.",
)


def text_of(number: int, characters: int) -> str:
    """The text with this number, of about so many characters."""
    parts: list[str] = []
    size = 0
    while size < characters:
        index = number * 31 + len(parts)
        form = SENTENCES[index % len(SENTENCES)]
        part = form.format(n=number, a=2 + index % 7, b=3 + index % 5, c=1 + index % 9)
        parts.append(f"In run {len(parts) + 1}: {part}" if len(parts) >= len(SENTENCES) else part)
        size += len(parts[-1]) + 1
    return " ".join(parts)


def lines(count: int, characters: int) -> Iterator[str]:
    """JSONL lines of so many texts."""
    for number in range(count):
        yield json.dumps({"text": text_of(number, characters), "title": f"Field {number}", "domain": "Astronomy"})


def write_texts(path: Path, count: int, characters: int = 1500) -> Path:
    """A JSONL file of so many texts."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines(count, characters))
    return path
