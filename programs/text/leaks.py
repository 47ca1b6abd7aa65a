"""Machine text where prose was asked for: schemas, prompts, error pages, refusals.

A word such as "error" or "access" means nothing alone; every rule looks for a form that only machines write.
"""

from __future__ import annotations

import re

# In order: the first rule that matches names the leak.
RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("field marker", re.compile(r"\[\[\s*##|##\s*\]\]")),
    (
        "JSON schema",
        re.compile(
            r"""\\?["'](?:properties|additionalProperties|\$defs|\$schema)\\?["']\s*:"""
            r"""|\\?["']type\\?["']\s*:\s*\\?["'](?:string|object|array|integer|number|boolean)\\?["']"""
            r"""|\$ref\b|#/\$?defs/|\b(?:maxLength|minLength|maxItems|minItems|additionalProperties|anyOf|oneOf|allOf)\b"""
        ),
    ),
    # Of the C0 and C1 characters prose has line breaks and tabs alone; signs that turn the direction of writing hide text.
    ("control character", re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")),
    (
        "the form's own words",
        re.compile(
            r"\btext of at most \d+ characters\b|\bwhole number from \d+ to \d+:|\bin one to four paragraphs of prose\b"
            r"|\bnames the object, method and numbers it is about\b"
        ),
    ),
    (
        "adapter prompt",
        re.compile(
            r"\bmust (?:adhere to|be (?:parseable|pareseable) (?:according )?to) the (?:JSON|following) schema"
            r"|\bYour (?:input|output) fields are:|\bRespond with the corresponding output fields"
            r"|\bIn adhering to this structure, your objective is",
            re.IGNORECASE,
        ),
    ),
    (
        "HTML markup",
        re.compile(r"<script\b|</?(?:p|div|span|h[1-6]|strong|em|ul|ol|li|br|img|table|td|tr|a)(?:\s[^<>]*)?/?>", re.I),
    ),
    ("chat token", re.compile(r"<[|｜](?:\w*[_▁][\w▁]*|system|user|assistant|end|endoftext|eot|eom)[|｜]>|\[/?INST\]")),
    (
        "placeholder",
        re.compile(
            r"\{(?:question|passage|reasoning|answer|response|thought)\}"
            r"|\[(?:insert|your) [^\]\n]{1,40}\]|\blorem ipsum\b",
            re.IGNORECASE,
        ),
    ),
    ("access notice", re.compile(r"IMPORTANT AUTHENTICATION NOTICE|\bACCESS DENIED\b|\A\W*Access denied\b")),
    ("HTML page", re.compile(r"<!DOCTYPE\s+html|<html[\s>]|</(?:html|body|head)>", re.IGNORECASE)),
    ("traceback", re.compile(r'Traceback \(most recent call last\)|^[ \t]*File "[^"\n]+", line \d+', re.MULTILINE)),
    (
        "server error",
        re.compile(
            r"\b(?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)\b"
            r"|\bHTTP(?:/\d(?:\.\d)?)?(?: status| error| code|:)* [45]\d\d\b"
            r"|\b40[134] (?:Unauthorized|Forbidden|Not Found)\b"
            r"""|["']error["']\s*:\s*[{"']|["']type["']\s*:\s*["']error["']"""
            r"|\b(?:invalid_request_error|rate_limit_error|overloaded_error|model_not_found)\b"
            r"|\b(?:APIConnectionError|APITimeoutError|RateLimitError|BadRequestError)\b"
            r"|\bYou passed a messages field along with\b|\bmaximum context length is \d+ tokens"
            r"|\b(?:[Ii]ncorrect|[Ii]nvalid) API key\b"
            r"|\b[Mm]odel is (?:currently (?:overloaded|unavailable|at capacity)\b|overloaded[.!])"
            r"|\b[Ee]rror occurred (?:while|during) (?:processing|handling) your request\b"
            r"|\b[Yy]our session has expired\b|\b[Pp]lease (?:try again later|log in again|contact support)\b"
            r"|\bresponse was filtered due to the prompt\b|\bcontent management policy\b"
        ),
    ),
    (
        # "the Eddington rate limit exceeded" is physics: an API's message begins with it.
        "rate limit",
        re.compile(
            r"""(?:\A|[:.!"'(\n]\s{0,3})(?:API |your )?rate[ _-]limit(?: has been| was)? (?:exceeded|reached)\b"""
            r"|\b429\b\W{0,4}too many requests|\A\W*too many requests|\bexceeded your (?:current )?(?:API )?quota\b",
            re.IGNORECASE,
        ),
    ),
    (
        "refusal",
        re.compile(
            r"\bI(?:['’]m| am) (?:very |really )?sorry,? (?:but )?I(?:['’]m| am)? "
            r"(?:can(?:['’]t|not)|unable|not able|won['’]t)"
            r"|\bI (?:can(?:['’]t|not)|won['’]t|will not) (?:assist|help|comply) with (?:that|this|your)\b"
            r"|\bI (?:can(?:['’]t|not)|won['’]t|will not) fulfil+ (?:that|this|your|the) request"
            r"|\bI(?:['’]m| am) (?:unable|not able) to (?:assist|comply|help you|fulfil+)\b"
            r"|\bI (?:apologi[sz]e|must decline|have to decline)\b[^.\n]{0,40}"
            r"\b(?:can(?:['’]t|not)|unable|answer|request|provide)\b"
            r"|(?:\A|[.!?\n]\s{0,3})(?:I(?:['’]m| am) )?sorry, (?:but )?I (?:can(?:['’]t|not)|won['’]t)"
            r"|\bI(?:['’]m| am) (?:just |only )?a (?:large )?language model\b"
            r"|(?:\A|[.!?\n]\s{0,3})As a (?:large )?language model,"
            r"|抱歉，我(?:无法|不能)|我无法回答|作为一个(?:人工智能|AI|语言模型)"
            r"|\bas an AI language model\b|(?:\A|[.!?\n]\s{0,3})As an AI(?: model| assistant)?,"
            r"|\bI(?:['’]m| am) (?:just |only )?an AI(?: language model| model| assistant)\b|\bmy knowledge cut-?off\b"
            r"|\bI (?:do not|don['’]t) have (?:access to|the ability to access) (?:the|that|this) "
            r"(?:full |complete |actual |original )?(?:passage|paper|text|article|document|internet)\b",
            re.IGNORECASE,
        ),
    ),
)


def leaked(text: str) -> str | None:
    """The name of the first rule that finds machine text in `text`, or None when it reads as prose."""
    return next((name for name, pattern in RULES if pattern.search(text)), None)
