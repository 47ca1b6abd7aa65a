"""The words by which a reasoning trace shows what it is doing: one pattern a kind of reasoning.

A cue alone proves nothing; authenticity.py asks for a sentence with content around it.
"""

from __future__ import annotations

import re


def _cue(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?:{a})" for a in alternatives), re.IGNORECASE)


_EMPTY = r"(?:h+m+|u+h+m*|wait|actually|maybe|perhaps|well|okay|ok|oh|ah)"
_FILLER = (
    rf"(?:{_EMPTY}|right|so|now|yes|no|hold on|let me think|let's see|let me see|you know|i think|i guess|probably|"
    r"possibly|interesting|interestingly|alternatively|however)"
)
# These words can be strewn over any sentence without thought, so none of them counts: the empty ones wherever they
# stand, the others in a row. A doubt that is meant says what it doubts.
FILLERS = re.compile(
    rf"(?<![\w-])(?:{_FILLER}(?:[\s,;:.…!?—–-]{{1,5}}{_FILLER})+|{_EMPTY})(?![\w-])[,;:]?", re.IGNORECASE
)

FIRST_PERSON = re.compile(r"\bI\b|\b[Ll]et me\b|\b[Mm][ye]\b|\b[Mm]yself\b")
HEDGE = _cue(
    r"\b(?:possibly|probably|presumably|likely|unlikely|plausibl[ey]|apparently|roughly)\b",
    r"\b(?:might|may|could|seems?|seemed|suggests?|appears?|unclear|uncertain|unsure|doubt|suspect|wonder|guess)\b",
    r"\b(?:not sure|I think|I believe|as far as|not (?:entirely |quite )?(?:convinced|certain|clear))\b",
)
NAMED_QUANTITY = re.compile(
    r"\d|\b[A-Z]{2,}\b|[α-ωΑ-Ω]"
    r"|\b(?:mass|energy|temperature|redshift|density|velocity|luminosity|amplitude|frequency|wavelength|radius|flux|"
    r"probability|entropy|pressure|charge|spin|metallicity|opacity|power spectrum|cross-section|half-life)\b"
)

_WRONG = (
    r"(?:wrong|mistaken|incorrect|false|untenable|refuted|disproved|(?:an? )?(?:error|mistake|myth|misconception)"
    r"|backwards?|too (?:quick|simple|strong|hasty))\b"
)
_SAY = r"(?:think|say|believe|claim|mean|suppose|suggest|find|see why|conclude)"
# What says that something is not wrong has the words of a correction, and is none.
_AFFIRMED = _cue(
    r"(?:\b(?:not|never|hardly|no|nor|neither|cannot)|n['’]t) "
    rf"(?:(?:an?|the|at all|quite|entirely|really|simply|so|that|far|was|is|am|were|be|been|I|it|this|my) ){{0,3}}{_WRONG}",
    rf"(?:\b(?:not|never|nobody|no one|cannot)|n['’]t) (?:\w+ )?{_SAY}s?\b[^.;:!?]{{0,80}}?\b{_WRONG}",
    rf"\b{_WRONG} to {_SAY}\b[^.;:!?]{{0,80}}?\b{_WRONG}",
    rf"\b{_WRONG} to (?:doubt|reject|drop|deny|dismiss|question|discard|withdraw|abandon|give up)",
    r"\b(?:no|without|beyond|not in)(?: any)? doubt\b|(?:\bnot|\bcannot|n['’]t) be (?:denied|doubted|disputed|refuted)\b",
    r"\bactually (?:confirm|support|agree)",
)

# What takes a claim back; authenticity.py checks that there is a claim, and what replaces it.
_CORRECTION = _cue(
    r"\b(?:that|this|it)(?:['’]s| is| was) "
    r"(?:\w+ )?(?:wrong|not right|incorrect|mistaken|too (?:quick|simple|strong|hasty)|backwards?)",
    r"\b(?:that|this|it)(?: isn['’]t| is not| wasn['’]t| was not| can['’]t be| cannot be| does ?n[o'’]t seem) "
    r"(?:\w+ )?right\b",
    r"\bI (?:do not|don['’]t) (?:think|believe) (?:\w+ ){1,5}?(?:right|correct|true|holds?)\b",
    r"\bI (?:was|am|have been|may have been|had been) (?:\w+ )?"
    r"(?:wrong|mistaken|assuming|treating|conflating|confusing|mixing|too quick|too hasty|overlooking|"
    r"forgetting|reading)",
    r"\bI(?:['’]ve| have| had| just)? ?(?:\w+ )?"
    r"(?:misread|mis-read|conflated|confused|overlooked|forgot|forgotten|overstated|misremembered|mixed up|"
    r"jumped|slipped)",
    r"\b(?:my|the) (?:first|initial|earlier|original) (?:\w+ )?(?:thought|guess|claim|reading|instinct|"
    r"assumption|reaction|"
    r"estimate|statement|inference|reasoning|idea|conclusion)\b.{0,80}?"
    r"\b(?:wrong|not|fails?|ignore[sd]?|missed|overlook(?:s|ed)|mistake|too|doesn['’]t|does not|but|needs?|"
    r"breaks?)\b",
    r"\b(?:scratch that|let me (?:correct|redo|revise|retract|back up|take that back|fix)|I (?:need|have|should|"
    r"must|want) "
    r"(?:to )?(?:correct|redo|revise|retract|withdraw|take back|walk back))",
    r"\b(?:I said|I assumed|I took|I treated|I claimed|I argued|I wrote|I concluded|I thought)\b.{0,100}?"
    r"\b(?:but|wrong|however|yet|actually|not|which is)\b",
    r"\b(?:so|then) I (?:should|can|must) not (?:say|claim|conclude)\b",
)


def without_affirmations(text: str) -> str:
    """The text with "sound" for every phrase that says of something that it is not wrong, or not to be doubted."""
    return _AFFIRMED.sub("sound", text)


def corrects(text: str) -> bool:
    """Whether a text has words that take a claim back."""
    return _CORRECTION.search(without_affirmations(text)) is not None


PATTERNS: dict[str, re.Pattern[str]] = {
    "evidence_evaluation": _cue(
        r"\b(?:evidence|data|measurements?|results?|observations?|simulations?|numbers?|tests?|finding|"
        r"detection)\b.{0,50}"
        r"\b(?:supports?|support|suggests?|consistent|inconsistent|favou?rs?|weak|strong|against|rules? out|"
        r"convinc\w+|counts?|"
        r"persuas\w+|tells?|shows?|points?)\b",
        r"\bhow (?:strong|reliable|convincing|robust)|\b(?:consistent|inconsistent|compatible|at odds) with\b|"
        r"\bweigh",
        r"\b(?:that|this) (?:supports|undercuts|weakens|strengthens|argues|counts)\b",
    ),
    "hypothesis_generation": _cue(
        r"\b(?:suppose|what if|hypothes[ie]\w*|conjecture|one (?:possibility|explanation|idea|option))\b",
        r"\bif (?:\w+ ){1,15}(?:then|would|should|ought|might)\b",
        r"\bI(?:['’]d| would) (?:\w+ )?(?:expect|predict)|\bmy (?:first |initial |working )?(?:guess|hunch|idea)\b",
        r"\b(?:might|may|could) (?:\w+ )?(?:be|arise|come|have) (?:\w+ )?(?:because|from|due|caused|produced)\b",
    ),
    "uncertainty_acknowledgement": _cue(
        r"\b(?:not (?:\w+ )?(?:sure|certain|clear|convinced)|unsure|uncertain|unclear|unknown|ambiguous)\b",
        r"\b(?:don['’]t|do not|can['’]t|cannot|can not|couldn['’]t) (?:\w+ )?"
        r"(?:know|tell|say|rule out|be sure|decide|distinguish)\b",
        r"\b(?:hard to (?:say|know|tell)|I doubt|might be wrong|no way (?:of knowing|to know)|remains? open)\b",
    ),
    "alternative_consideration": _cue(
        r"\balternative(?:ly)?\b|\bon the other hand\b|\bcompeting\b|\brival\b|\bequally well\b|\bcould (?:also|"
        r"equally)\b",
        r"\b(?:another|other|different|second|third) (?:\w+ )?(?:possibilit\w+|explanations?|readings?|way|"
        r"reason|model|"
        r"interpretation|account|option|cause)\b",
        r"\bor (?:it|this|that) (?:could|might)\b",
    ),
    "method_critique": _cue(
        r"\b(?:sample|method|selection|calibration|systematics?|assumption|control|estimator|mask|simulations?|"
        r"resolution|"
        r"correction|fit|model|analysis|design|survey|pipeline)\b.{0,60}\b(?:weak\w*|limit\w*|small|ignor\w+|"
        r"problem\w*|caveat|"
        r"confound\w*|flaw\w*|fails?|inadequate|questionable|bias\w*|optimistic|too|worr\w+|depends?|"
        r"not (?:fixed|test|match)\w*)",
        r"\b(?:weak(?:ness)?|problem|flaw|trouble|limitation|worry) (?:of|with|in) (?:the|this|that|their)\b",
        r"\b(?:look-elsewhere|cherry-pick\w*|confounders?|selection effects?|a posteriori|post hoc|overfit\w*)\b",
    ),
    "metacognition": _cue(
        r"\blet me (?:think|check|see|re-?read|re-?consider|step back|verify|be careful|start|work|slow|ask|"
        r"test|try|make sure)",
        r"\bI (?:should|need to|have to|want to|must|ought to|keep|notice|reali[sz]e|wonder|suspect|catch|"
        r"find myself)\b",
        r"\bmy (?:\w+ )?(?:reasoning|thinking|instinct|assumption|thought|reaction|intuition|confidence|reading)\b",
        r"\b(?:I['’]m|I am|am I) (?:\w+ )?(?:assuming|trying|tempted|conflating|missing|worried|reading|"
        r"overstating|treating)\b",
        r"\bbefore I\b|\bstep back\b",
    ),
    "quantitative_reasoning": _cue(
        r"\d.{0,80}?\b(?:divided|times|ratio|factor|difference|sum|quadrature|product|minus|plus|gives|"
        r"square root|percent|"
        r"per cent|sigma|standard deviations?|larger|smaller|half|twice|below|above|out of|exceeds?)\b.{0,80}?\d",
        r"\d\s*(?:[=≈~/×*÷]|\+(?!/))\s*-?\d|[=≈~]\s*\d",
    ),
    "analogy": _cue(
        r"\banalog(?:y|ous|ue)\b|\b(?:it['’]s|is|be|works?|behaves?|acts?|much|rather|just|bit) (?:\w+ )?like\b",
        r"\bas if\b|\bthink of (?:\w+ ){1,6}as\b|\bimagine\b|\breminds? me\b|\b(?:in )?the same way\b|\bresembl\w+",
    ),
    "causal_reasoning": _cue(
        r"\b(?:because|therefore|which means|so that|leads? to|due to|as a result|hence|consequently)\b",
        r"\b(?:causes?|caused|causing|drives?|driven|mechanism)\b|\bwould (?:\w+ )?(?:make|produce|raise|lower|"
        r"shift|bias|move)\b",
    ),
    "user_perspective": _cue(
        r"\b(?:the|this|a) (?:user|reader|asker|questioner|student|beginner|learner|person (?:asking|who))\b",
        r"\b(?:someone (?:asking|who)|being asked|what (?:they|is) (?:really|actually)|(?:wants?|needs?) to know)\b",
        r"\bthe question (?:is|asks|wants|seems|hinges|really|assumes|behind)\b",
    ),
    "synthesis": _cue(
        r"\b(?:put(?:ting)? (?:this|it|these|everything|all)(?: \w+)? together|taken together|overall|"
        r"on balance|all told)\b",
        r"\b(?:so|then) the (?:\w+ )?(?:answer|picture|upshot|conclusion|reading)\b|\b(?:in sum|in short|"
        r"to sum up)\b",
        r"\b(?:I(?:['’]d| would) (?:\w+ )?conclude|the (?:best|safest|fairest|honest) (?:\w+ )?(?:answer|"
        r"reading|statement))\b",
        r"\b(?:boils|comes) down to\b|\badds up to\b",
    ),
}

_STOP_WORDS = """
    that this these those with from have been were will would could should might must shall their there they them then
    than what which when where while whom whose about into onto over under between because therefore also just only very
    such some each both more most much many less least other another your yours ours mine myself does doing done being
    here even still yet again once ever never always often quite rather really simply perhaps maybe possibly probably
    actually basically honestly obviously certainly definitely clearly indeed hmm hmmm wait well okay right hold think
    thinking thought thoughts know knows guess believe suppose wonder seem seems sure unsure doubt uncertain unclear
    consider considering reconsider check verify evidence suggest suggests hypothesis alternative alternatively however
    interesting interestingly similarly overall together conclusion conclude reasoning reason assume assuming assumption
    step back careful look looks looking like let's i'm i've i'll that's it's don't can't isn't doesn't won't there's
    wrong mistake mistaken correct incorrect scratch redo revise first second next finally another thing things
    something anything everything way ways make makes made take takes going come comes gets want need needs true false
"""
STOP = frozenset(_STOP_WORDS.split())
