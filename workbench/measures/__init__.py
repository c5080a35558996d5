"""Every number a run can plot: what it is called, its unit, range, formula, cost and how to read it."""

from workbench.measures.accuracy import ACCURACY
from workbench.measures.base import Measure
from workbench.measures.kernel import KERNEL

__all__ = ["LOSS_TERMS", "MEASURES", "Measure", "add"]

MEASURES: dict[str, Measure] = {measure.name: measure for measure in (*ACCURACY, *KERNEL)}

LOSS_TERMS: dict[str, str] = {
    "total": "Total",
    "cross_entropy_s1": "Cross-entropy, adapters (S1)",
    "cross_entropy_s2": "Cross-entropy, prompts (S2)",
    "cross_entropy_hybrid": "Cross-entropy, hybrid",
    "mutual_information": "Mutual information",
    "orthogonality": "Orthogonality",
    "regularisation": "Regularisation",
}


def add(measure: Measure) -> None:
    """Make a plug-in's measure known to the log, the plots and the exports.

    Raises:
        ValueError: the name is one of ours.
    """
    if measure.name in _OWN:
        raise ValueError(f"measure {measure.name!r} is one of the program's own")
    MEASURES[measure.name] = measure


_OWN = frozenset(MEASURES)
