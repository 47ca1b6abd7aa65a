"""Input: from JSON lines, papers and tables to a stream of `Sample`s, whatever state the files are in.

report = ReadReport()
for sample in read_samples(["data/*.jsonl"], max_chars=20_000, report=report):
    ...
"""

from programs.inputs.cutting import Cutting
from programs.inputs.reader import read_paper, read_samples
from programs.inputs.report import ReadReport
from programs.inputs.sample import Excerpt, Place, Sample
from programs.inputs.sources import DEFAULT_INPUT

__all__ = ["DEFAULT_INPUT", "Cutting", "Excerpt", "Place", "ReadReport", "Sample", "read_paper", "read_samples"]
