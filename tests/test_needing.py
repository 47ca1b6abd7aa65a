"""Tests that need what is not there are skipped with the reason, and fail where everything is required."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.needing import CHROMIUM, FULL, chromium, needed

MODULE = partial(needed, "no_such_module", "it is what is tested")


@pytest.mark.parametrize(
    ("what", "required", "outcome", "said"),
    [
        (MODULE, None, pytest.skip.Exception, r"it is what is tested .*make test-full has it"),
        (MODULE, FULL, ImportError, "no_such_module"),
        (chromium, None, pytest.skip.Exception, "there is no Chromium here"),
        (chromium, FULL, pytest.fail.Exception, "there is no Chromium here"),
        (chromium, CHROMIUM, pytest.fail.Exception, "there is no Chromium here"),
    ],
)
def test_what_is_missing(
    what: Callable[[], Any], required: str | None, outcome: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    for name in (FULL, CHROMIUM):
        monkeypatch.delenv(name, raising=False)
    if required:
        monkeypatch.setenv(required, "1")
    with pytest.raises(outcome, match=said):
        what()
