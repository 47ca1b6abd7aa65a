"""How a thought goes: the tables of shapes, voices and ends, and the words in which drawn ones are told to the model.

A new shape is a new line of `SHAPES`, a new voice one of `VOICES`; what draws them is `programs.stages.thought`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from pydantic import BaseModel

USUAL_WEIGHT = 2

Length = Literal["short", "middling", "long"]
Noticed = Literal["at once", "later", "late"]


class Outline(NamedTuple):
    """A shape in words. `weights` says how often it is drawn for a question type, against `USUAL_WEIGHT`; 0: never.
    `longest`: how long a thought of this shape is at most, without being padded."""

    told: str
    weights: Mapping[str, int] = MappingProxyType({})
    longest: Length = "long"


SHAPES: dict[str, Outline] = {
    "computes first": Outline(
        "Put numbers on it before anything else, those at hand or rough ones, and only then ask what they mean.",
        {"clarification": 1, "mechanism": 1, "interpretation": 4},
    ),
    "tries a guess": Outline(
        "An answer comes at once. Try it on one concrete case or number; keep it or drop it by how that comes out.",
    ),
    "backwards": Outline(
        "Start from the end: what would one have to see or know for this to be settled? Then look which of it is there.",
        {"critical": 4, "clarification": 0},
    ),
    "by cases": Outline(
        "Take the possibilities one by one, follow each to what it would lead to here, and strike out what fails.",
        {"comparison": 4, "clarification": 1},
    ),
    "doubts an assumption": Outline(
        "Find the assumption on which everything hangs, and see what happens to the answer if it does not hold.",
        {"limitation": 4, "critical": 4, "clarification": 0},
    ),
    "straight through": Outline(
        "Nothing here is much of a puzzle: recall what is needed, take the steps in their order, and be done.",
        {"clarification": 4, "limitation": 1},
        longest="middling",
    ),
    "extremes": Outline(
        "Push a quantity to nothing, or to something huge, see what must happen there, and come back from it.",
        {"mechanism": 4, "limitation": 3},
    ),
    "likeness": Outline(
        "Something familiar behaves alike. Carry it over, and find the point where the likeness ends.",
        {"clarification": 4, "mechanism": 3},
    ),
    "cause to effect": Outline(
        "Go along the chain from cause to effect, link by link, and stay longest with the link that you trust least.",
        {"mechanism": 5, "clarification": 1},
    ),
    "the other side": Outline(
        "Make the explanation that you do not believe as strong as it can be; then look for what it cannot explain.",
        {"critical": 3, "comparison": 3, "clarification": 0},
    ),
    "what it means": Outline(
        "Ask what exactly the words and quantities in the question say; much of the difficulty may lie there.",
        {"clarification": 4, "interpretation": 4},
    ),
    "rough size": Outline(
        "Only the rough size matters: estimate within a factor of two or three, and see if the answer needs more.",
        {"application": 3, "limitation": 4, "clarification": 1},
    ),
    "in pieces": Outline(
        "The question is two or three questions. Take them apart, settle an easy one, and use it on the harder one.",
        {"application": 4, "comparison": 3},
    ),
    "comes back": Outline(
        "Leave one point unsettled and go on; return to it once something else has made it clear.",
    ),
    "one example": Outline(
        "Work one concrete example through to its end, then ask how much of it holds in general.",
        {"application": 4, "clarification": 3},
    ),
    "does it fit together": Outline(
        "See whether what is given fits together at all: totals, units, directions, times. What does not fit leads on.",
        {"critical": 3, "interpretation": 3, "clarification": 1},
    ),
}


class Voice(NamedTuple):
    """A voice in words, and how often it is drawn, against the others."""

    told: str
    weight: int


VOICES: dict[str, Voice] = {
    "sentences": Voice("In whole sentences, unhurried and plain.", 4),
    "talking": Voice("As one talks to oneself: half sentences, and a hmm or wait where one comes by itself.", 2),
    "asking": Voice("In whole sentences, led on by questions that one asks oneself and answers.", 2),
    "notebook": Voice("As in a notebook: brief, with symbols and units, each sum written out.", 1),
    "weighing": Voice("In longer sentences that weigh: each claim with its because, its although or its unless.", 2),
}
"""How a thought sounds. Left to itself, or to the words of a prompt, a writer gives all thoughts one voice."""


CLOSES: dict[str, str] = {
    "outcome": "It ends with the outcome.",
    "last step": "It ends with the step that settles it, and leaves the outcome to be seen.",
    "open": "It ends on something that stays open.",
    "check": "It ends on a check of the outcome.",
}
"""How a thought ends. Left to itself a writer closes nearly every one with a verdict."""


class Extent(NamedTuple):
    """A length in words that are told, and the fewest and most words of such a thought."""

    told: str
    fewest: int
    most: int


LENGTHS: dict[Length, Extent] = {
    "short": Extent("Short: three to five paragraphs, {} words in all.", 60, 160),
    "middling": Extent("Of middling length: four to nine paragraphs, {} words in all.", 160, 320),
    "long": Extent("Long: seven to sixteen paragraphs, some of them a line, {} words in all.", 320, 600),
}

NOTICED: dict[Noticed, str] = {
    "at once": "It is noticed in the next moment.",
    "later": "Something is built on it before it is noticed.",
    "late": "It is noticed only near the end, when something else is checked.",
}

NO_WRONG_TURN = "No step of it is wrong. Do not stage a mistake; doubts that turn out groundless are fine."
WRONG_TURN = (
    "One step may go wrong, if one of the hypotheses, or an easy slip, really tempts there and the facts speak against it; "
    "if nothing does, nothing goes wrong. The step sounds as sure as any other."
)


class Shape(BaseModel, frozen=True):
    """A drawn shape: its name in `SHAPES`, when a wrong turn is noticed (None: none is due), how long it is, in about how
    many words, its voice in `VOICES` and its end in `CLOSES` (None, of these: drawn by an earlier version)."""

    name: str
    noticed: Noticed | None
    length: Length
    words: int | None = None
    voice: str | None = None
    close: str | None = None

    def told(self) -> str:
        """What the model is told of it."""
        wrong = [WRONG_TURN, NOTICED[self.noticed]] if self.noticed else [NO_WRONG_TURN]
        extent = LENGTHS[self.length]
        words = f"about {self.words}" if self.words else f"{extent.fewest} to {extent.most}"
        voice = [VOICES[self.voice].told] if self.voice else []
        close = [CLOSES[self.close]] if self.close else []
        return " ".join([SHAPES[self.name].told, *wrong, *voice, *close, extent.told.format(words)])
