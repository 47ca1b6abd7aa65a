"""Options that take several names."""


def comma_separated(value: object) -> object:
    """The different names in a text or a list of texts, split at commas; what is neither comes back as it is."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list):
        return value
    names = [name.strip() for text in texts for name in str(text).split(",")]
    return list(dict.fromkeys(name for name in names if name))


def one_or_many(value: object) -> object:
    """A list of the one text, or what came; nothing is an empty list."""
    if not value:
        return []
    return [value] if isinstance(value, str) else value
