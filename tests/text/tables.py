"""Tables of texts, several in a line, separated by bars with spaces around them."""


def texts(table: str) -> list[str]:
    return [text.strip() for text in table.replace("\n", " ").split(" | ")]


def cases(by_reason: dict[str, str]) -> list[tuple[str, str]]:
    return [(text, reason) for reason, table in by_reason.items() for text in texts(table)]
