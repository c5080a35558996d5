"""Old tasks' own kernels since they were learnt, and the kernel among the pictures of all tasks.

Both are of the inference logits g, so that they go on when a task's training head is gone. The
fusion's block is in closed form, K[(i,a),(j,b)] = ¼ (1 + c_iᵀc_j)(q_iaᵀq_jb); rows of adapters and
prompts are added where a plan has them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from workbench.core import gaps
from workbench.core.fusion import Fusion
from workbench.core.gaps import Value
from workbench.core.jacobian import Rows, gram
from workbench.core.kernel import CHUNK_ELEMENTS, value_kernel
from workbench.core.network import Network
from workbench.core.pairs import MAX_ROWS
from workbench.core.probe import View
from workbench.core.rules import Rule


@dataclass(frozen=True)
class OldKernel:
    """A task's kernel (n C_τ, n C_τ) as it was learnt, by the rule that answered for its own classes then."""

    rule: Rule
    kernel: Tensor | None  # None where there is none, for `reason`
    reason: str = ""

    @classmethod
    def of(cls, network: Network, view: View, class_ids: Sequence[int]) -> "OldKernel":
        """Take the kernel of a task that was just learnt; classes without a prototype are left out."""
        head = network.prototypes
        if not isinstance(network.fusion, Fusion):
            reason = "the kernel of old tasks is the fusion layer's, here without a closed form"
            return cls(head.rule().double(), None, reason)
        known = [class_id for class_id in class_ids if int(head.counts[class_id])]
        rule, pictures = head.rule().of(known).double(), MAX_ROWS // max(len(known), 1)
        if not pictures or not known or not len(view.main):
            return cls(rule, None, f"one picture of {len(known)} classes exceeds {MAX_ROWS} rows")  # fmt: skip
        return cls(rule, own_kernel(view[:pictures], rule))

    def since(self, view: View) -> tuple[Value, Value]:
        """Return drift and CKA of the kernel now against the one that was taken."""
        if self.kernel is None:
            absent = Value(None, self.reason)
            return absent, absent
        classes = len(self.rule)
        now = own_kernel(view[: len(self.kernel) // classes], self.rule)
        if not now.isfinite().all():
            absent = Value(None, "the kernel is not finite")
            return absent, absent
        drift = gaps.kernel_drift(now, self.kernel)
        return drift, gaps.kernel_cka(now, self.kernel, classes)


def own_kernel(view: View, rule: Rule) -> Tensor:
    """Return the fusion's block among the inference logits of some pictures, (n C, n C)."""
    q = rule.slopes(view.main)
    c = cast(Tensor, view.s1)
    return value_kernel(c, q, c, q)


def trace_of_all(network: Network, view: View, rule: Rule, drawn: Rows | None) -> Tensor | None:
    """Return the trace kernel Σ_a K[(i,a),(j,a)] among pictures over all classes of a rule: (n, n).

    The fusion's part is exact: ¼ (1 + cᵀc') Σ_a q_aᵀq'_a. `drawn` are rows along m random output vectors, whose
    mean of products is added. None where there is neither.
    """
    if not isinstance(network.fusion, Fusion) and drawn is None:
        return None
    n, classes = len(view.main), len(rule)
    total = torch.zeros(n, n, dtype=torch.float64, device=view.main.device)
    if isinstance(network.fusion, Fusion):
        c = cast(Tensor, view.s1)
        strip = max(1, CHUNK_ELEMENTS // max(1, n * rule.width))
        for first in range(0, classes, strip):
            some = rule.of(range(first, min(first + strip, classes)))
            q = some.slopes(view.main).flatten(1)
            total += q @ q.T
        total *= 0.25 * (1.0 + c @ c.T)
    if drawn is not None:
        for product in gram(drawn, drawn).values():
            m = drawn.outputs
            total += product.reshape(n, m, n, m).diagonal(dim1=1, dim2=3).mean(-1)
    return total
