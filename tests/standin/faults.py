"""What a stand-in server gets wrong, and when: planned, seeded, repeatable."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

NOTICE = "IMPORTANT AUTHENTICATION NOTICE FROM ARGO: your account is not known. ACCESS DENIED."
PROSE = "Sure! I would be glad to help with that. Galaxies are large, and there are many of them."
PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"

HTTP = "500 429 html page401 page404 error200 forbidden200 overloaded200 argo_notice context"
KINDS = f"{HTTP} reset hang dribble empty null truncated prose".split()
"""The faults there are, besides any HTTP status written in digits ("401", "503").

- digits: that status, with an error that repeats the caller's credentials, as careless servers do; 429 and 503 carry
  the server's Retry-After
- html: a sign-in page with status 200
- reset: the connection is cut without a reply
- hang: no reply until the server stops; dribble: a byte now and then, without end
- empty, null: an answer that is "" or null
- truncated: half the answer, finish_reason "length"
- prose: an answer in form whose content is chatter instead of what was asked for
- error200: `{"error": ...}` with status 200; forbidden200: the same with the code 403;
  overloaded200: `{"type": "error", ...}` with status 200
- argo_notice: Argo's access notice as the answer's content
- context: 400, the prompt is too long
- page401, page404: a web page with that status, as proxies send it
"""


@dataclass(frozen=True)
class FaultPlan:
    """Which request goes wrong, and how.

    The first requests follow `script` (None: nothing goes wrong); later ones fail with the probability `share`, each
    with one of `kinds`. What happens to the n-th request depends on `seed` and n alone.
    """

    share: float = 0.0
    kinds: Sequence[str] = ()
    seed: int = 0
    script: Sequence[str | None] = ()

    def __post_init__(self) -> None:
        for kind in (*self.kinds, *self.script):
            if kind is not None and kind not in KINDS and not kind.isdigit():
                raise ValueError(f"no such fault: {kind!r}")
        if self.share and not self.kinds:
            raise ValueError("a share of faults needs kinds")

    def fault(self, index: int) -> str | None:
        """The fault of the request with this index (from 0), or None."""
        if index < len(self.script):
            return self.script[index]
        dice = random.Random(f"{self.seed}:{index}")
        return dice.choice(list(self.kinds)) if dice.random() < self.share else None


def error_body(status: int, credentials: str) -> str:
    """A server's refusal, with the caller's credentials in it."""
    kinds = {401: "authentication_error", 404: "model_not_found", 429: "rate_limit_error"}
    words = f"stand-in fault {status} for {credentials}"
    return json.dumps({"error": {"message": words, "type": kinds.get(status, "server_error")}})
