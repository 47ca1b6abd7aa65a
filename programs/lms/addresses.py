"""Parses `--api-base`: `MODEL=URL` is the address of one model, `URL` is for all models without one of their own."""

import base64
import re
from collections.abc import Sequence
from typing import NamedTuple

import httpx

from programs.errors import UserError


class BaseUrl(NamedTuple):
    """A base URL without user information, query, fragment or trailing slash. The user information is in `basic`, encoded
    for an Authorization header, and in `secrets`; neither may be shown."""

    url: str
    basic: str | None = None
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"BaseUrl({self.url!r})"


def read_base_url(text: str, *, default_path: str = "") -> BaseUrl:
    """Parses a base URL. `default_path` is used only if the URL has no path. Raises UserError, without credentials in its
    message, unless `text` is an http or https URL with a host."""
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL:
        raise UserError("the API base is not a URL like https://host/v1") from None
    if url.scheme not in ("http", "https") or not url.host:
        shown = text.strip().rpartition("@")[2]  # without a scheme, httpx does not recognize a password
        raise UserError(f"the API base {shown!r} is not a URL like https://host/v1")
    path = url.path.rstrip("/") or default_path
    bare = str(url.copy_with(userinfo=b"", path=path or "/", query=None, fragment=None)).rstrip("/")
    if not url.userinfo:
        return BaseUrl(bare)
    basic = base64.b64encode(f"{url.username}:{url.password}".encode()).decode()
    return BaseUrl(bare, basic, (basic, url.userinfo.decode("ascii", "replace"), url.password or url.username))


# MODEL contains no "://", so that a bare URL with "=" in its query is not split.
_MODEL_AND_BASE = re.compile(r"(?P<model>(?:(?!://)[^=])+)=(?P<base>.*)")


class Address(NamedTuple):
    """A base URL, and the model that it is for, as named on the command line; None: all models without another address."""

    model: str | None
    base: str

    @property
    def public(self) -> str:
        """The address without credentials, for records. Raises UserError if `base` is not a URL."""
        url = read_base_url(self.base).url
        return url if self.model is None else f"{self.model}={url}"


def address_of(text: str) -> Address:
    named = _MODEL_AND_BASE.fullmatch(text.strip())
    return Address(named["model"].strip(), named["base"].strip()) if named else Address(None, text.strip())


def bases_of(model: str, addresses: Sequence[str]) -> list[str]:
    """The base URLs of a model's servers; empty if no address applies to it, so that the backend's default is used."""
    parsed = [address_of(text) for text in addresses]
    return [a.base for a in parsed if a.model == model] or [a.base for a in parsed if a.model is None]


def check_models(addresses: Sequence[str], models: Sequence[str]) -> None:
    """Raises UserError if an address is for a model that is not among `models`."""
    unknown = [address.model for address in map(address_of, addresses) if address.model not in (None, *models)]
    if unknown:
        raise UserError(f"--api-base: {unknown[0]!r} is not among the models in use: {', '.join(models)}")
