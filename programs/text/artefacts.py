"""What shows that a text was made by a pipeline: words for its notes, numbers and instructions, and for who asks.

A reader has the question alone, so what a text calls "the critique", "Hypothesis 1" or "the person" is nothing to them.
What the question says in the same words is forgiven. The rules look for forms that nobody writes who thinks or answers:
"the evidence shows", "the null hypothesis", "a person" and "stellar feedback" are plain English.
"""

from __future__ import annotations

import re

from programs.text.phrases import Fault, Rule, faults, rule

_SAYS = r"\s+(?:also\s+)?(?:says?|states?|lists?|notes|mentions?|tells?|asks|reads|warns?|raises)\b"
_NOTES = r"(?:context|perspective|critique|evidence|hypothes[ie]s)"
_LABEL = r"(?:tries|recalls|computes|checks|doubts|takes[ _]back|considers|wonders|settles|wrong[ _]turn)"
_LEARNERS = ("student", "undergraduate", "beginner", "layperson", "learner", "reader", "sceptic")
_TELL = r"(?:say|tell|put|explain|stress|answer|advise|recommend|describe)"

SENTENCE = "the reader has no numbered sentences; leave the number out"
HYPOTHESIS = "the reader has no numbered hypotheses; say the idea itself"
NOTES = "the reader has no notes; say the thing itself"
ORDERS = "nothing was ordered; leave it out"
FORM = "it names a part of the form; write the thinking alone"
ASKER = "nobody is spoken to or of who is not in the question; say the matter itself"

RULES: tuple[Rule, ...] = (
    rule(SENTENCE, "sentence", r"\b(?<!a )(?<!each )sentences?\s+(?:number\s+)?\[?\d+\]?(?!\s*words)"),
    # "[9]" and "[3, 4]", but no index, isotope or interval.
    rule(SENTENCE, "[", r"(?<![\w)\]^_=(×])\[\d{1,2}\](?![\w(\[-])"),
    rule(
        SENTENCE,
        "[",
        r"(?<![\w)\]^_=(×∈:])(?<![∈=:×\d] )(?<!\b\w )(?<!interval )(?<!range )(?<!domain )(?<!between )(?<!array )(?<!in )"
        r"\[\d{1,2}(?:\s*[,;–-]\s*\d{1,2})+\](?![\w(\[-])",
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
        NOTES, "evidence", r"\bthe\s+(?:quoted\s+)?evidence\s+(?:also\s+)?(?:says|states|lists|notes|mentions|reads)\b"
    ),
    rule(
        NOTES,
        "critique analysis perspective misconception strand",
        rf"\bthe\s+(?:critique|analysis|perspective|misconceptions?|strands?){_SAYS}|\bthe\s+context\s+analysis\b",
    ),
    rule(NOTES, "notes strand stage list", rf"\b(?:the|my|these)\s+{_NOTES}\s+(?:notes|strands?|stage|list)\b"),
    rule(
        NOTES,
        "notes",
        rf"\b(?:the|my)\s+notes{_SAYS}|\b(?:in|from|by|per|to|with)\s+(?:the|my)\s+notes\b(?!\s+of\b)",
    ),
    rule(
        ORDERS,
        "asked told instruct supposed required requested draft try",
        r"\bI(?:\s+was|\s+am|['’]m|\s+have\s+been|['’]ve\s+been)\s+(?:asked|told|instructed|supposed|required)\s+(?:not\s+)?to\s+"
        r"(?:write|produce|output|include|reply|respond|weave|mention|make|take|use)\b|\bas\s+I\s+was\s+(?:instructed|told|asked)\b"
        r"|(?:\A|[.?!]\s+)as\s+(?:instructed|requested)\b|\b(?:my|these)\s+instructions\b"
        r"|\bmy\s+(?:earlier|previous)\s+(?:draft|try)\b",
    ),
    rule(
        ORDERS,
        "feedback",
        r"\b(?:the|this|that|earlier|previous|your)\s+feedback\s+(?:says?|said|told|tells|asks|asked|wants|mentions)\b",
    ),
    rule(
        ORDERS,
        "feedback",
        r"\b(?:per|following|address\w*|given)\s+the\s+feedback\b(?!\s+(?:from|of|by|loop))",
    ),
    rule(FORM, "wrong", r"\bwrong[ _]turn\b"),
    rule(
        FORM,
        "_",
        r"\b(?:takes_back|relevant_sentences|reasoning_needed|missing_background|stumbling_blocks|asked_by|final_answer)\b",
    ),
    rule(FORM, "kind text thought answer paragraphs", r"[\"'](?:kind|text|thought|answer|paragraphs)[\"']\s*:"),
    rule(FORM, ": [ ( *", rf"^\W{{0,4}}{_LABEL}\W{{0,2}}:|^[\[(*]+(?:{_LABEL}|wrong)[\])*]+"),
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


def artefacts(text: str, *, given: str = "", asked_by: str = "") -> list[Fault]:
    """What in `text` shows how it was made, in order and without overlap, each with a reason that says what to do; none: an
    empty list. `given` is the question. `asked_by` is who asks it ("on-call surgeon (advanced level)"): neither that person
    nor a learner is spoken to, unless the question speaks of them."""
    return faults([*RULES, *(_addressed(asked_by, given) if asked_by else [])], text, given)


def _addressed(asked_by: str, given: str) -> list[Rule]:
    """Rules for what is said to the one who asks, or to a learner, and for what that one is said to want."""
    role = re.split(r"\s*\(|\s(?:of|with|who|in|at|from|for|on)\s", asked_by.lower())[0].rpartition(" ")[2]
    names = [name for name in (*_LEARNERS, role) if name and name not in given.lower()]
    if not names:
        return []
    parts = " ".join(names)
    who = rf"(?:[\w-]+\s+){{0,2}}?(?:{'|'.join(map(re.escape, names))})\b"
    somebody = rf"(?:an?|the|this)\s+{who}"
    return [
        rule(
            ASKER, parts, rf"\b(?:to|for)\s+{somebody},?\s+I(?:['’](?:d|ll)|\s+(?:would|will|should|can))\s+{_TELL}\b"
        ),
        rule(ASKER, parts, rf"\b{_TELL}(?:ing)?\s+(?:this|that|it|these)\s+to\s+{somebody}"),
        rule(ASKER, parts, rf"(?:\A|[.!?;]\s+)for\s+{somebody}\s*:|\b(?:for|to)\s+this\s+{who}"),
        rule(ASKER, parts, rf"\b(?:the|this)\s+{who}\s+(?:asks|is\s+asking)\b|\bwhat\s+(?:the|this)\s+{who}\s+wants\b"),
        rule(ASKER, parts, rf"\ban?\s+(?:{'|'.join(_LEARNERS)})\s+should\b"),
    ]
