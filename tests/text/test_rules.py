"""Searching for a rule's parts first never skips a rule whose pattern matches, in any text of the truth tables."""

from programs.text.injection import INSTRUCTIONS
from programs.text.phrases import ARTEFACT_RULES, SOURCE_REFERENCE_RULES
from programs.text.prose import RULES
from programs.text.words import applicable_rules
from tests.text import test_injection, test_phrases, test_prose

MATCHING = (
    test_prose.MACHINE_TEXTS,
    test_phrases.REFERENCES,
    test_phrases.NOT_INTRODUCED,
    test_phrases.ARTEFACTS,
    test_injection.FLAGGED,
)
CLEAN = (*test_prose.PROSE, *test_phrases.NO_REFERENCES, *test_phrases.NO_ARTEFACTS)


def test_no_rule_that_matches_is_skipped() -> None:
    texts = [*(case[0] for table in MATCHING for case in table), *CLEAN]
    for text in [*texts, *map(str.upper, texts)]:
        for rules in (RULES, SOURCE_REFERENCE_RULES, ARTEFACT_RULES, INSTRUCTIONS):
            matching = [rule for rule in rules if rule.pattern.search(text)]
            assert not [rule for rule in matching if rule not in applicable_rules(rules, text)], text
