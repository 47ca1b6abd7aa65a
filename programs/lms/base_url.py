"""A base URL as a user writes it, and what may be shown of it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

import httpx

from programs.errors import UserError


@dataclass(frozen=True)
class BaseUrl:
    """`url` without user information and without a trailing slash; the user information is in `basic`, encoded for a
    header, and in `secrets`."""

    url: str
    basic: str | None = field(default=None, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def host(self) -> str:
        return httpx.URL(self.url).host


def read_base_url(text: str, *, default_path: str = "") -> BaseUrl:
    """The base URL in `text`; `default_path` is added only where it has no path.

    Raises UserError for what is not an http or https URL with a host, without repeating credentials in it.
    """
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL:
        raise UserError("the API base is not a URL; it looks like https://host/v1") from None
    if url.scheme not in ("http", "https") or not url.host:
        shown = str(url.copy_with(userinfo=b""))
        raise UserError(f"the API base {shown!r} is not a URL; it looks like https://host/v1")
    path = url.path.rstrip("/") or default_path
    bare = str(url.copy_with(userinfo=b"", path=path or "/", query=None, fragment=None)).rstrip("/")
    if not url.userinfo:
        return BaseUrl(bare)
    basic = base64.b64encode(f"{url.username}:{url.password}".encode()).decode()
    written = url.userinfo.decode("ascii", "replace")
    known = (basic, written, url.password or url.username)
    return BaseUrl(bare, basic, tuple(secret for secret in known if secret))
