"""`--follow` shows the replies of the stages in order and as prose; no text of a model can control the terminal."""

import io

from rich.console import Console

from programs.asking.reply import Reply
from programs.run.display import reply_printer
from tests.builders import passage, tracer
from tests.lab import Lab, run_command


def test_replies_are_shown_in_order_from_the_questions_to_the_answer(lab: Lab) -> None:
    done = run_command(*lab.arguments(max_samples=1, max_traces=1, traces_per_sample=2), "--follow")
    assert done.returncode == 0, done.stderr
    offsets = [done.stdout.find(f"\n{stage} (") for stage in ("questions", "context", "evidence", "thought", "answer")]
    assert -1 < offsets[0] < offsets[1] < offsets[2] < offsets[3] < offsets[4]
    [record] = lab.records
    start = " ".join(done.stdout[: offsets[0]].split())
    assert " ".join(record["source_paper"]["text"].split(". ")[0].split()) in start, "the passage comes first"
    assert done.stdout.count("\npassage\n") + done.stdout.startswith("passage\n") == 1
    thought = done.stdout[offsets[3] : offsets[4]]
    assert " ".join(record["steps"][0]["text"].split()) in " ".join(thought.split())


def test_an_unusable_reply_says_why_and_cannot_control_the_terminal(lab: Lab) -> None:
    lab.server.brain = lambda _body: "\x1b[2J I would [bold]rather[/nonsense] not."
    done = run_command(*lab.arguments(max_traces=1), "--follow")
    assert "questions (0 s): not usable: " in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_lines_wrap_only_at_the_terminals_width() -> None:
    console_output, question = io.StringIO(), "what disperses " * 20 + "it?"
    print_reply = reply_printer(Console(file=console_output, width=1000))
    output = {"question": question, "relevant_sentences": [2, 3]}
    print_reply(tracer().questions.ask(passage(), "critical", "closed", 0), Reply(status="ok", output=output))
    assert f"  question: {question}" in console_output.getvalue()
    assert "  relevant sentences: 2, 3" in console_output.getvalue()
