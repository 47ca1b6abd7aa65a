"""Every export format by its name: the `Format`s of the families below. A new one needs no more than to stand in the file
of its family; a new family is a file, and a name here."""

from programs.exports import chat, grpo, preference, prm, table
from programs.exports.format import Format

_FAMILIES = (chat, preference, prm, grpo, table)

FORMATS: dict[str, Format] = {
    one.name: one for family in _FAMILIES for one in vars(family).values() if isinstance(one, Format)
}
