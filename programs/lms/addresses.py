"""`--api-base`: which servers are whose. `URL` is for every model that has none of its own, `MODEL=URL` for that one."""

import base64
import re
from collections.abc import Sequence
from typing import NamedTuple

import httpx

from programs.errors import UserError


class BaseUrl(NamedTuple):
    """`url` without user information and without a trailing slash; the user information is in `basic`, encoded for a
    header, and in `secrets`: never to be shown."""

    url: str
    basic: str | None = None
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"BaseUrl({self.url!r})"


def read_base_url(text: str, *, default_path: str = "") -> BaseUrl:
    """The base URL in `text`; `default_path` is added only where it has no path. Raises UserError, without credentials, for
    what is no http or https URL with a host."""
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL:
        raise UserError("the API base is not a URL; it looks like https://host/v1") from None
    if url.scheme not in ("http", "https") or not url.host:
        shown = text.strip().rpartition("@")[2]  # a password is no user information where the scheme is forgotten
        raise UserError(f"the API base {shown!r} is not a URL; it looks like https://host/v1")
    path = url.path.rstrip("/") or default_path
    bare = str(url.copy_with(userinfo=b"", path=path or "/", query=None, fragment=None)).rstrip("/")
    if not url.userinfo:
        return BaseUrl(bare)
    basic = base64.b64encode(f"{url.username}:{url.password}".encode()).decode()
    return BaseUrl(bare, basic, (basic, url.userinfo.decode("ascii", "replace"), url.password or url.username))


# Neither a model's name nor what stands before the scheme of a URL holds "://"; a URL's query may hold "=".
_NAMED = re.compile(r"(?P<model>(?:(?!://)[^=])+)=(?P<base>.*)")


class Address(NamedTuple):
    """A base URL, and the model that it is for, by its name on the command line; None: whichever has no other."""

    model: str | None
    base: str

    @property
    def public(self) -> str:
        """The address as a record may show it, without credentials. Raises UserError for what is no URL."""
        url = read_base_url(self.base).url
        return url if self.model is None else f"{self.model}={url}"


def address_of(text: str) -> Address:
    named = _NAMED.fullmatch(text.strip())
    return Address(named["model"].strip(), named["base"].strip()) if named else Address(None, text.strip())


def bases_of(model: str, addresses: Sequence[str]) -> list[str]:
    """The base URLs of a model's servers; none: wherever such models are found when nothing is said."""
    found = [address_of(text) for text in addresses]
    return [a.base for a in found if a.model == model] or [a.base for a in found if a.model is None]


def check_models(addresses: Sequence[str], models: Sequence[str]) -> None:
    """Raises UserError where an address is for a model that is none of a run's."""
    strangers = [address.model for address in map(address_of, addresses) if address.model not in (None, *models)]
    if strangers:
        raise UserError(f"--api-base: {strangers[0]!r} is none of the models in use: {', '.join(models)}")
