"""`--follow`: what the stages said is shown in order and as prose; no text of a model controls the terminal."""

import io

from rich.console import Console

from programs.asking.reply import Reply
from programs.run.display import reply_printer
from tests.lab import Lab, called
from tests.making import passage, tracer


def test_a_run_is_followed_from_its_questions_to_its_answer(lab: Lab) -> None:
    done = called(*lab.arguments(max_samples=1, max_traces=1, traces_per_sample=2), "--follow")
    assert done.returncode == 0, done.stderr
    places = [done.stdout.find(f"\n{stage} (") for stage in ("questions", "context", "evidence", "thought", "answer")]
    assert -1 < places[0] < places[1] < places[2] < places[3] < places[4]
    [record] = lab.records
    shown = " ".join(done.stdout[: places[0]].split())
    assert " ".join(record["source_paper"]["text"].split(". ")[0].split()) in shown, "what the questions are about"
    assert done.stdout.count("\npassage\n") + done.stdout.startswith("passage\n") == 1
    thought = done.stdout[places[3] : places[4]]
    assert " ".join(record["steps"][0]["text"].split()) in " ".join(thought.split())


def test_a_stage_without_an_answer_says_why_and_nothing_controls_the_terminal(lab: Lab) -> None:
    lab.server.brain = lambda _body: "\x1b[2J I would [bold]rather[/nonsense] not."
    done = called(*lab.arguments(max_traces=1), "--follow")
    assert "questions (0 s): not usable: " in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_only_the_terminals_width_breaks_a_note() -> None:
    shown, question = io.StringIO(), "what disperses " * 20 + "it?"
    show = reply_printer(Console(file=shown, width=1000))
    output = {"question": question, "relevant_sentences": [2, 3]}
    show(tracer().questions.ask(passage(), "critical", "closed", 0), Reply(status="ok", output=output))
    assert f"  question: {question}" in shown.getvalue()
    assert "  relevant sentences: 2, 3" in shown.getvalue()
