"""A token bucket, by which the bench server limits a rate."""


class Bucket:
    """Holds at most `size`, is full at `now`, and fills by `rate` a second. All times are of one clock, in seconds."""

    def __init__(self, rate: float, size: float, now: float) -> None:
        self.rate, self.size = rate, size
        self._content, self._filled = size, now

    def wait(self, amount: float, now: float) -> float:
        """Seconds after which the bucket will hold so much, 0 when it does. `amount` is at most `size`."""
        self._content = min(self.size, self._content + (now - self._filled) * self.rate)
        self._filled = now
        return max(0.0, (amount - self._content) / self.rate)

    def take(self, amount: float) -> None:
        """Takes out what `wait` found there."""
        self._content -= amount
