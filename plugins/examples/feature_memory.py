"""A method with a memory of its own: new pictures are kept apart from features of earlier tasks.

A sample of the features of each task is kept (Vitter 1985, algorithm R: each seen is as likely to be in it),
and the cosine between a new picture's features and the kept ones is pushed to 0. What it keeps is an object
of the plug-in's own, so it says what of it a checkpoint holds: `state_dict` and `load_state_dict`.
"""

from random import Random

from workbench.plugins import MethodChoice, hookimpl
from workbench.registry import Registry

__version__ = "1.0"
SIZE = 64  # features kept of each task


class Sample:
    """At most `SIZE` of all the features it was shown, drawn at random."""

    def __init__(self):
        self.rows, self.seen, self.random = [], 0, Random(0)

    def show(self, features):
        """Take features (n, D) into account."""
        for row in features:
            self.seen += 1
            place = len(self.rows) if len(self.rows) < SIZE else self.random.randrange(self.seen)
            if place < SIZE:
                self.rows[place : place + 1] = [row]


def make_learner(*parts):
    """Return the learner; torch is imported here, when a run needs it, and not with the file."""
    import torch
    from torch.nn.functional import normalize

    from workbench.core.method import Method

    class FeatureMemory(Method):
        averages = True
        term_weights = {"apart": 0.1}  # noqa: RUF012  (as short as the README shows it)

        def __init__(self, *parts):
            super().__init__(*parts)
            self.sample, self.old = Sample(), None

        def losses(self, batch):
            terms = super().losses(batch)
            self.sample.show(batch.features.main.detach())
            return terms

        def terms(self, batch):
            if self.old is None:
                return {}
            cosines = normalize(batch.features.main) @ normalize(self.old).T
            return {"apart": cosines.relu().mean()}

        def end_task(self):
            rows = torch.stack(self.sample.rows)
            self.old = rows if self.old is None else torch.cat([self.old, rows])
            self.sample = Sample()

        def state_dict(self):
            return {"sample": [self.sample.rows, self.sample.seen, self.sample.random.getstate()]}

        def load_state_dict(self, state):
            self.sample.rows, self.sample.seen, drawn = state["sample"]
            self.sample.random.setstate(drawn)

    return FeatureMemory(*parts)


@hookimpl
def register_methods(registry: Registry[MethodChoice]) -> None:
    """Add the method under the name that `method.name` takes."""
    registry.add("feature-memory", MethodChoice(
        "feature-memory", "Fine-tuning, features kept apart", make_learner,
        "Cross-entropy, and new features are kept apart from a sample of those of earlier tasks.",
        values={"switches.fusion_refit": "none", "switches.prototype_drift": "stale"},
    ))  # fmt: skip
