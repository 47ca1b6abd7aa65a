"""The reference in the docs is what the code says."""

import pytest

from programs.command import COMMANDS
from tests.reference import PAGE, page, section


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.reference"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_command_is_in_it(name: str) -> None:
    found = section(name, COMMANDS[name])
    for field in COMMANDS[name].settings().model_fields:
        assert f"--{field.rstrip('_').replace('_', '-')}`" in found or f"`{field}`" in found
