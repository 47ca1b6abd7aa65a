"""Tests that need what is not there are skipped with the reason, and fail where everything is required."""

from __future__ import annotations

import json

import pytest

from tests.needing import CHROMIUM, FULL, chromium, needed


def test_what_is_missing_skips_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FULL, raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"it is what is tested .*make test-full has it"):
        needed("no_such_module", "it is what is tested")


def test_what_is_missing_fails_where_all_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FULL, "1")
    assert needed("json", "it is always there") is json
    with pytest.raises(ImportError):
        needed("no_such_module", "it is what is tested")


def test_without_chromium_a_test_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for name in (FULL, CHROMIUM):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(pytest.skip.Exception, match="there is no Chromium here"):
        chromium()


@pytest.mark.parametrize("name", [FULL, CHROMIUM])
def test_without_chromium_a_test_fails_where_it_is_required(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv(name, "1")
    with pytest.raises(pytest.fail.Exception, match="there is no Chromium here"):
        chromium()
