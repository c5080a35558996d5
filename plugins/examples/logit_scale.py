"""A method: fine-tuning on cosines times a fixed scale, which decides how sharp the training head is.

NTK-CL learns one scale σ for the cosines of its training head, from 1 on. Here σ stays at 16, as in
losses on normalised features (Wang et al. 2018, arXiv 1801.09414), and nothing guards old tasks.
"""

from workbench.plugins import MethodChoice, hookimpl
from workbench.registry import Registry

__version__ = "1.0"
SCALE = 16.0


def make_learner(*parts):
    """Return the learner; torch is imported here, when a run needs it, and not with the file."""
    from workbench.core.method import Method

    class LogitScale(Method):
        averages = True  # the slow copies take the mean over tasks, as NTK-CL's do

        def begin_task(self, class_ids, epochs):
            super().begin_task(class_ids, epochs)
            self.proxy.sigma.data.fill_(SCALE)
            self.proxy.sigma.requires_grad_(False)

    return LogitScale(*parts)


@hookimpl
def register_methods(registry: Registry[MethodChoice]) -> None:
    """Add the method under the name that `method.name` takes."""
    registry.add("logit-scale", MethodChoice(
        "logit-scale", "Fine-tuning, scaled cosines", make_learner,
        "Cross-entropy on 16 times the cosines; nothing against forgetting.",
        values={"switches.fusion_refit": "none", "switches.prototype_drift": "stale"},
    ))  # fmt: skip
