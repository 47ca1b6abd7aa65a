"""Passages that talk to the model that reads them, on purpose or by accident, and how to quote them safely."""

import re
from functools import lru_cache

from programs.text.thought import THOUGHT_TAG, escape_thought_tags
from programs.text.words import applicable, table

_MARKERS = ((re.compile(r"(##\s*)\]\]"), r"\1] ]"), (re.compile(r"\[\[(?=\s*##)"), "[ ["))
# `<|x|>` is also an expectation value, so the name must be one that chat templates use.
_NAME = r"\w*[_▁][\w▁]*|system|user|assistant|end|endoftext|eot|eom|pad|bos|eos|tool"
_TOKENS = (
    (re.compile(rf"<([|｜](?i:{_NAME})[|｜]|(?:start|end)_of_turn|/s)>"), r"< \1 >"),
    (re.compile(r"\[(/?INST)\]"), r"[ \1 ]"),
    (re.compile(r"<<(/?SYS)>>"), r"< <\1> >"),
)
CHAT_TOKEN = "|".join(token.pattern for token, _ in _TOKENS)
_AHEAD = r"(?:(?:all|any|of|the|your|my|these|those|previous|prior|above|preceding|earlier|foregoing|other)\s+)*"
_ORDERS = r"(?:instructions?|prompts?|directives|commands)\b"
_SOMEBODY_NEW = r"(?:an?\s+(?!distance|few|little|long|certain|short)\w|DAN\b|acting\b|in\s+\w+\s+mode\b)"
_MACHINE = r"(?:the\s+|any\s+)?(?:AI|LLM|language\s+model|chatbot|assistant)\b"

INSTRUCTIONS = table(
    rf"""
ignore | instruction,prompt,directives,commands | \b(?:ignore|disregard|forget|override)\s+{_AHEAD}{_ORDERS}
be | now | \byou\s+are\s+now\s+{_SOMEBODY_NEW}|\bfrom\s+now\s+on,?\s+you\s+(?:are|will|must|should)\b
prompt | prompt | \bsystem\s+prompt\b
reveal | your | \b(?:reveal|print|repeat|show)\s+your\s+(?:\w+\s+)?(?:prompt|instructions)\b
reply | only,exclusively,just | \b(?:respond|reply|answer)\s+(?:(?:only|exclusively|just)\s+(?:with|in|by)|with\s+only)\b
pretend | pretend | \bpretend\s+(?:to\s+be|you\s+are|that\s+you\s+are)\b
instructions | instruction | \bnew\s+instructions?\s*:
note | ai,llm,model,chatbot,assistant | \b(?:instructions?|notes?|messages?)\s+(?:to|for)\s+{_MACHINE}
heading | ## | ^\#{{2,}}\s*(?:instructions?|system|assistant|response|human|user)\b\s*:?\s*(?:$|(?<=:))
turn | assistant | ^[ \t]*assistant[ \t]*:
""",
    re.IGNORECASE | re.MULTILINE,
)


def flags(text: str) -> list[str]:
    """What `text` holds that a reading model may obey, in the order of: "field-marker", "instruction", "thought-tag"."""
    forms = {
        "field-marker": [marker for marker, _ in _MARKERS],
        "instruction": [*(token for token, _ in _TOKENS), *(each.pattern for each in applicable(INSTRUCTIONS, text))],
        "thought-tag": [THOUGHT_TAG],
    }
    return [name for name, patterns in forms.items() if any(pattern.search(text) for pattern in patterns)]


# A passage is escaped for every stage.
@lru_cache(maxsize=1024)
def escape_markers(text: str) -> str:
    """`text` with field markers, chat tokens and thought tags broken visibly: `[ [ ## x ## ] ]`, `< |im_start| >`,
    `&lt;/think&gt;`. Idempotent. Instructions in words stay: they are flagged, and only the reader can judge them."""
    for pattern, broken in (*_MARKERS, *_TOKENS):
        text = pattern.sub(broken, text)
    return escape_thought_tags(text)
