"""The reference in the docs is what the code says."""

from tests.reference import PAGE, page


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.reference"
