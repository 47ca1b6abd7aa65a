"""Which faults a stand-in server shows, and for which requests: planned, seeded and reproducible."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

ARGO_NOTICE = "IMPORTANT AUTHENTICATION NOTICE FROM ARGO: your account is not known. ACCESS DENIED."
CHATTER = "Sure! I would be glad to help with that. Galaxies are large, and there are many of them."
SIGN_IN_PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"

HTTP_FAULTS = "500 429 html page401 page404 error200 forbidden200 overloaded200 argo_notice context"
KINDS = f"{HTTP_FAULTS} reset hang dribble empty null truncated prose".split()
"""The kinds of faults, besides any HTTP status in digits ("401", "503").

- digits: that status, with an error that repeats the caller's credentials, as careless servers do; 429 and 503 have
  the server's Retry-After
- html: a sign-in page with status 200
- reset: the connection is closed without a reply
- hang: no reply until the server stops; dribble: one byte at a time, without end
- empty, null: a completion whose content is "" or null
- truncated: half the content, finish_reason "length"
- prose: a valid completion whose content is chatter
- error200: `{"error": ...}` with status 200; forbidden200: the same with the code 403;
  overloaded200: `{"type": "error", ...}` with status 200
- argo_notice: Argo's access notice as the content
- context: 400, the prompt is too long
- page401, page404: a web page with that status, as proxies send it
"""


@dataclass(frozen=True)
class FaultPlan:
    """Which requests fail, and how.

    The first requests follow `script` (None: no fault); later ones fail with the probability `rate`, each with one of
    `kinds`. The fault of the n-th request depends only on `seed` and n.
    """

    rate: float = 0.0
    kinds: Sequence[str] = ()
    seed: int = 0
    script: Sequence[str | None] = ()

    def __post_init__(self) -> None:
        for kind in (*self.kinds, *self.script):
            if kind is not None and kind not in KINDS and not kind.isdigit():
                raise ValueError(f"no such fault: {kind!r}")
        if self.rate and not self.kinds:
            raise ValueError("a share of faults needs kinds")

    def fault(self, index: int) -> str | None:
        """The fault of the request with this index (from 0), or None."""
        if index < len(self.script):
            return self.script[index]
        rng = random.Random(f"{self.seed}:{index}")
        return rng.choice(list(self.kinds)) if rng.random() < self.rate else None


def error_body(status: int, credentials: str) -> str:
    """The body of an error reply, which repeats the caller's credentials."""
    types = {401: "authentication_error", 404: "model_not_found", 429: "rate_limit_error"}
    message = f"stand-in fault {status} for {credentials}"
    return json.dumps({"error": {"message": message, "type": types.get(status, "server_error")}})
