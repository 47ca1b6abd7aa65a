"""Looking for a rule's parts first hides nothing from its pattern, in any text of these rooms' truth tables."""

from programs.text.injection import INSTRUCTIONS
from programs.text.phrases import ARTEFACT_RULES, SOURCE_REFERENCE_RULES
from programs.text.prose import RULES
from programs.text.words import applicable
from tests.text import test_injection, test_phrases, test_prose

FOUND = (test_prose.LEAKS, test_phrases.LEANS, test_phrases.STILL_LEANS, test_phrases.SHOWS, test_injection.FLAGGED)
CLEAN = (*test_prose.PROSE, *test_phrases.STANDS_ALONE, *test_phrases.PLAIN)


def test_no_rule_that_finds_something_is_passed_over() -> None:
    texts = [*(case[0] for table in FOUND for case in table), *CLEAN]
    for text in [*texts, *map(str.upper, texts)]:
        for rules in (RULES, SOURCE_REFERENCE_RULES, ARTEFACT_RULES, INSTRUCTIONS):
            finding = [each for each in rules if each.pattern.search(text)]
            assert not [each for each in finding if each not in applicable(rules, text)], text
