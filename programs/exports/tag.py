"""The pair of tags between which a thought stands in an export, and texts that must not hold them."""

import re
from dataclasses import dataclass
from functools import cached_property

from programs.text.injection import escape_markers

_TAG = re.compile(r"<([A-Za-z_][\w-]{0,40})>|\[([A-Za-z_][\w-]{0,40})\]|([A-Za-z_][\w-]{0,40})")


@dataclass(frozen=True)
class Tag:
    """`<name>` and `</name>`, or `[name]` and `[/name]`."""

    name: str
    brackets: str = "<>"

    @classmethod
    def parse(cls, text: str) -> "Tag":
        """From `<think>`, `[THINK]` or `think`. Raises ValueError."""
        match = _TAG.fullmatch(text.strip())
        if match is None:
            raise ValueError("a tag is a name in brackets: <think> or [THINK]")
        return cls(match[2], "[]") if match[2] else cls(match[1] or match[3])

    @property
    def open(self) -> str:
        return f"{self.brackets[0]}{self.name}{self.brackets[1]}"

    @property
    def close(self) -> str:
        return f"{self.brackets[0]}/{self.name}{self.brackets[1]}"

    def wrap(self, thought: str, answer: str) -> str:
        """A thought and its answer as one reply; neither may hold a tag (`inert`)."""
        return f"{self.open}\n{thought}\n{self.close}\n\n{answer}"

    def inert(self, text: str) -> str:
        """`text` with these tags, all think tags and the tokens of chat templates broken visibly: what a model or a
        paper wrote neither ends a thought nor begins a turn. Idempotent."""
        escaped = escape_markers(text)
        if self.brackets == "<>":
            return self._inside.sub(r"&lt;\1&gt;", escaped)
        return self._inside.sub(r"[ \1 ]", escaped)

    @cached_property
    def _inside(self) -> re.Pattern[str]:
        start, end = map(re.escape, self.brackets)
        return re.compile(rf"{start}(/?{re.escape(self.name)}/?){end}", re.IGNORECASE)


THINK = Tag("think")
