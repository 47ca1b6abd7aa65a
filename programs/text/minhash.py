"""MinHash signatures of questions, cut into bands: two questions that have most content words in common share some bands.

A question is the set of its content words (`near_duplicates.content_words`); one that has none is the set of all its
words. Of each set datasketch makes a signature of BANDS x ROWS minimal hashes, by permutations that the seed fixes. Sets
of Jaccard similarity J agree in a band with probability p = J^ROWS (Leskovec, Rajaraman, Ullman, Mining of Massive
Datasets, chapter 3), and in SHARED of them or more with 1 - (1-p)^BANDS - BANDS p (1-p)^(BANDS-1): 0.000003 at 0.2, 0.13 at
0.5, 0.89 at 0.67, 0.993 at 0.74, 0.9999 at 0.8. One band would find more of the likeness that no rule asks for, and over
a million questions, which have their stock phrases, far more that is none. Bands only find what is to be compared; the
rules that decide compare the texts themselves.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Any

from datasketch import MinHash

from programs.text.near_duplicates import content_words

BANDS = 40
ROWS = 6
SHARED = 2
SEED = 1
SCHEME = "affine32"
"""datasketch's name for how it permutes hashes; stored bands hold for one scheme and seed alone."""

_ROW_BYTES = 4
_WORD = re.compile(r"\w+")


def features(text: str) -> frozenset[str]:
    """What a question is compared by; empty for a text without a word."""
    return content_words(text) or frozenset(_WORD.findall(text.lower()))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """The share of what two sets have in common in what they have, 0 to 1; 0 for two empty ones."""
    return len(a & b) / len(a | b) if a or b else 0.0


# A question is looked up, and then put.
@lru_cache(maxsize=64)
def bands(text: str) -> tuple[int, ...]:
    """The bands of a question's signature as signed 64-bit numbers, BANDS of them; none for a text without a word.

    The same on every machine and in every run.
    """
    words = features(text)
    if not words:
        return ()
    signature = MinHash(num_perm=BANDS * ROWS, permutations=_permutations(), scheme=SCHEME, seed=SEED)
    signature.update_batch([word.encode() for word in sorted(words)])
    values = signature.hashvalues.astype("<u4").tobytes()
    width = ROWS * _ROW_BYTES
    return tuple(_number(band, values[band * width : (band + 1) * width]) for band in range(BANDS))


def _number(band: int, values: bytes) -> int:
    digest = hashlib.blake2b(bytes([band]) + values, digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


# Drawing the permutations takes longer than a signature.
@lru_cache(maxsize=1)
def _permutations() -> Any:
    return MinHash(num_perm=BANDS * ROWS, seed=SEED, scheme=SCHEME).permutations
