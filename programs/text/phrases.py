"""Phrases that a text must not have, since its reader has the question alone: those that lean on a source (`leaning`), and
those that show how the text was made (`artefacts`): a pipeline's notes, numbers, instructions, and who asks.

What the question or the text itself introduced ("A study of 40 dwarfs finds") can be referred to ("could the study have
missed"), and so can a source that is named ("the paper by Hubble"). The rules read words, not meaning: they look for forms
that nobody writes who thinks or answers, and miss sources that are only implied ("the survey finds").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from programs.text.rules import Rule, applicable, rule


class Fault(NamedTuple):
    """text[start:end] is `phrase`; `reason` is what its rule says of it."""

    phrase: str
    start: int
    end: int
    reason: str


def leaning(text: str, *, given: str = "") -> list[Fault]:
    """Every phrase of `text` that leans on an absent source, in order and without overlap; none: self-contained. `given` is
    what the reader has besides: the question, where `text` is a thought or an answer."""
    return _faults(LEANING, text, given)


def artefacts(text: str, *, given: str = "", asked_by: str = "") -> list[Fault]:
    """What in `text` shows how it was made, in the same way. `asked_by` is who asks ("on-call surgeon (advanced level)"):
    neither that person nor a learner is spoken to, unless the question speaks of them."""
    return _faults([*MADE, *(_addressed(asked_by, given.lower()) if asked_by else [])], text, given)


def _faults(rules: Iterable[Rule], text: str, given: str) -> list[Fault]:
    said = given.lower()
    hits = [
        Fault(match[0], match.start(), match.end(), each.reason)
        for each in applicable(rules, text)
        for match in each.pattern.finditer(text)
        if not (match[0].lower() in said or _introduced(each, match, f"{given}\n{text[: match.start()]}"))
    ]
    kept: list[Fault] = []
    for hit in sorted(hits, key=lambda h: (h.start, -h.end)):
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return kept


def _introduced(each: Rule, match: re.Match[str], before: str) -> bool:
    if each.introduced_by is None:
        return False
    noun = re.escape(match.groupdict().get("noun") or "")
    return re.search(each.introduced_by.replace("{noun}", noun), before, re.IGNORECASE) is not None


_AN = (
    r"\b(?:an?|one|two|three|four|some|several|many|another|other|each|every|any|no|different|\d+)\s+"
    r"(?:[\w-]+,?\s+){0,4}?"
)
_THE = r"\b(?:the|this|these|our)\s+(?:(?:given|above|present|current|following|quoted|cited|source|original)\s+)*"
# What follows says which one; but a count after "of", as in "the study of 212 galaxies", names no known work.
_NAMED = (
    r"(?!\s+(?:of\b(?!\s+(?:the\s+)?\d)|by|from|through|between|across|into|at|who|that|titled|called)\b|-\w|\s*[\"“])"
)
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
_SAID = "mentioned|described|noted|discussed|stated|shown|explained|seen|indicated|outlined|listed|quoted"
_A_SENTENCE = r"[.?!]\s"
_PART = r"figs?\.|figures?|tables?|(?:sub)?sections?|sect?\.|chapters?|pages?|footnotes?|§|eqn?s?\.?|equations?"
_UNIT = r"(?!\s*(?:[=+*/^×·−<>%-]|(?:[cmk]?m|met(?:re|er)s?|f(?:oo|ee)t|barns?|[pf]b|decades|times|sigma|orbit)\b))"

LEANING: tuple[Rule, ...] = (
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
        "work research investigation abstract report context methods",
        r"\b(?:the\s+present|(?:in|of|by|from|for|throughout)\s+this)\s+(?:work|research|investigation)\b(?! done)"
        rf"|\b(?:the|this)\s+(?:abstract|report|work|research|context){_SAYS}|\bthe\s+methods?\s+section\b",
    ),
    rule(
        "authors",
        "author",
        rf"\b(?:the|these)\s+authors?\b{_NAMED}",
        rf"\bauthors?\s+of\s|{_AN}(?:author|paper|article)s?\b",
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
    rule(
        "source",
        "context provided given",
        r"\b(?:based\s+on|from|using|in)\s+the\s+(?:(?:given|provided)\s+)?context\b(?!\s+of)"
        r"|\bthe\s+provided\s+\w+|\bthe\s+given\s+(?:information|context|material)\b",
    ),
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
        _SAID.replace("|", " "),
        rf"\b(?:as\s+)?(?:{_SAID})\s+(?:above|below|earlier|previously|before)\b",
        _A_SENTENCE,
    ),
    rule("earlier text", "above afore", r"\bthe\s+(?:above|afore)(?!-)(?:mentioned|said)?\b", _A_SENTENCE),
    rule(
        "earlier text",
        "mentioned described given",
        r"\bthe\s+(?:mentioned|described|given\s+(?:scenario|example|data|experiment|figures?))\b",
        _A_SENTENCE,
    ),
    # "If we measured ..." and "solving for x, we find ..." are how answers reason.
    rule(
        "own work",
        "our",
        r"\bour\s+(?:own\s+)?(?:results|findings|sample|catalogue|pipeline|data|dataset|simulations|survey)\b",
    ),
    rule(
        "own work",
        "measured report analy present observed surveyed propos",
        r"(?=we\s)(?:\A|(?<=[.?!,;:]\s)|(?<=\band\s)|(?<=\bbecause\s)|(?<=\bhere\s))"
        r"we\s+(?:measured|reported|analy[sz]ed|presented|observed|surveyed|proposed|report|present|propose)\b",
    ),
)

SENTENCE = "the reader has no numbered sentences; leave the number out"
HYPOTHESIS = "the reader has no numbered hypotheses; say the idea itself"
NOTES = "the reader has no notes; say the thing itself"
ORDERS = "nothing was ordered; leave it out"
FORM = "it names a part of the form; write the thinking alone"
ASKER = "nobody is spoken to or of who is not in the question; say the matter itself"

_SAYS_SO = r"\s+(?:also\s+)?(?:says?|states?|lists?|notes|mentions?|tells?|asks|reads|warns?|raises)\b"
_NOTES = r"(?:context|perspective|critique|evidence|hypothes[ie]s)"
_LABEL = r"(?:tries|recalls|computes|checks|doubts|takes[ _]back|considers|wonders|settles|wrong[ _]turn)"
_LEARNERS = ("student", "undergraduate", "beginner", "layperson", "learner", "reader", "sceptic")
_TELL = r"(?:say|tell|put|explain|stress|answer|advise|recommend|describe)"

MADE: tuple[Rule, ...] = (
    # "[9]" and "[3, 4]", but no index, isotope or interval.
    rule(
        SENTENCE,
        "sentence [",
        r"\b(?<!a )(?<!each )sentences?\s+(?:number\s+)?\[?\d+\]?(?!\s*words)"
        r"|(?<![\w)\]^_=(×])\[\d{1,2}\](?![\w(\[-])"
        r"|(?<![\w)\]^_=(×∈:])(?<![∈=:×\d] )(?<!\b\w )(?<!interval )(?<!range )(?<!domain )(?<!between )(?<!array )"
        r"(?<!in )\[\d{1,2}(?:\s*[,;–-]\s*\d{1,2})+\](?![\w(\[-])",
    ),
    rule(
        HYPOTHESIS,
        "hypothes",
        r"(?<!null )\bhypothes[ie]s\s+(?:#|number\s+|no\.\s*)?"
        r"(?:[1-9]\b(?!\.\d|\s*(?:%|σ|per|times|sigma|out))|(?-i:[A-E])\b(?!\.))",
    ),
    rule(
        HYPOTHESIS,
        "hypothes",
        r"\bthe\s+(?:first|second|third|fourth|last)\s+hypothesis\b",
        r"\b(?:an?|one|two|three|several|some|competing|these|my|other|another|possible)\s+(?:[\w-]+\s+){0,2}hypothes[ie]s\b",
    ),
    rule(
        NOTES,
        "evidence critique analysis perspective misconception strand notes stage list",
        r"\bthe\s+(?:quoted\s+)?evidence\s+(?:also\s+)?(?:says|states|lists|notes|mentions|reads)\b"
        rf"|\bthe\s+(?:critique|analysis|perspective|misconceptions?|strands?){_SAYS_SO}|\bthe\s+context\s+analysis\b"
        rf"|\b(?:the|my|these)\s+{_NOTES}\s+(?:notes|strands?|stage|list)\b"
        rf"|\b(?:the|my)\s+notes{_SAYS_SO}|\b(?:in|from|by|per|to|with)\s+(?:the|my)\s+notes\b(?!\s+of\b)",
    ),
    rule(
        ORDERS,
        "asked told instructed supposed required",
        r"\bI(?:\s+was|\s+am|['’]m|\s+have\s+been|['’]ve\s+been)\s+(?:asked|told|instructed|supposed|required)\s+(?:not\s+)?to\s+"
        r"(?:write|produce|output|include|reply|respond|weave|mention|make|take|use)\b|\bas\s+I\s+was\s+(?:instructed|told|asked)\b",
    ),
    rule(
        ORDERS,
        "instruct requested",
        r"(?:\A|[.?!]\s+)as\s+(?:instructed|requested)\b|\b(?:my|these)\s+instructions\b",
    ),
    rule(ORDERS, "earlier previous", r"\bmy\s+(?:earlier|previous)\s+(?:draft|try)\b"),
    rule(
        ORDERS,
        "feedback",
        r"\b(?:the|this|that|earlier|previous|your)\s+feedback\s+(?:says?|said|told|tells|asks|asked|wants|mentions)\b"
        r"|\b(?:per|following|address\w*|given)\s+the\s+feedback\b(?!\s+(?:from|of|by|loop))",
    ),
    rule(FORM, "wrong", r"\bwrong[ _]turn\b"),
    rule(
        FORM,
        "_",
        r"\b(?:takes_back|relevant_sentences|reasoning_needed|missing_background|stumbling_blocks|asked_by|final_answer)\b",
    ),
    rule(FORM, "\" '", r"[\"'](?:kind|text|thought|answer|paragraphs)[\"']\s*:"),
    rule(FORM, ":", rf"^\W{{0,4}}{_LABEL}\W{{0,2}}:"),
    rule(FORM, "[ ( *", rf"^[\[(*]+(?:{_LABEL}|wrong)[\])*]+"),
    # "The user can choose a mask" is said of any program.
    rule(
        ASKER,
        "user asker questioner reader",
        r"\b(?:the|this)\s+user(?:['’]s\s+(?:question|level)|\s+(?:asks|asked|is\s+asking))\b"
        r"|\bthe\s+(?:asker|questioner)\b|\bwhat\s+the\s+user\s+wants\b|\bthis\s+(?:reader|user)\b",
    ),
    rule(
        ASKER,
        "person",
        r"\b(?:the|this)\s+person\b(?!\s+(?:who|whose|with|in|being|at)\b)",
        r"\b(?:an?|one|each|every|any|some|another)\s+(?:[\w-]+\s+){0,3}person\b|\bpeople\b|\b(?:some|any)(?:one|body)\b",
    ),
)


def _addressed(asked_by: str, given: str) -> list[Rule]:
    """A rule for what is said to the one who asks, or to a learner, and for what that one is said to want."""
    role = re.split(r"\s*\(|\s(?:of|with|who|in|at|from|for|on)\s", asked_by.lower())[0].rpartition(" ")[2]
    names = tuple(name for name in (*_LEARNERS, role) if name and name not in given)
    return [_address(names)] if names else []


@lru_cache(maxsize=256)
def _address(names: tuple[str, ...]) -> Rule:
    who = rf"(?:[\w-]+\s+){{0,2}}?(?:{'|'.join(map(re.escape, names))})\b"
    somebody = rf"(?:an?|the|this)\s+{who}"
    learners = "|".join(name for name in names if name in _LEARNERS) or "learner"
    return rule(
        ASKER,
        " ".join(names),
        rf"\b(?:to|for)\s+{somebody},?\s+I(?:['’](?:d|ll)|\s+(?:would|will|should|can))\s+{_TELL}\b"
        rf"|\b{_TELL}(?:ing)?\s+(?:this|that|it|these)\s+to\s+{somebody}"
        rf"|(?:\A|[.!?;]\s+)for\s+{somebody}\s*:|\b(?:for|to)\s+this\s+{who}"
        rf"|\b(?:the|this)\s+{who}\s+(?:asks|is\s+asking)\b|\bwhat\s+(?:the|this)\s+{who}\s+wants\b"
        rf"|\ban?\s+(?:{learners})\s+should\b",
    )
