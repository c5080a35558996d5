"""From what one of each costs to what a whole run costs: arithmetic of the estimate, nothing is measured here."""

from dataclasses import dataclass

from workbench.core.workload import Amounts

FILLED = 0.9  # share of the memory that a proposed batch may take
LARGEST = 1024  # batch that the settings take


@dataclass(frozen=True)
class Line:
    """Something that grows with the batch: a fixed part, and a part for each picture."""

    fixed: float
    each: float

    def at(self, batch: int) -> float:
        """Return the value at a batch."""
        return self.fixed + self.each * batch

    @staticmethod
    def through(small: tuple[int, float], large: tuple[int, float]) -> "Line":
        """Return the line through (batch, value) at two batches; exact at the large one, never falling.

        Where the measured values would give a negative part, that part is 0.
        """
        (a, low), (b, high) = small, large
        each = max((high - low) / (b - a), 0.0) if b > a else high / b
        fixed = max(high - each * b, 0.0)
        return Line(fixed, (high - fixed) / b)


@dataclass(frozen=True)
class Units:
    """What one of each costs: seconds a picture, and by batch the seconds of a step and the bytes it needs."""

    reading: float
    frozen: float
    looking: float
    step: Line
    memory: Line


def total_seconds(work: Amounts, units: Units, monitor: float = 0.0) -> float:
    """Return the run's seconds, `monitor` of them the NTK monitor's."""
    return (
        work.read * units.reading
        + work.frozen * units.frozen
        + work.steps * units.step.fixed
        + work.trained * units.step.each
        + work.looked * units.looking
        + monitor
    )


def largest_batch(memory: Line, total: float) -> int:
    """Return the largest power of two whose memory is within 90 % of `total`; 0 if not even 1 is."""
    batch = 1
    if memory.at(batch) > FILLED * total:
        return 0
    while batch < LARGEST and memory.at(2 * batch) <= FILLED * total:
        batch *= 2
    return batch
