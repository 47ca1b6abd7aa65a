"""Checks that a text is prose: no machine text (schemas, prompts, error pages, refusals), not empty, not repetitive.

A word such as "error" or "access" proves nothing alone, so every rule looks for a form that only machines write.
"""

import operator
import re

from programs.text.injection import CHAT_TOKEN
from programs.text.words import applicable_rules, ngrams, parse_rules

MAX_REPEATED_SHARE, MIN_WORDS = 0.30, 20
# Equations consist mostly of signs; prose about them does not.
MIN_LETTER_SHARE, MIN_CHARACTERS = 0.20, 30

_CANNOT = r"(?:can(?:['’]t|not)|won['’]t|will not)"
_START = r"(?:\A|[.!?\n]\s{0,3})"
_I_AM = r"I(?:['’]m| am)"
_BIDI_CONTROLS = r"\u202a-\u202e\u2066-\u2069"

# The first rule that matches gives the reason. Case matters unless a rule says (?i).
# Of the C0 and C1 characters, prose has only line breaks and tabs. Characters that change the writing direction hide text.
# An API's message starts with "rate limit exceeded"; "the Eddington rate limit exceeded" is physics.
RULES = parse_rules(rf"""
field marker | ## | \[\[\s*##|##\s*\]\]
JSON schema | properties|$defs|$schema | \\?["'](?:properties|additionalProperties|\$defs|\$schema)\\?["']\s*:
JSON schema | type | \\?["']type\\?["']\s*:\s*\\?["'](?:string|object|array|integer|number|boolean)\\?["']
JSON schema | $ref|defs/|max|min|of | \$ref\b|#/\$?defs/|\b(?:(?:max|min)(?:Length|Items)|anyOf|oneOf|allOf)\b
control character |  | [\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_BIDI_CONTROLS}\ufffe\uffff]
the form's own words | text of|paragraphs of | \btext of at most \d+ characters\b|\bin one to four paragraphs of prose\b
HTML markup | < | (?i)<script\b|</?(?:div|span|h[1-6]|strong|em|[uo]l|li|br|img|table|t[dr])(?:\s[^<>]*)?/?>
HTML markup | </|<p |<a  | (?i)</[pa]>|<[pa]\s[^<>]*>
chat token | <|inst] | {CHAT_TOKEN}
placeholder | {{ | (?i)(?:(?<![\w^}}])|\\boxed)\{{(?:question|passage|reasoning|answer|response|thought)\}}
placeholder | [insert|[your|lorem | (?i)\[(?:insert|your) [^\]\n]{{1,40}}\]|\blorem ipsum\b
access notice | access denied|authentication | \bACCESS DENIED\b|\A\W*Access denied\b|IMPORTANT AUTHENTICATION NOTICE
HTML page | html|body|head | (?i)<!DOCTYPE\s+html|<html[\s>]|</(?:html|body|head)>
traceback | traceback|file | (?m)Traceback \(most recent call last\)|^[ \t]*File "[^"\n]+", line \d+
server error | server|gateway|service | \b(?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)\b
server error | http|40 | \bHTTP(?:/\d(?:\.\d)?)?(?: status| error| code|:)* [45]\d\d\b|\b40[134] (?:Unauth|Forbid|Not Found)
server error | error | ["']error["']\s*:\s*[{{"']|["']type["']\s*:\s*["']error["']|\b(?:APIConnection|RateLimit)Error\b
server error | error|not_found | \b(?:(?:invalid_request|rate_limit|overloaded)_error|model_not_found|BadRequestError)\b
server error | messages|maximum context | \bYou passed a messages field along with\b|\bmaximum context length is \d+ tokens
server error | api key|session has | \b(?:[Ii]ncorrect|[Ii]nvalid) API key\b|\b[Yy]our session has expired\b
server error | error occurred | \b[Ee]rror occurred (?:while|during) (?:processing|handling) your request\b
server error | due to the prompt|policy | \bresponse was filtered due to the prompt\b|\bcontent management policy\b
server error | model is | \b[Mm]odel is (?:currently (?:overloaded|unavailable|at capacity)\b|overloaded[.!])
server error | please | \b[Pp]lease (?:try again later|log in again|contact support)\b
rate limit | limit | (?i)(?:\A|[:.!"'(\n]\s{{0,3}})(?:API |your )?rate[ _-]limit(?: has been| was)? (?:exceeded|reached)\b
rate limit | many requests | (?i)\b429\b\W{{0,4}}too many requests|\A\W*too many requests
rate limit | quota | (?i)\bexceeded your (?:current )?(?:API )?quota\b
refusal | sorry | (?i)(?:\b{_I_AM} (?:very |really )?|{_START})sorry,? (?:but )?(?:{_I_AM}|I)? (?:{_CANNOT}|unable|not able)
refusal | assist|help|comply|fulfil | (?i)\bI {_CANNOT} (?:(?:assist|help|comply) with|fulfil+) (?:that|this|your|the req)
refusal | able to | (?i)\b{_I_AM} (?:unable|not able) to (?:assist|comply|help you|fulfil+)\b
refusal | apologi | (?i)\bI apologi[sz]e\b[^.\n]{{0,40}}\b(?:{_CANNOT}|unable|answer|request)\b
refusal | decline | (?i)\bI (?:must|have to) decline\b[^.\n]{{0,40}}\b(?:answer|request|provide)\b
refusal |  ai|language model | (?i)\b{_I_AM} (?:just |only )?an? (?:AI (?:model|assistant)|(?:AI |large )?language model)\b
refusal | as a | (?i){_START}As an? (?:(?:AI |large )?language model|AI(?: model| assistant)?),
refusal | access | (?i)\bI do(?: not|n['’]t) have access to (?:the|that|this) (?:\w+ )?(?:passage|paper|text|article)\b
refusal | 抱歉|无法|作为 | 抱歉，我(?:无法|不能)|我无法回答|作为一个(?:人工智能|AI|语言模型)
""")


def prose_problems(text: str) -> list[str]:
    """Why a text is machine text or has no content; an empty list if it is neither."""
    return [why for why in (machine_text_in(text), degeneracy(text)) if why]


def machine_text_in(text: str) -> str | None:
    """The reason of the first rule that finds machine text in `text`, or None."""
    return next((each.reason for each in applicable_rules(RULES, text) if each.pattern.search(text)), None)


_WORD = re.compile(r"\w+")
_CHARACTER_RUN = re.compile(r"([^\W_])\1{14,}")
# Three equal words with only space between them, since "(0, 0, 0)" is a vector; or six that are no product (3.3 × 3.3).
_WORD_RUN = re.compile(r"\b([^\W\d_]{2,})(?:\s+\1\b){2,}|\b(\w+)(?:(?!\.\w)[^\w×·*]+\2\b){5,}", re.IGNORECASE)
_JSON_START = re.compile(r"""\A(?:```\w*\s*)?(?:\{\s*["'][^"'\n]*["']\s*:|\[\s*[{"'])""")


def degeneracy(text: str) -> str | None:
    """Why `text` is not prose, in a few words, or None. A short answer such as "3.2 km/s" passes."""
    stripped = text.strip()
    if not stripped:
        return "empty"
    words = _WORD.findall(stripped.lower())
    if not words:
        return "no words"
    if _JSON_START.match(stripped):
        return "JSON instead of prose"
    # The patterns are slow, so first look for what every match has: a long word, or the same word twice in a row.
    joined, longest = "".join(words), max(map(len, words))
    if (len(joined) >= 4 and len(set(joined)) == 1) or (longest >= 15 and _CHARACTER_RUN.search(stripped)):
        return "one character repeated"
    if any(map(operator.eq, words, words[1:])) and _WORD_RUN.search(stripped):
        return "one word repeated"
    four_grams = ngrams(words, 4)
    repeated = 1 - len(set(four_grams)) / len(four_grams) if len(words) >= MIN_WORDS else 0.0
    if repeated > MAX_REPEATED_SHARE:
        return f"{repeated:.0%} of its 4-grams repeat"
    characters = "".join(stripped.split())
    if len(characters) >= MIN_CHARACTERS and sum(map(str.isalpha, characters)) < MIN_LETTER_SHARE * len(characters):
        return "mostly not letters"
    return None
