"""MkDocs hooks (see mkdocs.yml). The links in our Markdown are written for a code host. For the site, the hooks add the
pages of the top folder, adapt the links between those and docs/, and replace links to source files by their text."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
JOINING = {
    "README.md": "index.md",
    "docs/README.md": "documentation.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
}

_LINK = re.compile(r"\[([^\[\]]+)\]\((?!https?:|#)([^)#\s]+)(#[^)]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages of `JOINING`."""
    for name, page in JOINING.items():
        files.append(File.generated(config, page, content=_relinked(ROOT / name)))
    return files


def on_page_read_source(page: Any, **_: Any) -> str | None:
    """Returns the Markdown of a page in docs/ with its links adapted, or None for other pages."""
    path = page.file.abs_src_path
    return None if path is None or page.file.src_uri in JOINING.values() else _relinked(Path(path))


def _relinked(path: Path) -> str:
    def link(found: re.Match[str]) -> str:
        text, target, place = found[1], (path.parent / found[2]).resolve(), found[3] or ""
        name = target.relative_to(ROOT).as_posix()
        if name not in JOINING and target.is_file() and target.parent != ROOT / "docs":
            return text
        return f"[{text}]({JOINING.get(name, target.name)}{place})"

    return _LINK.sub(link, path.read_text(encoding="utf-8"))
