"""How much a call may compute. Counted in pixels, never by a clock: the same picture always gets the same."""


class Budget:
    """For so many pixels."""

    def __init__(self, pixels: int) -> None:
        self.left = pixels

    def takes(self, pixels: int) -> bool:
        """Whether so many more may be computed; if so, they are taken from it."""
        fits = pixels <= self.left
        if fits:
            self.left -= pixels
        return fits
