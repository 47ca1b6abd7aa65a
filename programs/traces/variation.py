"""The temperatures of a question's variations."""

LOWEST, WIDTH = 0.2, 0.8
GOLDEN = 0.6180339887498949
"""Steps of the golden ratio spread any number of points evenly over an interval (Weyl's equidistribution)."""


def temperature_of(variation: int, base: float, takes_sampling: bool = True) -> float | None:
    """The temperature of a variation, by its index alone: the first has `base`, the others lie spread over 0.2-1.0,
    no two alike. None for a model that takes no temperature."""
    if not takes_sampling:
        return None
    if variation == 0:
        return base
    return round(LOWEST + ((base - LOWEST) / WIDTH + variation * GOLDEN) % 1.0 * WIDTH, 3)
