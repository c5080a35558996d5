"""What is known of a number before it is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One kind of number. `better` is "higher", "lower" or "" where neither is.

    `range`: the values it can take. `cost`: what a measurement takes. `cadence`: when one is made.
    """

    name: str
    label: str
    unit: str
    formula: str
    reading: str
    better: str = ""
    range: str = ""
    cost: str = ""
    cadence: str = ""

    def told(self) -> str:
        """Return all of it as a person reads it in a tooltip."""
        facts = (
            ("unit", self.unit),
            ("range", self.range),
            ("cost", self.cost),
            ("when", self.cadence),
        )
        line = " · ".join(f"{name}: {fact}" for name, fact in facts if fact)
        return f"{self.label}: {self.formula}\n{self.reading}\n{line}"
