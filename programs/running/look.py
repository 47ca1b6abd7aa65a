"""A readable look at one trace in the terminal."""

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from programs.records import Record


def look(record: Record, console: Console) -> None:
    """Prints a trace: the question, the thought with its moves, the evidence, the answer."""
    asked = record.user_interaction
    console.print(Rule(Text(f"one trace: {record.source_paper.title}")))
    console.print(Text(f"{asked.question_type}, {asked.difficulty_level}", style="dim"))
    console.print(Text(asked.question, style="bold"))
    for step in record.steps:
        if step.kind is not None:
            console.print(Text(step.kind.replace("_", " "), style="cyan"))
        console.print(Padding(Text(step.text), (0, 0, 0, 2)))
    for evidence in record.evidence:
        if evidence.verified:
            console.print(Text("evidence", style="cyan"), Text(f"{evidence.start}-{evidence.end}", style="dim"))
            console.print(Padding(Text(evidence.quote or "", style="italic"), (0, 0, 0, 2)))
    console.print(Text("answer", style="green"))
    console.print(Padding(Text(record.final_answer), (0, 0, 0, 2)))
    measures = record.metadata
    patterns = ", ".join(measures.reasoning_patterns)
    console.print(
        Text(f"authenticity {measures.authenticity_score}, complexity {measures.complexity_level}: {patterns}", "dim")
    )
