"""Finds text in a passage that addresses the model reading it, on purpose or by accident, and makes it safe to quote."""

import re
from functools import lru_cache

from programs.text.thought import THOUGHT_TAG, escape_thought_tags
from programs.text.words import applicable_rules, parse_rules

_FIELD_MARKERS = ((re.compile(r"(##\s*)\]\]"), r"\1] ]"), (re.compile(r"\[\[(?=\s*##)"), "[ ["))
# `<|x|>` may also be an expectation value, so the name must be one that chat templates use.
_TOKEN_NAME = r"\w*[_▁][\w▁]*|system|user|assistant|end|endoftext|eot|eom|pad|bos|eos|tool"
_TOKENS = (
    (re.compile(rf"<([|｜](?i:{_TOKEN_NAME})[|｜]|(?:start|end)_of_turn|/s)>"), r"< \1 >"),
    (re.compile(r"\[(/?INST)\]"), r"[ \1 ]"),
    (re.compile(r"<<(/?SYS)>>"), r"< <\1> >"),
)
CHAT_TOKEN = "|".join(token.pattern for token, _ in _TOKENS)
_QUALIFIERS = r"(?:(?:all|any|of|the|your|my|these|those|previous|prior|above|preceding|earlier|foregoing|other)\s+)*"
_INSTRUCTION_NOUN = r"(?:instructions?|prompts?|directives|commands)\b"
_NEW_ROLE = r"(?:an?\s+(?!distance|few|little|long|certain|short)\w|DAN\b|acting\b|in\s+\w+\s+mode\b)"
_MACHINE = r"(?:the\s+|any\s+)?(?:AI|LLM|language\s+model|chatbot|assistant)\b"

INSTRUCTIONS = parse_rules(
    rf"""
ignore | instruction|prompt|directives|commands | \b(?:ignore|disregard|forget|override)\s+{_QUALIFIERS}{_INSTRUCTION_NOUN}
be | now | \byou\s+are\s+now\s+{_NEW_ROLE}|\bfrom\s+now\s+on,?\s+you\s+(?:are|will|must|should)\b
prompt | prompt | \bsystem\s+prompt\b
reveal | your | \b(?:reveal|print|repeat|show)\s+your\s+(?:\w+\s+)?(?:prompt|instructions)\b
reply | only|exclusively|just | \b(?:respond|reply|answer)\s+(?:(?:only|exclusively|just)\s+(?:with|in|by)|with\s+only)\b
pretend | pretend | \bpretend\s+(?:to\s+be|you\s+are|that\s+you\s+are)\b
instructions | instruction | \bnew\s+instructions?\s*:
note | ai|llm|model|chatbot|assistant | \b(?:instructions?|notes?|messages?)\s+(?:to|for)\s+{_MACHINE}
heading | ## | ^\#{{2,}}\s*(?:instructions?|system|assistant|response|human|user)\b\s*:?\s*(?:$|(?<=:))
turn | assistant | ^[ \t]*assistant[ \t]*:
""",
    re.IGNORECASE | re.MULTILINE,
)


def injection_flags(text: str) -> list[str]:
    """The kinds of text in `text` that a model may obey, in this order: "field-marker", "instruction", "thought-tag"."""
    patterns_by_kind = {
        "field-marker": [marker for marker, _ in _FIELD_MARKERS],
        "instruction": [
            *(token for token, _ in _TOKENS),
            *(each.pattern for each in applicable_rules(INSTRUCTIONS, text)),
        ],
        "thought-tag": [THOUGHT_TAG],
    }
    return [kind for kind, patterns in patterns_by_kind.items() if any(pattern.search(text) for pattern in patterns)]


# Cached, since a passage is escaped for every stage.
@lru_cache(maxsize=1024)
def escape_markers(text: str) -> str:
    """`text` with field markers, chat tokens and thought tags visibly broken: `[ [ ## x ## ] ]`, `< |im_start| >`,
    `&lt;/think&gt;`. Idempotent. Instructions in words are only flagged (`injection_flags`), since only a reader can
    judge them."""
    for pattern, replacement in (*_FIELD_MARKERS, *_TOKENS):
        text = pattern.sub(replacement, text)
    return escape_thought_tags(text)
