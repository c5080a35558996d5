"""What the examiner saw, as answers on single pictures: made from logits, kept below the run's folder.

`answers/after-<t>.safetensors` holds the arrays of `workbench.answers.Answers` after task t, and
`answers/pictures-<t>.json` the paths of task t's test pictures below its folder, POSIX, once.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.answers import MOST, Answers
from workbench.core.files import packed, write_whole
from workbench.core.tasks import TaskData
from workbench.errors import WorkbenchError

FOLDER = "answers"
TEMPERATURES = np.logspace(-2.5, 2.5, 51)


def fit_temperature(logits: Tensor, labels: np.ndarray) -> float:
    """Return the softmax temperature that explains the newest task's training pictures best.

    Logits are sums of weighted cosines or squared distances, so their own scale says nothing of confidence.
    """
    y = torch.from_numpy(labels).to(logits.device)
    scores = [float(F.cross_entropy(logits / float(t), y)) for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(scores))])


def answers_on(
    number: int,
    task: TaskData,
    logits: np.ndarray,
    given_task: np.ndarray,
    baseline: np.ndarray,
    temperature: float,
) -> Answers:
    """Return the answers on one task's test pictures from logits (n, C) and the two other answers (n,)."""
    shares = _softmax(logits / temperature)
    best = np.argsort(-logits, axis=1, kind="stable")[:, :MOST]
    rows = np.arange(len(logits))
    predicted = logits.argmax(axis=1)
    return Answers(
        task=np.full(len(logits), number, np.int64), label=task.test_labels, predicted=predicted,
        given_task=given_task, baseline=baseline,
        score=shares[rows, predicted], score_true=shares[rows, task.test_labels],
        best=best, best_scores=np.take_along_axis(shares, best, axis=1),
    )  # fmt: skip


def keep(folder: Path, after: int, answers: Answers, task: TaskData) -> tuple[str, str]:
    """Write the answers after a task, and that task's list of pictures; return both paths below `folder`.

    Raises:
        WorkbenchError: the disk is full or the folder cannot be written.
    """
    path = f"{FOLDER}/after-{after:03d}.safetensors"
    pictures = f"{FOLDER}/pictures-{after:03d}.json"
    try:
        # escaped, as a file name may hold what no UTF-8 can
        write_whole(folder / pictures, (json.dumps(list(task.test_paths)) + "\n").encode())
        write_whole(folder / path, packed(answers.arrays()))
    except OSError as error:
        raise WorkbenchError(
            f"The answers on the test pictures could not be written to {folder / FOLDER}: "
            f"{error.strerror}. Free some space there."
        ).or_elsewhere() from error
    return path, pictures


def _softmax(logits: np.ndarray) -> np.ndarray:
    lifted = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.float64))
    return np.asarray(lifted / lifted.sum(axis=1, keepdims=True), np.float32)
