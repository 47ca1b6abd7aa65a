"""The course of a thought: the tables of shapes, voices and endings to draw from, and the prompt text for each of them.

To add a shape, add a line to `SHAPES`; to add a voice, one to `VOICES`. `programs.stages.thought` draws them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from pydantic import BaseModel

USUAL_WEIGHT = 2

Length = Literal["short", "middling", "long"]
Noticed = Literal["at once", "later", "late"]
"""When a wrong turn is noticed. None is drawn: whatever the words, writers plant it, and judges see that."""


class Outline(NamedTuple):
    """A shape in words. `weights`: how often it is drawn for a question type, relative to `USUAL_WEIGHT` (0: never).
    `longest`: the greatest length that a thought of this shape fills without padding."""

    prompt_text: str
    weights: Mapping[str, int] = MappingProxyType({})
    longest: Length = "long"


SHAPES: dict[str, Outline] = {
    "computes first": Outline(
        "Put the figures at hand together before anything else, and only then ask what they mean; without any, begin with "
        "which would matter.",
        {"clarification": 1, "mechanism": 1, "interpretation": 4},
    ),
    "tries a guess": Outline(
        "Take the answer that seems likeliest, and try it on one concrete case; if it fails there, find out why.",
    ),
    "backwards": Outline(
        "Begin at the end: what would it take to settle this? Then see how much of that is available.",
        {"critical": 4, "clarification": 0},
    ),
    "by cases": Outline(
        "If more than one answer could be right, begin with one, follow it to its consequences here, then the others; drop "
        "those that fail.",
        {"comparison": 4, "clarification": 1},
    ),
    "doubts an assumption": Outline(
        "Begin with the assumption that everything depends on, and see what happens to the answer if it fails.",
        {"limitation": 4, "critical": 4, "clarification": 0},
    ),
    "straight through": Outline(
        "There is no great puzzle here: begin with what is known, take the steps in order, and be done.",
        {"clarification": 4, "limitation": 1},
        longest="middling",
    ),
    "extremes": Outline(
        "If the outcome hangs on a quantity, begin by pushing it to zero, or to something huge; see what must happen, and "
        "work back.",
        {"mechanism": 4, "limitation": 3},
    ),
    "likeness": Outline(
        "If something familiar behaves the same way, begin with it, and leave it as soon as it no longer helps.",
        {"critical": 1, "interpretation": 1, "application": 1, "comparison": 1, "limitation": 1},
    ),
    "cause to effect": Outline(
        "Begin with the cause, follow the chain to the effect link by link, and stay longest at the weakest link.",
        {"mechanism": 5, "clarification": 1},
    ),
    "the other side": Outline(
        "If an explanation that seems less likely could still be right, begin with the best case for it; then look for "
        "what it cannot explain.",
        {"critical": 3, "comparison": 3, "clarification": 0},
    ),
    "what it means": Outline(
        "Begin with what exactly the words and quantities in the question mean; much of the difficulty may lie there.",
        {"clarification": 4, "interpretation": 4},
    ),
    "rough size": Outline(
        "If the outcome hangs on how large something is, begin with that: bound it from what is known, within a factor of "
        "two or three, and see if that is enough.",
        {"limitation": 3, "interpretation": 3, "clarification": 1, "critical": 1, "comparison": 1, "mechanism": 0},
    ),
    "in pieces": Outline(
        "The question is really two or three. Begin with an easy one, settle it, and use it on a harder one.",
        {"application": 4, "comparison": 3},
    ),
    "comes back": Outline(
        "Begin with the point that is least clear, leave it unsettled, and return once something else has made it clear.",
    ),
    "one example": Outline(
        "Begin with a concrete case, the asker's or a known one, follow it to the end, then see how much holds in general.",
        {"application": 4, "clarification": 3},
    ),
    "does it fit together": Outline(
        "Check whether what is given fits together: totals, units, directions, times. Pursue what does not fit.",
        {"critical": 3, "interpretation": 3, "clarification": 1},
    ),
}


class Style(NamedTuple):
    """A voice or an ending in words, and how often it is drawn relative to the others."""

    prompt_text: str
    weight: int


VOICES: dict[str, Style] = {
    "sentences": Style("In plain, unhurried sentences, none of them a question to yourself.", 3),
    "talking": Style("Loosely, as people talk to themselves.", 3),
    "asking": Style("In plain sentences, with perhaps a question to yourself where one arises.", 3),
    "notebook": Style("As in a notebook: brief, with symbols and units where there are any.", 1),
    "weighing": Style("In connected sentences, some long and some short, none of them a question to yourself.", 2),
}
"""How a thought sounds. Whatever a voice is said to have, a writer puts into every paragraph, such as a question to itself,
a "because" or an "although"."""


CLOSES: dict[str, Style] = {
    "outcome": Style("It ends with the outcome.", 3),
    "last step": Style("It ends with the step that settles it.", 3),
    "open": Style("If something remains open even to an expert, it ends with that; else with the outcome.", 1),
}
"""How a thought ends. If this is not drawn, nearly every one ends with a verdict. A writer who must end with an open point
invents one if there is none; of those who may, nearly all do. So it is optional, and rare. A check at the end is not asked
for: writers held a figure back for it."""


class LengthRange(NamedTuple):
    """A length, and the fewest and most words of such a thought."""

    prompt_text: str
    fewest: int
    most: int


LENGTHS: dict[Length, LengthRange] = {
    "short": LengthRange("Short: three to five paragraphs, {} words in all.", 110, 190),
    "middling": LengthRange("Medium: four to nine paragraphs, {} words in all.", 190, 370),
    "long": LengthRange("Long: five to sixteen paragraphs, some a line, {} words in all.", 370, 640),
}


class Shape(BaseModel, frozen=True, use_attribute_docstrings=True):
    """A drawn shape. `words`, `voice` and `close` are None if an early version drew it."""

    name: str
    """A key of `SHAPES`."""
    noticed: Noticed | None = None
    """When a wrong turn is noticed; None: no wrong turn. Only earlier versions drew any."""
    length: Length
    words: int | None = None
    voice: str | None = None
    """A key of `VOICES`: how the thought sounds."""
    close: str | None = None
    """A key of `CLOSES`: how the thought ends."""

    @property
    def prompt_text(self) -> str:
        """The text for the prompt."""
        extent = LENGTHS[self.length]
        words = f"at most {self.words}" if self.words else f"{extent.fewest} to {extent.most}"
        voice = [VOICES[self.voice].prompt_text] if self.voice else []
        close = [CLOSES[self.close].prompt_text] if self.close else []
        return " ".join([SHAPES[self.name].prompt_text, *voice, *close, extent.prompt_text.format(words)])
