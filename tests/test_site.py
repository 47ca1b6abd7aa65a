"""The documentation site, built as `make docs` builds it.

1. Every page is built, and every link leads to an existing page and heading.
2. No page loads anything from another server.
3. A broken link fails the build.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import require_module

require_module("mkdocs", "the documents are built by MkDocs")
require_module("material", "the documents are built with Material for MkDocs")

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with the source files of the site."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(ROOT / "signatures", tmp_path / "signatures")
    for name in ("mkdocs.yml", *PAGES):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def build(source: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    return subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)


def test_every_page_is_built_and_needs_no_network(source: Path) -> None:
    done = build(source)
    assert done.returncode == 0, done.stderr
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (source / "site").glob("*.html")}
    own = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"README"}
    assert set(pages) == own | {"index", "documentation", "contributing", "changes", "404"}
    loads_from_server = r'<(?:script|img|link|iframe|source)[^>]*\b(?:src|href)="(?:https?:)?//'
    assert not [name for name, page in pages.items() if re.search(loads_from_server, page)]
    stylesheets = "".join(path.read_text(encoding="utf-8") for path in (source / "site").rglob("*.css"))
    assert not re.search(r"(?:url\(|@import )[\"']?(?:https?:)?//", stylesheets)
    assert 'href="papers.html"' in pages["index"]
    assert 'href="configuration.html"' in pages["contributing"]


def test_a_broken_link_fails_the_build(source: Path) -> None:
    page = source / "docs" / "tutorial.md"
    links = ("nowhere.md", "papers.md#no-such-heading", "../no-such-file.py")
    page.write_text("\n".join([page.read_text(encoding="utf-8"), *(f"[a link]({link})" for link in links)]), "utf-8")
    done = build(source)
    assert done.returncode != 0
    assert [link for link in links if f"'{link.removeprefix('../')}'" in done.stderr] == [*links]
