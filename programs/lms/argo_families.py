"""Which parameters Argo's models take, by family.

| family                           | sampling                        | token limit                     | schema | effort |
|----------------------------------|---------------------------------|---------------------------------|--------|--------|
| gpto* (o-series), gpt5*          | none, nor stop, nor seed        | max_completion_tokens           | no     | yes    |
| gpt4o*, gpt41*                   | all                             | max_tokens                      | yes    | no     |
| claudeopus47 and later, claude 5 | none                            | max_tokens, always, up to 21000 | no     | no     |
| claude*                          | temperature up to 1, else top_p | max_tokens, always, up to 21000 | no     | no     |
| gemini*, any other               | temperature, top_p              | max_tokens                      | no     | no     |

Effort is `reasoning_effort`, on the native route alone.
"""

from __future__ import annotations

import re
from dataclasses import replace

from programs.lms.wire import BodyRules

_CLAUDE_LIMIT = 21_000
_CLAUDE_DEFAULT = 8_192
_CLAUDE_VERSION = re.compile(r"claude([a-z]*?)v?(\d)(\d)?(?!\d)")

_REASONING = BodyRules(
    limit_key="max_completion_tokens", temperature=False, top_p=False, seed=False, stop=False, response_format=False
)
_ANYTHING = BodyRules(reasoning_effort=False)
_PLAIN = replace(_ANYTHING, seed=False, response_format=False)
_CLAUDE = replace(
    _PLAIN,
    default_limit=_CLAUDE_DEFAULT,
    highest_limit=_CLAUDE_LIMIT,
    highest_temperature=1.0,
    top_p_beside_temperature=False,
)
_NEW_CLAUDE = replace(_CLAUDE, temperature=False, top_p=False)


def rules_for(model: str) -> BodyRules:
    """What the model with this internal id takes. A name in no known family gets what every server takes."""
    model = model.lower()
    if model.startswith(("gpto", "gpt5")):
        return _REASONING
    if model.startswith(("gpt4o", "gpt41")):
        return _ANYTHING
    if model.startswith("claude"):
        return _NEW_CLAUDE if _refuses_sampling(model) else _CLAUDE
    return _PLAIN


def _refuses_sampling(claude: str) -> bool:
    found = _CLAUDE_VERSION.match(claude)
    if found is None:
        return False
    version = (int(found.group(2)), int(found.group(3) or 0))
    return version >= ((4, 7) if found.group(1) == "opus" else (5, 0))
