"""Gradients of the probe's pictures as a run's plan has them: of every output, or along random output vectors."""

from collections.abc import Generator
from functools import partial

from torch import Tensor

from workbench.core.jacobian import Outputs, Rows
from workbench.core.own_kernel import Sides
from workbench.core.pairs import Drawn
from workbench.core.plan import KernelPlan, signs
from workbench.core.probe import Eye, Part
from workbench.core.readings import Scene, kernel_pictures
from workbench.core.rules import Rule
from workbench.events import Stage

Drawing = Generator[Stage, None, Drawn | None]


class ProbeRows:
    """Makes rows through an eye that has just looked; with a plan in closed form there are none."""

    def __init__(self, eye: Eye, plan: KernelPlan) -> None:
        self._eye, self._plan = eye, plan
        self._sketch = plan.sketch()

    def own(self, scene: Scene) -> Generator[Stage, None, Sides | None]:
        """Return rows of every training logit of the task's own pictures, training and test, in a full plan."""
        if self._plan.kind != "full":
            return None
        probe, piece = scene.probes[-1], self._plan.piece
        pictures = kernel_pictures(probe)
        sides = []
        for part in (probe.train, probe.test):
            some = Part(part.indices[:pictures], part.labels[:pictures])
            sides.append((yield from self._rows(some, scene.proxy, piece, None)))
        return sides[0], sides[1]

    def of_training(self, scene: Scene) -> Drawing:
        """Return rows of the training logits h of the newest task, along vectors of its classes."""
        probe = scene.probes[-1]
        return (yield from self._along(probe.train, scene.proxy, probe.class_ids, "h"))

    def of_inference(
        self, part: Part, rule: Rule, class_ids: tuple[int, ...], side: str
    ) -> Drawing:
        """Return rows of the inference logits g of some pictures; place i of `rule` is class_ids[i]'s."""
        return (yield from self._along(part, partial(_inference, rule), class_ids, side))

    def _along(
        self, part: Part, outputs: Outputs, class_ids: tuple[int, ...], side: str
    ) -> Drawing:
        if self._plan.kind == "closed" or not len(part) or not class_ids:
            return None
        device = self._eye.network.prototypes.weight.device
        vectors = signs(class_ids, side, device)
        return Drawn((yield from self._rows(part, outputs, self._plan.piece, vectors)), vectors)

    def _rows(
        self, part: Part, outputs: Outputs, piece: int, vectors: Tensor | None
    ) -> Generator[Stage, None, Rows]:
        rows: Rows = yield from self._eye.rows(part, outputs, piece, vectors, self._sketch)
        return rows


def _inference(rule: Rule, m: Tensor) -> Tensor:
    return rule(m.double())
