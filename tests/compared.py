"""A tiny study for tests: methods that train nothing beside one that trains, on two tasks of two classes."""

from pathlib import Path
from typing import Any

from tests.trained import BACKBONE, folders
from workbench.session.study import Study
from workbench.session.study_file import study_from

FROZEN, TRAINED = {"name": "simple-cil", "label": "frozen"}, {"name": "ntk-cl", "label": "NTK-CL"}


def study_tree_of(paths: list[Path], **changes: Any) -> dict[str, Any]:
    """Return a study of one set of pictures, two methods, two seeds, as a file would say it."""
    run = {
        "data": {"tasks": [{"name": path.name, "path": str(path)} for path in paths]},
        "model": {"backbone": BACKBONE},
        "train": {"epochs": 1, "batch_size": 4, "device": "cpu"},
        "monitor": {"probe_per_task": 0},
    }
    return {
        "name": "tiny", "seeds": 2, "orders": 1, "baseline": "frozen",
        "data": [{"name": "birds", "run": run}], "method": [FROZEN, TRAINED], **changes,
    }  # fmt: skip


def tiny_study(place: Path, **changes: Any) -> Study:
    """Return the study over new pictures below `place`."""
    return study_from(study_tree_of(folders(place), **changes))


TRIED = TRAINED | {"try": {"train.learning_rate": [0.02, 0.05]}}
CHOOSE = {"tasks": 1, "folds": 2}
