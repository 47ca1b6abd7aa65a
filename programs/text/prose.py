"""Whether a text is prose: no machine text (schemas, prompts, error pages, refusals), and nothing that says nothing or says
it again and again.

A word such as "error" or "access" means nothing alone; every rule looks for a form that only machines write.
"""

import operator
import re

from programs.text.injection import CHAT_TOKEN
from programs.text.words import applicable, runs, table

REPEATED_LIMIT, FEWEST_WORDS = 0.30, 20
# Equations are mostly signs; prose about them is not.
LETTER_SHARE, FEWEST_SIGNS = 0.20, 30

_CANNOT = r"(?:can(?:['’]t|not)|won['’]t|will not)"
_BEGINS = r"(?:\A|[.!?\n]\s{0,3})"
_AM = r"I(?:['’]m| am)"
_BIDI = r"\u202a-\u202e\u2066-\u2069"

# Case matters unless a rule says (?i). The first one that matches names the leak.
# Of the C0 and C1 characters prose has line breaks and tabs alone; signs that turn the direction of writing hide text.
# "The Eddington rate limit exceeded" is physics: an API's message begins with it.
RULES = table(rf"""
field marker | ## | \[\[\s*##|##\s*\]\]
JSON schema | properties,$defs,$schema | \\?["'](?:properties|additionalProperties|\$defs|\$schema)\\?["']\s*:
JSON schema | type | \\?["']type\\?["']\s*:\s*\\?["'](?:string|object|array|integer|number|boolean)\\?["']
JSON schema | $ref,defs/,max,min,of | \$ref\b|#/\$?defs/|\b(?:(?:max|min)(?:Length|Items)|anyOf|oneOf|allOf)\b
control character |  | [\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_BIDI}\ufffe\uffff]
the form's own words | text of,paragraphs of | \btext of at most \d+ characters\b|\bin one to four paragraphs of prose\b
adapter prompt | schema | (?i)\bmust (?:adhere to|be pars?eable (?:according )?to) the (?:JSON|following) schema
adapter prompt | fields | (?i)\bYour (?:input|output) fields are:|\bRespond with the corresponding output fields
HTML markup | < | (?i)<script\b|</?(?:div|span|h[1-6]|strong|em|[uo]l|li|br|img|table|t[dr])(?:\s[^<>]*)?/?>
HTML markup | </,<p ,<a  | (?i)</[pa]>|<[pa]\s[^<>]*>
chat token | <,inst] | {CHAT_TOKEN}
placeholder | {{ | (?i)(?:(?<![\w^}}])|\\boxed)\{{(?:question|passage|reasoning|answer|response|thought)\}}
placeholder | [insert,[your,lorem | (?i)\[(?:insert|your) [^\]\n]{{1,40}}\]|\blorem ipsum\b
access notice | access denied,authentication | \bACCESS DENIED\b|\A\W*Access denied\b|IMPORTANT AUTHENTICATION NOTICE
HTML page | html,body,head | (?i)<!DOCTYPE\s+html|<html[\s>]|</(?:html|body|head)>
traceback | traceback,file | (?m)Traceback \(most recent call last\)|^[ \t]*File "[^"\n]+", line \d+
server error | server,gateway,service | \b(?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)\b
server error | http,40 | \bHTTP(?:/\d(?:\.\d)?)?(?: status| error| code|:)* [45]\d\d\b|\b40[134] (?:Unauth|Forbid|Not Found)
server error | error | ["']error["']\s*:\s*[{{"']|["']type["']\s*:\s*["']error["']|\b(?:APIConnection|RateLimit)Error\b
server error | error,not_found | \b(?:(?:invalid_request|rate_limit|overloaded)_error|model_not_found|BadRequestError)\b
server error | messages,maximum context | \bYou passed a messages field along with\b|\bmaximum context length is \d+ tokens
server error | api key,session has | \b(?:[Ii]ncorrect|[Ii]nvalid) API key\b|\b[Yy]our session has expired\b
server error | model is | \b[Mm]odel is (?:currently (?:overloaded|unavailable|at capacity)\b|overloaded[.!])
server error | error occurred | \b[Ee]rror occurred (?:while|during) (?:processing|handling) your request\b
server error | please | \b[Pp]lease (?:try again later|log in again|contact support)\b
server error | due to the prompt,policy | \bresponse was filtered due to the prompt\b|\bcontent management policy\b
rate limit | limit | (?i)(?:\A|[:.!"'(\n]\s{{0,3}})(?:API |your )?rate[ _-]limit(?: has been| was)? (?:exceeded|reached)\b
rate limit | many requests | (?i)\b429\b\W{{0,4}}too many requests|\A\W*too many requests
rate limit | quota | (?i)\bexceeded your (?:current )?(?:API )?quota\b
refusal | sorry | (?i)(?:\b{_AM} (?:very |really )?|{_BEGINS})sorry,? (?:but )?(?:{_AM}|I)? (?:{_CANNOT}|unable|not able)
refusal | assist,help,comply,fulfil | (?i)\bI {_CANNOT} (?:(?:assist|help|comply) with|fulfil+) (?:that|this|your|the req)
refusal | able to | (?i)\b{_AM} (?:unable|not able) to (?:assist|comply|help you|fulfil+)\b
refusal | apologi | (?i)\bI apologi[sz]e\b[^.\n]{{0,40}}\b(?:{_CANNOT}|unable|answer|request)\b
refusal | decline | (?i)\bI (?:must|have to) decline\b[^.\n]{{0,40}}\b(?:answer|request|provide)\b
refusal |  ai,language model | (?i)\b{_AM} (?:just |only )?an? (?:AI (?:model|assistant)|(?:AI |large )?language model)\b
refusal | as an ai | (?i)\bas an AI language model\b|{_BEGINS}As an AI(?: model| assistant)?,
refusal | as a | (?i){_BEGINS}As a (?:large )?language model,
refusal | knowledge cut | (?i)\bmy knowledge cut-?off\b
refusal | access | (?i)\bI do(?: not|n['’]t) have access to (?:the|that|this) (?:\w+ )?(?:passage|paper|text|article)\b
refusal | 抱歉,无法,作为 | 抱歉，我(?:无法|不能)|我无法回答|作为一个(?:人工智能|AI|语言模型)
""")


def prose_problems(text: str) -> list[str]:
    """Why a text is machine text, or says nothing; nothing wrong: an empty list."""
    return [why for why in (leaked(text), degeneracy(text)) if why]


def leaked(text: str) -> str | None:
    """The reason of the first rule that finds machine text in `text`, or None when it reads as prose."""
    return next((each.reason for each in applicable(RULES, text) if each.pattern.search(text)), None)


_WORD = re.compile(r"\w+")
_CHARACTER_RUN = re.compile(r"([^\W_])\1{14,}")
# Commas between the words make a list or a vector, "(0, 0, 0)", so the short run allows only space. 3.3 × 3.3 is a product.
_WORD_RUN = re.compile(r"\b([^\W\d_]{2,})(?:\s+\1\b){2,}|\b(\w+)(?:(?!\.\w)[^\w×·*]+\2\b){5,}", re.IGNORECASE)
_JSON = re.compile(r"""\A(?:```\w*\s*)?(?:\{\s*["'][^"'\n]*["']\s*:|\[\s*[{"'])""")


def degeneracy(text: str) -> str | None:
    """Why `text` is not prose, in a few words; None when it may be, as a short answer such as "3.2 km/s" may."""
    stripped = text.strip()
    if not stripped:
        return "empty"
    words = _WORD.findall(stripped.lower())
    if not words:
        return "no words"
    if _JSON.match(stripped):
        return "JSON instead of prose"
    # The patterns are slow: what they find is one long word, or the same one many times.
    spoken, longest = "".join(words), max(map(len, words))
    if (len(spoken) >= 4 and len(set(spoken)) == 1) or (longest >= 15 and _CHARACTER_RUN.search(stripped)):
        return "one character repeated"
    if any(map(operator.eq, words, words[1:])) and _WORD_RUN.search(stripped):
        return "one word repeated"
    grams = runs(words, 4)
    repeated = 1 - len(set(grams)) / len(grams) if len(words) >= FEWEST_WORDS else 0.0
    if repeated > REPEATED_LIMIT:
        return f"{repeated:.0%} of its 4-grams repeat"
    signs = "".join(stripped.split())
    if len(signs) >= FEWEST_SIGNS and sum(map(str.isalpha, signs)) < LETTER_SHARE * len(signs):
        return "mostly not letters"
    return None
