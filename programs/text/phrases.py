"""Finds phrases that a text must not have, since its reader has only the question: references to a source
(`source_references`), and signs of how the text was made (`artefacts`), such as the pipeline's notes and numbers, or who
asks.

A text may refer to what the question or the text itself introduced ("A study of 40 dwarfs finds", "could the study have
missed"), and to a source that is named ("the paper by Hubble"). The rules match words, not meaning: they look for forms
that do not occur in ordinary thinking or answers, and miss sources that are only implied ("the survey finds").
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from programs.text.words import Rule, applicable_rules, parse_rules


class Fault(NamedTuple):
    """A phrase that a rule found, text[start:end], and the rule's reason."""

    phrase: str
    start: int
    end: int
    reason: str


def source_references(text: str, *, given: str = "") -> list[Fault]:
    """Every phrase of `text` that refers to an absent source, in order and without overlap. `given` is what else the reader
    has: the question, if `text` is a thought or an answer."""
    return _faults(SOURCE_REFERENCE_RULES, text, given)


def artefacts(text: str, *, given: str = "") -> list[Fault]:
    """Every phrase of `text` that shows how it was made, in the same form. That includes mentions of the asker or of a
    learner, unless the question has them."""
    return _faults(ARTEFACT_RULES, text, given)


def strip_source(text: str) -> str:
    """A question without words that only name its source, at the start or before a question mark: "According to the
    passage, why" becomes "Why"."""
    rest = _NAMED_ONLY.sub("", text)
    return rest[:1].upper() + rest[1:] if _NAMED_ONLY.match(text) else rest


def _faults(rules: Iterable[Rule], text: str, given: str) -> list[Fault]:
    lowered, hits = given.lower(), list[Fault]()
    for rule in applicable_rules(rules, text):
        for match in rule.pattern.finditer(text):
            forgiven = rule.introduced_by.replace("{noun}", re.escape(match.groupdict().get("noun") or ""))
            introduced = re.search(forgiven, f"{given}\n{text[: match.start()]}", re.IGNORECASE)
            if not introduced and match[0].lower() not in lowered:
                hits.append(Fault(match[0], match.start(), match.end(), rule.reason))
    kept: list[Fault] = []
    for hit in sorted(hits, key=lambda h: (h.start, -h.end)):
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return kept


_FLAGS = re.IGNORECASE | re.MULTILINE

_SOURCE = (
    r"(?:the|this)\s+(?:given\s+|provided\s+)?(?:passage|text|excerpt|information|context|paper|article|study)"
    r"(?:\s+(?:given|provided))?(?:\s+(?:in|by)\s+the\s+(?:passage|text|paper))?"
)
# In "According to the study, which followed 212 people, is it so?" the source is not all that "which" may be about.
_NAMED_ONLY = re.compile(
    rf"\A(?:according\s+to|based\s+on|from|in)\s+{_SOURCE},\s+"
    r"(?=(?:what|why|how|when|where|is|are|was|were|do|does|did|can|could|should|would|will|has|have|had|the|an?)\s"
    r"|which\s[^,?]*\?)"
    rf"|,?\s+(?:according\s+to|based\s+on)\s+{_SOURCE}(?=\?)",
    re.IGNORECASE,
)

_AN = (
    r"\b(?:an?|one|two|three|four|some|several|many|another|other|each|every|any|no|different|our|my|\d+)\s+"
    r"(?:[\w-]+,?\s+){0,4}?"
)
_THE = r"\b(?:the|this|these|our)\s+(?:(?:given|above|present|current|following|quoted|cited|source|original)\s+)*"
# Unless the next words say which one is meant. A count after "of" does not ("the study of 212 galaxies").
_UNNAMED = (
    r"(?!\s+(?:of\b(?!\s+(?:the\s+)?\d)|by|from|through|between|across|into|at|who|that|titled|called)\b|-\w|\s*[\"“])"
)
_PUBLISHED = "paper|article|preprint|publication|manuscript|excerpt"
_TEXT = f"{_PUBLISHED}|passage|text|document|snippet"
_WORK = (
    r"(?:stud(?:y|ies)|trials?|experiments?|surveys?|series|cohorts?|reviews?|reports?|papers?|articles?|preprints?)\b"
)
_EFFORT = "(?:work|research|investigation)"
_PEOPLE = "team|researcher|scientist|investigator|astronomer|experimenter"
# A question (the first line) that says "we" introduces a team.
_TEAM = rf"{_AN}{_WORK}|(?<!the )(?<!these )\b(?:{_PEOPLE})s?\b|\b(?:groups?|collaborations?)\b|\A[^\n]*\b(?:we|our)\b"
_SAYS = r"(?:finds|shows|argues|suggests|states|says|describes|mentions|claims|notes|indicates|concludes)\b"
_SAYING = "abstract|report|work|research|context"
_EXAMPLE = "(?:scenario|example|data|experiment|figures?)"
_PART = r"(?:figs?\.|figures?|tables?|chapters?|pages?|footnotes?|§|eqn?s?\.?|equations?)\s*"
_SECTION = r"(?:(?:sub)?sections?|sect?\.)\s*"
_ITS_NUMBER = r"\(?S?(?!0\b)\d+(?:\.\d+)*[a-z]?\b(?!\.\d|\s*[=+*/^×·<>%-])"
# Sections that are no part of a text. The one of "a cross section of 3 barns" is its value.
_CUT = r"\b(?:c|ca?esarean|planned|elective|emergency|repeat|frozen|thin|tissue|brain)[\s-]sections?\b"
_DRAWN = "figure|table|graph|plot|diagram|chart"
_OURS = "stud(?:y|ies)|results|findings|sample|catalogue|pipeline|data|dataset|simulations|survey"
# Only at the start of a clause and with verbs of reporting: "if we measured" and "so we find" are ordinary reasoning.
_CLAUSE_START = r"(?=we\s)(?:\A|(?<=[.?!,;:]\s)|(?<=\band\s)|(?<=\bbecause\s)|(?<=\bhere\s))"
_REPORTED = "measured|reported|analysed|analyzed|presented|observed|surveyed|proposed|report|present|propose"

PART_OF_DOCUMENT, OWN_WORK = "part of a document", "own work"

SOURCE_REFERENCE_RULES = parse_rules(
    rf"""
document | stud | (?!our){_THE}stud(?:y|ies)\b{_UNNAMED} | {_AN}{_WORK}
document | {_TEXT} | {_THE}(?P<noun>{_TEXT})\b{_UNNAMED} | {_AN}{{noun}}
document | {_PUBLISHED} | {_THE}(?P<noun>{_PUBLISHED})s\b{_UNNAMED} | \b{{noun}}
document | work|research|investigation | \b(?:the\s+present|(?:in|of|by|from|for|throughout)\s+this)\s+{_EFFORT}\b(?! done)
document | {_SAYING} | \b(?:the|this)\s+(?P<noun>{_SAYING})\s+(?:\w+ly\s+)?{_SAYS} | {_AN}{{noun}}
authors | author | \b(?:the|these)\s+authors?\b{_UNNAMED} | \bauthors?\s+of\s|{_AN}(?:author|paper|article)s?\b
authors | {_PEOPLE} | \b(?:the|these)\s+(?:{_PEOPLE})s?\b{_UNNAMED} | {_TEAM}
source | context | \b(?:based\s+on|from|using|in)\s+the\s+(?:(?:given|provided)\s+)?context\b(?!\s+of)
source | provided|given | \bthe\s+(?:provided\s+\w+|given\s+(?:information|context|material)\b)
source | mentioned|described|given | \bthe\s+(?:mentioned|described|given\s+{_EXAMPLE})\b | [.?!]\s
source | here | \b(?:presented|reported|described|discussed|analy[sz]ed)\s+here\b | [.?!]\s
{PART_OF_DOCUMENT} | fig|table|chapter|page|footnote|§|eq | (?<![\w-])(?<!\ba\s){_PART}{_ITS_NUMBER}
{PART_OF_DOCUMENT} | sec | (?<![\w-])(?<!\ba\s)(?<!cross\s){_SECTION}{_ITS_NUMBER} | {_CUT}
{PART_OF_DOCUMENT} | ref|cite|appendix | \\(?:(?:auto|page|eq|c)?ref|cite\w*)\b|\bappendix\s+(?-i:[A-H]\b|\d)
{PART_OF_DOCUMENT} | {_DRAWN} | \b(?:in|from|see|by)\s+the\s+(?P<noun>{_DRAWN})\b(?!\s+of) | {_AN}{{noun}}
{OWN_WORK} | our | \bour\s+(?:own\s+)?(?:{_OURS})\b
{OWN_WORK} | {_REPORTED} | {_CLAUSE_START}we\s+(?:{_REPORTED})\b
""",
    _FLAGS,
)

SENTENCE = "the reader has no numbered sentences; leave the number out"
HYPOTHESIS = "the reader has no numbered hypotheses; say the idea itself"
NOTES = "the reader has no notes; say the thing itself"
FORM = "it names a part of the form; write the thinking alone"
ASKER = "nobody is spoken to or of who is not in the question; say the matter itself"

_STATES = r"(?:also\s+)?(?:says?|states?|lists?|notes|mentions?|tells?|asks|reads|warns?|raises|say)\b"
_NOTES = "context|evidence|critique|analysis|perspective|hypothesis|hypotheses|misconception|strand"
_NOTE = rf"\b(?:{_NOTES})s?"
_FIELDS = "takes_back|relevant_sentences|reasoning_needed|missing_background|stumbling_blocks|asked_by|final_answer"
_LABEL = r"(?:tries|recalls|computes|checks|doubts|takes[ _]back|considers|wonders|settles|wrong[ _]turn)"
_LEARNERS = "student|undergraduate|beginner|layperson|learner|sceptic"
_A_PERSON = (
    r"\b(?:an?|one|each|every|any|some|another)\s+(?:[\w-]+\s+){0,3}person\b|\bpeople\b|\b(?:some|any)(?:one|body)\b"
)

ARTEFACT_RULES = parse_rules(
    rf"""
{SENTENCE} | sentence | \b(?<!a )(?<!each )sentences?\s+(?:number\s+)?\[?\d+\]?(?!\s*words)
{SENTENCE} | [ | (?<![\w)\]^_=(×])\[\d{{1,2}}\](?![\w(\[-])
{HYPOTHESIS} | hypothes | (?<!null )\bhypothes[ie]s\s+(?:#|number\s+|no\.\s*)?(?:[1-9]\b(?![.%]\d*)|(?-i:[A-E])\b(?!\.))
{NOTES} | {_NOTES} | \bthe\s+(?:quoted\s+)?{_NOTE}\s+{_STATES}
{NOTES} | provided | {_NOTE}\s+provided\b(?!\s+(?:by|in|to|for|that)\b)
{NOTES} | given | {_NOTE}\s+given(?=\s*(?:[.,;:?!)]|\Z))|\bthe\s+given\s+(?!hypothes){_NOTE}\b
{NOTES} | sentences|needed|text | \bthe\s+(?:relevant\s+sentences|reasoning\s+needed)\b|\bgiven\s+scientific\s+text\b
{NOTES} | thought | \bthe\s+thought\s+(?:presented|provided|given)\b
{NOTES} | notes | \b(?:the|my)\s+notes\s+{_STATES}|\b(?:in|from|by|per|to|with)\s+(?:the|my)\s+notes\b(?!\s+of\b)
{FORM} | wrong|_ | \bwrong[ _]turn\b|\b(?:{_FIELDS})\b
{FORM} | :|[|(|* | ^\W{{0,4}}{_LABEL}\W{{0,2}}:|^[\[(*]+(?:{_LABEL}|wrong)[\])*]+
{ASKER} | user | \b(?:the|this)\s+user(?:['’]s\s+(?:question|level)|\s+(?:asks|asked|is\s+asking|wants))\b
{ASKER} | asker|questioner|reader|user | \b(?:the\s+(?:asker|questioner)|this\s+(?:reader|user))\b
{ASKER} | question | \b(?:address|answer)(?:es|ing)?\s+the\s+question\s+(?:asked|posed)\b|\bthe\s+question\s+asks\b
{ASKER} | person | \b(?:the|this)\s+person\s+(?:who\s+)?(?:asks|is\s+asking|wonders|wants)\b | {_A_PERSON}
{ASKER} | {_LEARNERS} | \b(?:to|for)\s+an?\s+(?:{_LEARNERS})(?:,?\s+I\b|\s*:) | \b(?:{_LEARNERS})
{ASKER} | {_LEARNERS} | \b(?:an?|the|this)\s+(?:{_LEARNERS})\s+(?:should|asks|wants)\b | \b(?:{_LEARNERS})
""",
    _FLAGS,
)
