"""The lexicon by which a text says that something is more, less, better, worse, the same or different.

Words stand here as they are written, in every form that counts. What is left out is left out on purpose: "fall", "gain"
and "growth" name things at least as often as they say what became of one.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


UP = _words("""
    increase increases increased increasing rise rises rising rose risen grow grows growing grew grown raise raises raised
    raising elevate elevates elevated elevating elevation enhance enhances enhanced enhancing enhancement exceed exceeds
    exceeded exceeding climb climbs climbed amplify amplifies amplified boost boosts boosted strengthen strengthens
    strengthened expand expands expanded accelerate accelerates accelerated prolong prolongs prolonged upregulated
    higher greater larger bigger more longer faster stronger wider steeper heavier thicker deeper
""")
DOWN = _words("""
    decrease decreases decreased decreasing reduce reduces reduced reducing reduction reductions decline declines declined
    declining drop drops dropped dropping fell fallen diminish diminishes diminished diminishing lowers lowered lowering
    lessen lessens lessened attenuate attenuates attenuated suppress suppresses suppressed weaken weakens weakened shrink
    shrinks shrank shrunk shorten shortens shortened decelerate decelerates decelerated downregulated
    lower less lesser fewer smaller shorter slower weaker narrower shallower lighter thinner
""")
BETTER = _words("""
    improve improves improved improving improvement improvements better benefit benefits beneficial superior superiority
    favourable favorable ameliorate ameliorates ameliorated
""")
WORSE = _words("""
    worsen worsens worsened worsening worse deteriorate deteriorates deteriorated deterioration impair impairs impaired
    impairment inferior inferiority poorer unfavourable unfavorable
""")
SAME = _words("similar comparable unchanged identical unaffected equivalent equally")
DIFFERENT = _words("""
    differ differs differed differing difference differences different change changes changed changing affect affects
    affected effect effects influence influences influenced alter alters altered associated association associations
    correlate correlates correlated correlation correlations depend depends depended
""")
VARIES = _words("differ differs differed depend depends depended affects influences alters correlates")
"""Of these forms it is plain that they assert a difference; the others name one as often."""

SIGNIFICANT = _words("significant significantly significance")
INSIGNIFICANT = _words("insignificant insignificantly nonsignificant nonsignificantly")

INFINITIVES = _words("""
    increase rise grow raise elevate enhance exceed climb amplify boost strengthen expand accelerate prolong decrease reduce
    decline drop diminish lower lessen attenuate suppress weaken shrink shorten decelerate improve benefit ameliorate worsen
    deteriorate impair differ change affect influence alter correlate depend
""")
"""After "to" these name a purpose, not a finding,"""

FOUND = _words("found shown known seen observed reported seem seems seemed appear appears appeared tend tends tended")
"""unless one of these goes before."""

COMPARATIVES = _words(
    "higher greater larger bigger more longer stronger lower less lesser fewer smaller shorter weaker"
)
"""Said of a noun of change, these say by how much: "the reduction was smaller"."""

CUES = UP | DOWN | BETTER | WORSE | SAME | DIFFERENT | SIGNIFICANT | INSIGNIFICANT

NEGATORS = _words("no not never neither nor without cannot none lack lacks lacked fail fails failed absent absence")
NOT_NEGATED = _words("only least more less fewer later doubt matter")
"""Before these a negator denies nothing: "not only", "no less than"."""

BREAKS = _words("; but whereas while however although though yet")
"""Where another statement begins, and a negator's reach ends."""

OPEN = _words("""
    whether if may might could would should perhaps maybe possibly probably presumably suppose supposing assume assuming
    aim aims aimed objective hypothesis hypotheses hypothesise hypothesised hypothesize hypothesized unknown unclear
    suspect wonder doubt
""")
"""A sentence with one of these asserts nothing that could be contradicted."""

CONTROLS = _words("control controls placebo untreated sham")
"""The arm that others are compared with; what became of it alone says nothing about them."""

OPPOSITES = tuple(
    frozenset(pair.split("/"))
    for pair in _words("""
    high/low bright/faint early/late old/young large/small long/short strong/weak fast/slow hot/cold warm/cool thick/thin
    near/far inner/outer upper/lower blue/red dense/diffuse deep/shallow wide/narrow positive/negative male/female
    men/women before/after brighter/fainter hotter/cooler warmer/cooler hotter/colder earlier/later older/younger
    nearer/farther bluer/redder denser/sparser above/below maximum/minimum present/absent
    accept/reject consistent/inconsistent stable/unstable possible/impossible likely/unlikely known/unknown
    include/exclude included/excluded attract/repel
    """)
)
"""Words that turn a statement around when one takes the place of the other."""
