"""Seeing pictures in evaluation mode: features of a task's pictures, prototypes from them, test accuracies.

Everything is a generator that yields a `Stage` per piece, so that a stop is answered between pieces.
The frozen backbone's own feature of each picture is kept: it feeds the pretrained section and the
baseline, the nearest class mean on frozen features by cosine. What the branches made of test pictures is
kept while their parameters stay as they are: a task that changed nothing costs no look at the tests before it.
"""

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from workbench.answers import Answers, joined
from workbench.core import metrics
from workbench.core.answering import answers_on, fit_temperature
from workbench.core.feeder import Feeder
from workbench.core.heads import PrototypeHead
from workbench.core.looking import in_pieces
from workbench.core.network import Features, Network
from workbench.core.tasks import TaskData
from workbench.events import Evaluated, Note, Stage

MOST_KEPT = 2**28  # bytes of what branches made of test pictures


@dataclass(frozen=True)
class Seen:
    """Pictures in evaluation mode: each branch's features (n, D), and frozen features (n, d)."""

    s1: Tensor | None
    s2: Tensor | None
    frozen: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes of the branches' features."""
        return sum(z.nbytes for z in (self.s1, self.s2) if z is not None)


def frozen_features(
    network: Network, feeder: Feeder, indices: np.ndarray, text: str
) -> Generator[Stage | Note, None, Tensor]:
    """Return the frozen backbone's features (n, d) of the pictures: those that are kept, and the rest seen now."""
    kept = feeder.kept
    if kept is None:
        return (yield from _frozen_seen(network, feeder, indices, text))
    found, known = yield from kept.read(indices, text)
    features = found.to(feeder.device)
    features[torch.from_numpy(~known)] = yield from _frozen_seen(
        network, feeder, indices[~known], text
    )
    yield from kept.notes()
    return features


def _frozen_seen(
    network: Network, feeder: Feeder, indices: np.ndarray, text: str
) -> Generator[Stage, None, Tensor]:
    found = [torch.zeros(0, network.backbone.width, device=feeder.device)]

    def look(start: int, images: Tensor) -> None:
        found.append(network.backbone(network.backbone.stem(images)))
        if feeder.kept is not None:
            feeder.kept.add(indices[start : start + len(images)], found[-1])

    yield from in_pieces(network, feeder, indices, text, look)
    return torch.cat(found)


def see(
    network: Network, feeder: Feeder, indices: np.ndarray, frozen: Tensor, text: str
) -> Generator[Stage, None, Seen]:
    """Return what each branch makes of the pictures, given their frozen features (n, d)."""
    network.eval()
    if not network.branches:
        return Seen(None, None, frozen)
    found: dict[str, list[Tensor]] = {
        name: [frozen.new_zeros(0, network.width)] for name in network.branches
    }

    def look(start: int, images: Tensor) -> None:
        features = network(images, frozen[start : start + len(images)])
        for name in network.branches:
            found[name].append(getattr(features, name))

    yield from in_pieces(network, feeder, indices, text, look)
    whole = {name: torch.cat(parts) for name, parts in found.items()}
    return Seen(whole.get("s1"), whole.get("s2"), frozen)


@torch.no_grad()
def fuse(network: Network, seen: Seen) -> Features:
    """Return the features with the hybrid as the fusion makes it now."""
    network.eval()
    return network.fuse(seen.s1, seen.s2, seen.frozen)


def print_of(network: Network) -> str:
    """Return a fingerprint of every parameter and buffer that the branches' features depend on."""
    digest, apart = hashlib.sha256(), ("backbone.", "prototypes.", "fusion.")
    for name, tensor in network.state_dict().items():
        if not name.startswith(apart):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


class Examiner:
    """Holds the test parts of the tasks seen, the baseline's prototypes, and the rows measured so far."""

    def __init__(self, network: Network, feeder: Feeder, task_mask: str) -> None:
        self.network = network
        self.feeder = feeder
        self.task_mask = task_mask
        self.baseline = PrototypeHead(network.backbone.width, (1.0,)).to(feeder.device)
        self.tests: list[tuple[TaskData, Tensor]] = []  # with frozen features (n, d)
        self.rows: list[Evaluated] = []
        self.answers: Answers  # on every test picture, of the last row
        self.branches_then = ""  # fingerprint of the network at the last row
        self.looked = 0  # test pictures that the last row needed a look at
        self.newest: tuple[
            Tensor, np.ndarray
        ]  # the last task's training pictures: logits (n, C), labels (n,)

    def admit(self, task: TaskData) -> Generator[Stage | Note, None, Tensor]:
        """Take a task in: returns its training pictures' frozen features and sets the baseline's prototypes."""
        name = task.info.name
        test = yield from frozen_features(
            self.network, self.feeder, task.test, f"Looking at '{name}' (test)"
        )
        train = yield from frozen_features(
            self.network, self.feeder, task.train, f"Looking at '{name}'"
        )
        self.tests.append((task, test))
        set_prototypes(self.baseline, task, train)
        return train

    @torch.no_grad()
    def learnt(self, task: TaskData, features: Tensor) -> None:
        """Set the prototypes of a task's classes from its training pictures' features (n, D)."""
        head = self.network.prototypes
        set_prototypes(head, task, features)
        labels = torch.from_numpy(task.train_labels).to(features.device)
        self.newest = head.left_out(features, labels), task.train_labels

    def examine(self, step: int, kept: dict[int, Seen]) -> Generator[Stage, None, Evaluated]:
        """Test on every task seen and return the row, also kept in `rows`.

        Args:
            kept: what the last row's network made of the tasks' test pictures; brought up to date.
        """
        columns, answers = [], []
        temperature = fit_temperature(*self.newest)
        self._recall(kept)
        for number, (task, frozen) in enumerate(self.tests):
            text = f"Testing task {number + 1} of {len(self.tests)}"
            seen = kept.get(number)
            if seen is None:
                seen = yield from see(self.network, self.feeder, task.test, frozen, text)
                if sum(each.nbytes for each in kept.values()) + seen.nbytes <= MOST_KEPT:
                    kept[number] = seen
            logits = self.network.prototypes(fuse(self.network, seen).main)
            floor = self.baseline(frozen)
            columns.append(self._scores(logits, floor, task))
            answers.append(self._answers(number, logits, floor, temperature))
        accuracy, given, task_id, low, sizes = zip(*columns, strict=True)
        row = Evaluated(len(self.tests) - 1, step, accuracy, given, task_id, low, sizes)
        self.answers = joined(answers)
        self.rows.append(row)
        return row

    def _recall(self, kept: dict[int, Seen]) -> None:
        """Forget what is kept if the network is another now; count the looks that are needed.

        A run that was taken up again has nothing kept. It counts as if it had: its monitor is to spend as much.
        """
        now = print_of(self.network)
        same, self.branches_then = now == self.branches_then, now
        if not same:
            kept.clear()
        self.looked = sum(len(task.test) for task, _ in self.tests[-1 if same else 0 :])

    def summary(self) -> dict[str, float | None]:
        """Return the accuracy measures after the last row, by name."""
        names = ("accuracy", "sizes", "task_incremental", "task_id", "baseline")
        return metrics.summary(*([getattr(row, name) for row in self.rows] for name in names))

    def _scores(
        self, logits: Tensor, floor: Tensor, task: TaskData
    ) -> tuple[float, float, float, float, int]:
        own = _own(task, logits)
        outputs, labels = logits.cpu().numpy(), task.test_labels
        scores: Sequence[float | None] = (
            metrics.class_incremental(outputs, labels),
            metrics.task_incremental(outputs, labels, own, self._mask),
            metrics.task_id(outputs, own),
            metrics.class_incremental(floor.cpu().numpy(), labels),
        )
        a, b, c, d = (float("nan") if score is None else score for score in scores)
        return a, b, c, d, len(labels)

    def _answers(self, number: int, logits: Tensor, floor: Tensor, temperature: float) -> Answers:
        task, outputs = self.tests[number][0], logits.cpu().numpy()
        told = metrics.told_task(outputs, _own(task, logits), self._mask).argmax(axis=1)
        baseline = floor.cpu().numpy().argmax(axis=1)
        return answers_on(number, task, outputs, told, baseline, temperature)

    @property
    def _mask(self) -> Literal["zero", "minus_infinity"]:
        return "zero" if self.task_mask == "zero" else "minus_infinity"


def _own(task: TaskData, logits: Tensor) -> np.ndarray:
    """Return which logits (n, C) belong to the task's own classes."""
    own = np.zeros(logits.shape, bool)
    own[:, list(task.info.class_ids)] = True
    return own


def set_prototypes(head: PrototypeHead, task: TaskData, features: Tensor) -> None:
    """Fold the task's training pictures (n, D) into the prototypes of its classes."""
    head.grow(max(task.info.class_ids) + 1)
    labels = torch.from_numpy(task.train_labels).to(features.device)
    for class_id in task.info.class_ids:
        head.learn(class_id, features[labels == class_id])
    head.settle()
