"""Phrases by which a question or an answer leans on a source that its reader does not have.

A closed-book reader has only the words before them. To what the text itself introduced ("A study of 40 dwarfs finds")
it may refer ("could the study have missed"), so definite nouns are forgiven after an indefinite one. Sources that are
named ("the paper by Hubble", "the results of the Planck mission") can be known, and are no leaning.

The rules read words, not meaning. They err to the strict side on "section 2 of the wing", and miss sources that are
only implied ("the survey finds").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leaning:
    """text[start:end] is `phrase`; `reason` is the name of the rule that found it."""

    phrase: str
    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern (case is ignored), but not after `unless_before`, nor when a phrase that `introduced_by` finds came
    earlier in the text. A group named `noun` is what `{noun}` stands for in `introduced_by`."""

    name: str
    pattern: re.Pattern[str]
    unless_before: re.Pattern[str] | None = None
    introduced_by: str | None = None


def _rule(name: str, pattern: str, unless_before: str | None = None, introduced_by: str | None = None) -> Rule:
    before = re.compile(rf"(?:{unless_before})\s*\Z", re.IGNORECASE) if unless_before else None
    return Rule(name, re.compile(pattern, re.IGNORECASE), before, introduced_by)


_AN = r"\b(?:an?|some|two|three|four|several|many|one|another|each|any|different)\s+(?:[\w-]+\s+){0,3}?"
_GIVEN = (
    r"(?:(?:given|provided|above|present|current|following|accompanying|attached|quoted|cited|source|original)\s+)*"
)
_DOCUMENT = (
    r"(?P<noun>paper|stud(?:y|ies)|passage|text|excerpt|article|manuscript|preprint|document|publication|snippet)\b"
    # "the passage of time"; but a count after "of", as in "the study of 212 galaxies", names no known work.
    r"(?!\s+of\b(?!\s+(?:the\s+)?\d)|\s+(?:by|from|through|between|across|into|titled|entitled|named|called)\b"
    # "the paper towel", "the text message".
    r"|\s+(?:towels?|strips?|chromatography|clips?|electrodes?|mills?|industry|sheets?|tape|cups?|substrates?|planes?)\b"
    r"|\s+(?:messages?|messaging|editors?|files?|strings?|corpus|mining|encoder|embeddings?|prompts?)\b|-\w)"
)
_WORK = r"(?:work|research|report|letter|review)"
_STATES = r"(?:find|show|present|use|argue|suggest|state|say|describe|mention|claim|report|note|indicate|conclude)s?\b"
_SECTION = r"(?:methods?|results|discussion|introduction|conclusions?|abstract)\s+section\b"
_DATA = (
    r"(?P<noun>data|results?|findings|measurements?|observations|simulations?|experiment|report|survey|analysis)\b"
    r"(?!\s+(?:of|from|by|obtained|gathered|collected|taken)\b|-)"
)
_TOLD = r"(?:(?:given|provided)\s+)?(?:information|description|discussion|statement|context)\b"
_PEOPLE = r"(?:researchers?|scientists?|investigators?|astronomers?|experimenters?|team)\b"
_SOME_PEOPLE = rf"{_AN}{_PEOPLE}|(?<!the )(?<!these )\b{_PEOPLE}|\b(?:group|collaboration)\b"
_DRAWING = r"(?:figure|table|graph|plot|diagram|chart)\b"
_NUMBER = r"\(?S?\d+(?:\.\d+)?[a-z]?\b\)?"
_LENGTH = r"(?!\s*(?:m|cm|mm|metres?|meters?|feet|barns?|pb|fb)\b)"
_SAID = r"(?:mentioned|described|noted|discussed|stated|shown|explained|seen|indicated|outlined|listed|quoted)"
_GIVEN_THING = (
    r"(?:information|data|context|scenario|description|example|statement|material|figure|table|graph|experiment|results?"
    r"|analysis|observations?|background)\b"
)
_OWN = r"(?:results?|findings|analysis|sample|catalogu?e|pipeline|data|dataset|simulations|survey|work)\b"
_DID = r"(?:found|measured|reported|analy[sz]ed|presented|observed|concluded|obtained|proposed)\b"
_DO = r"(?:find|show|report|present|propose|analy[sz]e|conclude)\b"
_ASKING = (
    r"\b(?:do|did|does|can|could|should|would|may|might|must|if|suppose|when|once|until|unless|before|after|that|as)"
)

RULES: tuple[Rule, ...] = (
    _rule("document", rf"\b(?:the|this|our|these)\s+{_GIVEN}{_DOCUMENT}", introduced_by=_AN + "{noun}"),
    # "how does this work?" is no document.
    _rule("document", rf"\b(?:in|of|by|from|for|to|throughout)\s+this\s+{_WORK}\b(?!\s+done)"),
    _rule("document", rf"\bthis\s+{_WORK}\s+{_STATES}"),
    _rule("document", rf"\bthe\s+(?:present|current)\s+(?:{_WORK}|analysis|results?|investigation)\b"),
    _rule("document", rf"\bthe\s+(?:abstract|report)\s+{_STATES}|\bthe\s+{_SECTION}"),
    _rule("source", rf"\baccording\s+to\s+(?:the|these|this)\s+{_GIVEN}{_DATA}", introduced_by=_AN + "{noun}"),
    _rule("source", rf"\baccording\s+to\s+(?:the|this)\s+{_TOLD}"),
    _rule("source", r"\b(?:based\s+on|from|using|in)\s+the\s+context\b(?!\s+of)"),
    _rule("authors", r"\b(?:the|these)\s+authors?\b(?!\s+of\b)", introduced_by=r"\b(?:authors?|writers?)\s+of\s"),
    _rule("authors", rf"\b(?:the|these)\s+{_PEOPLE}(?!\s+(?:of|who|that|at)\b)", introduced_by=rf"(?:{_SOME_PEOPLE})"),
    _rule(
        "figure",
        rf"\b(?:figs?\.|fig(?:ure)?s?)\s*{_NUMBER}(?!\s*(?:orbit|pattern|loop|knot|%|per\s?cent))",
        unless_before=r"\b(?:a|an|the|single|double)",
    ),
    _rule("figure", rf"\b(?:in|from|see|by)\s+the\s+{_DRAWING}(?!\s+of)", introduced_by=_AN + _DRAWING),
    _rule("table", rf"\btables?\s+{_NUMBER}{_LENGTH}|\b(?-i:Tables?\s+[IVX]+)\b", unless_before=r"\ban?"),
    _rule(
        "section",
        rf"(?:\b(?:sub)?(?:section|chapter|paragraph|page|footnote)s?\s+|\b(?-i:Sect?\.)\s*|§\s*){_NUMBER}{_LENGTH}",
        unless_before=r"cross[\s-]?|\b(?:an?|home|web)",
    ),
    _rule("section", r"\bappendix\s+(?:(?-i:[A-H])(?:\.?\d+)?|\d+)\b"),
    # "the equation 2x + 3 = 7" gives the equation itself.
    _rule(
        "equation",
        r"\b(?:equations?|eqn?s?\.?)\s*(?:\(\d+(?:\.\d+)?[a-z]?\)|\d+(?:\.\d+)?[a-z]?)(?!\w|\.\d|\s*[=+*/^×·−-])",
    ),
    _rule("equation", r"\b(?:theorem|lemma|corollary|proposition)\s+\d+(?:\.\d+)?\b"),
    _rule("sentence number", r"\bsentences?\s+(?:number\s+)?(?:\d+|\[\d+\])", unless_before=r"\b(?:an?|each)"),
    # Not an interval, an index, an isotope or a ring size.
    _rule(
        "citation",
        r"(?<![\w)\]^_])\[\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\](?![\w(\[-])",
        unless_before=r"\b(?:interval|range|domain|between|array|list|vector|values?|coordinates?)|[∈=:×(]|\bin\s+the",
    ),
    _rule("earlier text", rf"\bas\s+(?:(?:was|were|has\s+been)\s+)?{_SAID}\s+(?:earlier|previously|before|here)\b"),
    _rule("earlier text", rf"\b(?:as\s+)?{_SAID}\s+(?:above|below)\b"),
    _rule("earlier text", r"\b(?:the\s+)?(?:above|afore)-?\s?(?:mentioned|described|stated|said)\b"),
    _rule("earlier text", r"\bthe\s+above\b(?!-)|\bthe\s+(?:mentioned|described)\s+\w+"),
    _rule("given material", rf"\bthe\s+provided\s+\w+|\bthe\s+given\s+{_GIVEN_THING}"),
    _rule("own work", rf"\bour\s+(?:own\s+)?{_OWN}"),
    _rule("own work", rf"\bwe\s+{_DID}", unless_before=_ASKING),
    # "Solving for x, we find ..." is how answers reason; a sentence that opens so reports.
    _rule("own work", rf"(?:\A|(?<=[.?!]\s))(?:here,?\s+)?we\s+{_DO}(?!\s+ourselves)"),
)


def leaning(text: str) -> list[Leaning]:
    """Every phrase of `text` that leans on an absent source, in order and without overlap; none: self-contained."""
    kept: list[Leaning] = []
    for hit in sorted(_hits(text), key=lambda h: (h.start, -h.end)):
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return kept


def _hits(text: str) -> Iterator[Leaning]:
    for rule in RULES:
        for match in rule.pattern.finditer(text):
            before = text[: match.start()]
            if rule.unless_before and rule.unless_before.search(before[-60:]):
                continue
            if rule.introduced_by and _introduced(rule.introduced_by, match, before):
                continue
            yield Leaning(match[0], match.start(), match.end(), rule.name)


def _introduced(phrase: str, match: re.Match[str], before: str) -> bool:
    noun = re.escape(match.groupdict().get("noun") or "")
    return re.search(phrase.replace("{noun}", noun), before, re.IGNORECASE) is not None
