"""Dividing a job's runs among the parts of an optimizer."""


def within(number: float, least: int, most: int) -> int:
    """The whole number nearest below `number` that is at least `least` and at most `most` (`most` wins)."""
    return min(max(int(number), least), most)
