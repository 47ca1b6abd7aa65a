"""What stays one thing where optimizers copy whole programs: connections, a journal, a budget."""

from typing import Any

from typing_extensions import Self


class Shared:
    """A copy of it, however deep, is itself."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self
