"""Phrases by which a text leans on a source that its reader does not have.

A closed-book reader has the question and the words before these. What the question or the text itself introduced ("A study
of 40 dwarfs finds") can be referred to ("could the study have missed"), and so can a source that is named ("the paper by
Hubble", "the results of the Planck mission").

The rules read words, not meaning. They miss sources that are only implied ("the survey finds").
"""

from __future__ import annotations

from programs.text.phrases import Fault, Rule, faults, rule

_AN = (
    r"\b(?:an?|one|two|three|four|some|several|many|another|other|each|every|any|no|different|\d+)\s+"
    r"(?:[\w-]+,?\s+){0,4}?"
)
_THE = r"\b(?:the|this|these|our)\s+(?:(?:given|above|present|current|following|quoted|cited|source|original)\s+)*"
_NAMED = (
    r"(?!\s+(?:of\b(?!\s+(?:the\s+)?\d)|by|from|through|between|across|into|at|who|that|titled|called)\b|-\w|\s*[\"“])"
)
"""What follows says which one; but a count after "of", as in "the study of 212 galaxies", names no known work."""
_COMPOUND = (
    r"(?!\s+(?:towels?|strips?|chromatography|clips?|sheets?|tape|cups?|messag\w+|editors?|files?|strings?|encoder"
    r"|embeddings?)\b)"
)
_WORK = (
    r"(?:stud(?:y|ies)|trials?|experiments?|surveys?|series|cohorts?|reviews?|reports?|papers?|articles?|preprints?)\b"
)
_PEOPLE = r"(?:researchers?|scientists?|investigators?|astronomers?|experimenters?|teams?)\b"
_SAYS = (
    r"\s+(?:\w+ly\s+)?(?:finds|shows|argues|suggests|states|says|describes|mentions|claims|notes|indicates|concludes)\b"
)
_SAID = r"(?:mentioned|described|noted|discussed|stated|shown|explained|seen|indicated|outlined|listed|quoted)"
_ANYTHING = r"[.?!]\s"
_PART = r"figs?\.|figures?|tables?|(?:sub)?sections?|sect?\.|chapters?|pages?|footnotes?|§|eqn?s?\.?|equations?"
_UNIT = r"(?!\s*(?:[=+*/^×·−<>%-]|(?:[cmk]?m|met(?:re|er)s?|f(?:oo|ee)t|barns?|[pf]b|decades|times|sigma|orbit)\b))"

RULES: tuple[Rule, ...] = (
    rule("document", "stud", rf"{_THE}stud(?:y|ies)\b{_NAMED}", _AN + _WORK),
    rule(
        "document",
        "paper passage text excerpt article manuscript preprint document publication snippet",
        rf"{_THE}(?P<noun>paper|passage|text|excerpt|article|manuscript|preprint|document|publication|snippet)s?\b"
        rf"{_NAMED}{_COMPOUND}",
        _AN + "{noun}",
    ),
    rule(
        "document",
        "work research investigation",
        r"\b(?:the\s+present|(?:in|of|by|from|for|throughout)\s+this)\s+(?:work|research|investigation)\b(?! done)",
    ),
    rule(
        "document",
        "abstract report work research context section",
        rf"\b(?:the|this)\s+(?:abstract|report|work|research|context){_SAYS}|\bthe\s+methods?\s+section\b",
    ),
    rule(
        "authors",
        "author",
        rf"\b(?:the|these)\s+authors?\b{_NAMED}",
        rf"\bauthors?\s+of\s|{_AN}(?:authors?|papers?|articles?)\b",
    ),
    rule(
        "authors",
        "researcher scientist investigator astronomer experimenter team",
        rf"\b(?:the|these)\s+{_PEOPLE}{_NAMED}",
        rf"{_AN}{_WORK}|(?<!the )(?<!these )\b{_PEOPLE}|\b(?:groups?|collaborations?)\b",
    ),
    rule(
        "source",
        "according",
        r"\baccording\s+to\s+(?:the|these|this)\s+(?:\w+\s+)?(?P<noun>data|results?|findings|measurements?|observations"
        rf"|information|description|statement|context)\b{_NAMED}",
        r"\b{noun}",
    ),
    rule("source", "context", r"\b(?:based\s+on|from|using|in)\s+the\s+(?:(?:given|provided)\s+)?context\b(?!\s+of)"),
    rule("source", "provided given", r"\bthe\s+provided\s+\w+|\bthe\s+given\s+(?:information|context|material)\b"),
    rule(
        "part of a document",
        "fig table sec chapter page footnote § eq appendix",
        rf"(?<![\w-])(?=[cefpst§])(?<!\ba )(?<!\ban )(?<!\bthe )(?<!home )(?<!web )(?<!cross )(?:{_PART})\s*"
        rf"(?:\(?S?\d+(?:\.\d+)*[a-z]?\b(?!\.\d)|(?-i:[IVX]+\b)){_UNIT}|\bappendix\s+(?-i:[A-H]\b|\d)",
    ),
    rule(
        "part of a document",
        "figure table graph plot diagram chart",
        r"\b(?:in|from|see|by)\s+the\s+(?P<noun>figure|table|graph|plot|diagram|chart)\b(?!\s+of)",
        _AN + "{noun}",
    ),
    rule(
        "earlier text",
        "above afore below earlier previously before mentioned described given",
        rf"\b(?:as\s+)?{_SAID}\s+(?:above|below|earlier|previously|before)\b|\bthe\s+(?:above|afore)(?!-)(?:mentioned|said)?\b"
        r"|\bthe\s+(?:mentioned|described|given\s+(?:scenario|example|data|experiment|figures?))\b",
        _ANYTHING,
    ),
    rule(
        "own work",
        "our",
        r"\bour\s+(?:own\s+)?(?:results|findings|sample|catalogue|pipeline|data|dataset|simulations|survey)\b",
    ),
    # "If we measured ..." and "solving for x, we find ..." are how answers reason.
    rule(
        "own work",
        "measured report analy present observed surveyed propos",
        r"(?:\A|(?<=[.?!,;:]\s)|(?<=\band\s)|(?<=\bbecause\s)|(?<=\bhere\s))"
        r"we\s+(?:measured|reported|analy[sz]ed|presented|observed|surveyed|proposed|report|present|propose)\b",
    ),
)


def leaning(text: str, *, given: str = "") -> list[Fault]:
    """Every phrase of `text` that leans on an absent source, in order and without overlap; none: self-contained. `given` is
    what the reader has besides: the question, where `text` is a thought or an answer."""
    return faults(RULES, text, given)
