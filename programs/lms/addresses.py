"""`--api-base`: which servers are whose. `URL` is for every model that has none of its own, `MODEL=URL` for that one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from programs.errors import UserError
from programs.lms.base_url import read_base_url

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
    """An address as it is written on the command line."""
    named = _NAMED.fullmatch(text.strip())
    return Address(named["model"].strip(), named["base"].strip()) if named else Address(None, text.strip())


def bases_of(model: str, addresses: Sequence[str]) -> list[str]:
    """The base URLs of a model's servers; none: wherever such models are found when nothing is said."""
    found = [address_of(text) for text in addresses]
    own = [address.base for address in found if address.model == model]
    return own or [address.base for address in found if address.model is None]


def check_models(addresses: Sequence[str], models: Sequence[str]) -> None:
    """Raises UserError where an address is for a model that is none of a run's."""
    strangers = [address.model for address in map(address_of, addresses) if address.model not in (None, *models)]
    if strangers:
        raise UserError(f"--api-base: {strangers[0]!r} is none of the models in use: {', '.join(models)}")
