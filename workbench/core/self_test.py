"""The self-test anyone can run: a linear head on frozen features, where prediction must equal measurement.

A head f = W φ + b is fitted to a first task and then trained on a second one. Its kernel is
(ΦΦ'ᵀ + 11ᵀ) ⊗ I and never moves, so everything the kernel predicts can be measured exactly: what SGD
does (Lee et al. 2019, arXiv 1902.06720), what ridge regression does (Bennani et al. 2020, arXiv
2006.11942), and what leaving a picture out does. The measuring side works on parameters alone.
"""

import math
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.config import RunConfig, effective_switches
from workbench.core import gaps
from workbench.core.build import build_network
from workbench.core.device import Stream
from workbench.core.evaluate import frozen_features
from workbench.core.feeder import Feeder
from workbench.core.kernel import spectrum
from workbench.core.replay import Replay, linear_head_kernel
from workbench.core.tasks import load_tasks
from workbench.core.weights import load_weights
from workbench.errors import UsageError
from workbench.events import Note, Stage
from workbench.report import SelfTestRow

_RIDGE = 0.1
_EPOCHS, _BATCH, _LR, _MOMENTUM, _DECAY = 5, 8, 0.05, 0.9, 5e-3


def self_test(
    config: RunConfig, home: Path
) -> Generator[Stage | Note, None, tuple[SelfTestRow, ...]]:
    """Compare on the training pictures of the first two tasks of `config`, in float64 on the processor."""
    if len(config.data.tasks) < 2:
        raise UsageError(
            "The self-test needs two tasks: one to be learnt first, one to disturb it."
        )
    weights = yield from load_weights(config.model.backbone, config.model.weights, home)
    tasks = yield from load_tasks(config.data, config.seeds)
    cpu = torch.device("cpu")
    with closing(tasks.cache):
        with Stream(config.seeds.initialisation, "initialisation"):
            network = build_network(config.model, effective_switches(config), weights, cpu)
        size = network.backbone.image_size
        feeder = Feeder(tasks.cache, size, cpu, torch.float32, Stream(0))
        phi, labels = [], []
        for task in tasks.tasks[:2]:
            text = f"Looking at '{task.info.name}'"
            phi.append((yield from frozen_features(network, feeder, task.train, text)).double())
            labels.append(torch.from_numpy(task.train_labels))
    yield Stage("Comparing prediction and measurement")
    return compare(phi[0] / _length(phi[0]), phi[1] / _length(phi[0]), labels[0], labels[1])


def compare(
    old: Tensor, new: Tensor, old_labels: Tensor, new_labels: Tensor
) -> tuple[SelfTestRow, ...]:
    """Return predictions beside measurements for features (n, d) and global labels of two tasks."""
    classes = int(max(old_labels.max(), new_labels.max())) + 1
    start = _ridge_solution(old, F.one_hot(old_labels, classes).double())
    reference = _outputs(old, start)
    sgd = _sgd_by_kernel(old, new, new_labels, start), _sgd_by_training(old, new, new_labels, start)
    wanted = F.one_hot(new_labels, classes) - _outputs(new, start)
    ridge = _ridge_by_kernel(old, new, wanted), _outputs(old, _ridge_solution(new, wanted))
    gap = [[gaps.interplay([moved], [reference]).value for moved in pair] for pair in (sgd, ridge)]
    parts = spectrum(linear_head_kernel(new, new, classes))
    left_out = gaps.loo_residuals(parts, wanted, _RIDGE), _left_out_by_refitting(new, wanted)
    return (
        SelfTestRow("Interplay gap after SGD", *gap[0]),
        SelfTestRow("Interplay gap after ridge regression", *gap[1]),
        SelfTestRow("Leave-one-out error", *(float(miss.square().mean()) for miss in left_out)),
        SelfTestRow("Kernel drift", 0.0, _drift_of_jacobian(new, start, wanted)),
    )


def _sgd_by_kernel(old: Tensor, new: Tensor, labels: Tensor, start: Tensor) -> Tensor:
    """Return how SGD on the new task moves the old outputs (n, C), from kernels alone."""
    classes, both = start.shape[1], torch.cat([old, new])
    replay = Replay(_outputs(both, start), momentum=_MOMENTUM, weight_decay=_DECAY)
    wanted = F.one_hot(labels, classes)
    for lr, rows in _schedule(len(new)):
        residual = replay.outputs[len(old) :][rows].softmax(1) - wanted[rows]
        kernel = linear_head_kernel(both, new[rows], classes)
        replay.step(lr, (kernel @ (residual / len(rows)).reshape(-1)).reshape(-1, classes))
    return replay.movement[: len(old)]


def _sgd_by_training(old: Tensor, new: Tensor, labels: Tensor, start: Tensor) -> Tensor:
    """Return the same from torch's own SGD on the parameters."""
    head = _head(start)
    optimiser = torch.optim.SGD(head.parameters(), lr=_LR, momentum=_MOMENTUM, weight_decay=_DECAY)
    before = head(old).detach()
    for lr, rows in _schedule(len(new)):
        optimiser.param_groups[0]["lr"] = lr
        optimiser.zero_grad()
        F.cross_entropy(head(new[rows]), labels[rows]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return torch.sub(head(old).detach(), before)


def _schedule(pictures: int) -> list[tuple[float, Tensor]]:
    """Return learning rate and pictures of every step: shuffled batches, cosine by epoch."""
    chance = torch.Generator().manual_seed(7)
    return [
        (0.5 * _LR * (1 + math.cos(math.pi * epoch / _EPOCHS)), rows)
        for epoch in range(_EPOCHS)
        for rows in torch.split(torch.randperm(pictures, generator=chance), _BATCH)
    ]


def _ridge_by_kernel(old: Tensor, new: Tensor, wanted: Tensor) -> Tensor:
    """Return K_AB (K_BB + λI)⁻¹ Ỹ, known before the new task is learnt: (n, C)."""
    classes = wanted.shape[1]
    kernel = linear_head_kernel(new, new, classes)
    ridge = _RIDGE * torch.eye(len(kernel), dtype=kernel.dtype)
    dual = torch.linalg.solve(kernel + ridge, wanted.reshape(-1))
    moved = torch.matmul(linear_head_kernel(old, new, classes), dual)
    return moved.reshape(-1, classes)


def _ridge_solution(phi: Tensor, wanted: Tensor) -> Tensor:
    """Return the parameters (d + 1, C) of least ‖f − Ỹ‖² + λ‖θ‖², as a plain least-squares problem."""
    design = _with_one(phi)
    width = design.shape[1]
    rows = torch.cat([design, math.sqrt(_RIDGE) * torch.eye(width, dtype=phi.dtype)])
    aims = torch.cat([wanted, wanted.new_zeros(width, wanted.shape[1])])
    solution: Tensor = torch.linalg.lstsq(rows, aims).solution
    return solution


def _left_out_by_refitting(phi: Tensor, wanted: Tensor) -> Tensor:
    """Return what each picture's targets miss when the head is fitted without it: (n, C)."""
    misses = []
    for left in range(len(phi)):
        keep = [row for row in range(len(phi)) if row != left]
        found = _ridge_solution(phi[keep], wanted[keep])
        misses.append(wanted[left] - _outputs(phi[left : left + 1], found)[0])
    return torch.stack(misses)


def _drift_of_jacobian(phi: Tensor, start: Tensor, wanted: Tensor) -> float | None:
    """Return the kernel drift between two settings of the head, both kernels from autograd's Jacobians."""
    kernels = []
    for parameters in (start, start + _ridge_solution(phi, wanted)):
        head = _head(parameters)
        rows = []
        for value in head(phi[:4]).reshape(-1):
            gradients = torch.autograd.grad(value, list(head.parameters()), retain_graph=True)
            rows.append(torch.cat([gradient.reshape(-1) for gradient in gradients]))
        jacobian = torch.stack(rows)
        kernels.append(jacobian @ jacobian.T)
    return gaps.kernel_drift(kernels[1], kernels[0]).value


def _head(parameters: Tensor) -> nn.Linear:
    """A linear layer with these parameters (d + 1, C), the last row its bias."""
    head = nn.Linear(len(parameters) - 1, parameters.shape[1]).double()
    with torch.no_grad():
        head.weight.copy_(parameters[:-1].T)
        head.bias.copy_(parameters[-1])
    return head


def _outputs(phi: Tensor, parameters: Tensor) -> Tensor:
    return torch.matmul(_with_one(phi), parameters)


def _with_one(phi: Tensor) -> Tensor:
    ones: Tensor = phi.new_ones(len(phi), 1)
    return torch.cat([phi, ones], 1)


def _length(phi: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(phi, dim=1)
    return lengths.mean()
