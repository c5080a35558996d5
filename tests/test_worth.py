"""A task's change stays only if pictures of it that training left out are told apart better by it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.resumed import small_config
from tests.test_holding import FAST, parameters, watched
from tests.trained import QUICK
from workbench.config import RunConfig, TaskFolder, with_values
from workbench.core.discriminant import DiscriminantHead
from workbench.core.evaluate import frozen_features, fuse, see
from workbench.core.length import judging, taught
from workbench.core.steps import result_of
from workbench.core.train import Training
from workbench.core.worth import Gain, gain_of, surprise
from workbench.events import Note, Stage, Step, TaskEnded, TaskStarted

LABELS = torch.arange(30) % 3
LEFT = torch.from_numpy(judging(LABELS.numpy()))


def drawn(apart: float, seed: int = 0) -> torch.Tensor:
    """Features (30, 8) of three classes, whose means are about `apart` from each other."""
    chance = np.random.default_rng(seed)
    means = np.random.default_rng(9).normal(size=(3, 8)) * apart
    return torch.from_numpy(means[LABELS] + chance.normal(size=(30, 8))).float()


def test_surprise_is_the_cross_entropy_of_answers_by_the_others_at_the_scale_that_suits_these_best():
    """Against numpy in float64, to 1e-3: a discriminant of the pictures that are not left out, with the ridge it has found;
    its scale is that of which these, each left out in turn (ridge, centre and unit as they are), are least surprised."""
    x, z, y = drawn(1.0), drawn(1.0).double().numpy(), LABELS.numpy()
    head = DiscriminantHead(8, (1.0,))
    head.grow(3)
    for label in range(3):
        head.learn(label, x[(label == LABELS) & ~LEFT])
    head.settle()
    ridge, known = float(head.ridge) * np.eye(8), ~LEFT.numpy()
    means = np.stack([z[known & (y == label)].mean(0) for label in range(3)])
    centre, whole = means.mean(0), head.scatter.numpy() + ridge
    unit = np.mean([(m - centre) @ np.linalg.solve(whole, m - centre) for m in means])

    def answered(rest, i):
        own = np.stack([z[rest & (y == label)].mean(0) for label in range(3)])
        scatter = sum(
            (z[rest & (y == c)] - own[c]).T @ (z[rest & (y == c)] - own[c]) for c in range(3)
        )
        solved = np.linalg.solve(scatter + ridge, (own - centre).T).T
        return (solved @ (z[i] - centre) - 0.5 * (solved * (own - centre)).sum(1)) / unit

    own = np.stack([answered(known & (np.arange(30) != i), i) for i in np.flatnonzero(known)])
    new = np.stack([answered(known, i) for i in np.flatnonzero(~known)])

    def losses(logits, labels, scale):
        scaled = scale * logits
        return np.log(np.exp(scaled).sum(1)) - scaled[np.arange(len(labels)), labels]

    scale = min(np.logspace(-0.5, 2, 11), key=lambda each: losses(own, y[known], each).mean())
    expected = losses(new, y[~known], scale)
    assert surprise(x, LABELS, LEFT).numpy() == pytest.approx(expected, abs=1e-3)


def test_classes_further_apart_are_a_clear_gain_and_nearer_ones_a_loss():
    near, far = drawn(0.3), drawn(1.5)
    gain, loss = gain_of(near, far, LABELS, LEFT), gain_of(far, near, LABELS, LEFT)
    assert gain.is_clear(2.0)
    assert not loss.is_clear(0.0)
    assert loss.mean == pytest.approx(-gain.mean, rel=1e-9)
    assert loss.error == pytest.approx(gain.error, rel=1e-9)


def test_features_that_say_the_same_are_no_gain():
    """Turned and moved features say the same, to what float32 leaves."""
    x = drawn(1.0)
    turn = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(0))).Q
    assert gain_of(x, x, LABELS, LEFT) == Gain(0.0, 0.0)
    assert not Gain(0.0, 0.0).is_clear(0.0)
    assert gain_of(x, x @ turn + 3.0, LABELS, LEFT).mean == pytest.approx(0.0, abs=1e-4)


def test_new_draws_of_the_same_classes_are_clear_about_as_seldom_as_chance_has_it():
    """Of 200 pairs of like draws, about 2.3 % are above two standard errors; 8 % are allowed for."""
    clear = [gain_of(drawn(0.7, 2 * n), drawn(0.7, 2 * n + 1), LABELS, LEFT).is_clear(2.0) for n in range(200)]  # fmt: skip
    assert sum(clear) <= 16


@pytest.mark.parametrize("labels", [torch.zeros(30).long(), torch.arange(30)])
def test_one_class_or_one_picture_of_each_is_no_evidence(labels):
    assert gain_of(drawn(0.1), drawn(2.0), labels, LEFT) == Gain(0.0, 0.0)


def test_without_two_pictures_left_out_there_is_no_evidence():
    left = torch.arange(30) == 4
    assert gain_of(drawn(0.1), drawn(2.0), LABELS, left) == Gain(0.0, 0.0)


def test_what_is_not_finite_is_no_gain():
    assert not Gain(float("nan"), 0.1).is_clear(2.0)


JUDGED = {**FAST, "switches.change": "judged"}


def test_a_change_that_is_not_clear_is_taken_back_whole_and_the_run_says_so(tmp_path):
    """Of every task, the first too: current subnetworks, slow copies and fusion are as the task began."""
    config = small_config(tmp_path / "p", **{**JUDGED, "method.least_gain": 100.0})
    found = watched(config, tmp_path)
    for began, ended in zip(found.began, found.ended, strict=True):
        before, after = parameters(began), parameters(ended)
        assert all(torch.equal(before[name], after[name]) for name in before if "prototypes" not in name)  # fmt: skip
    assert len(found.taken_back) == 3
    assert "'first'" in found.taken_back[0]
    assert "± " in found.taken_back[0]


def faint(root: Path) -> TaskFolder:
    """Make a task of noise, and noise with stripes that a random backbone hardly sees; training finds them."""
    chance = np.random.default_rng(0)
    for number, name in enumerate(("plain", "striped")):
        (root / name).mkdir(parents=True)
        for picture in range(24):
            pixels = chance.normal(128, 50, (32, 32, 3))
            pixels[:, ::4] += 20 * number
            image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(root / name / f"{picture}.png")
    return TaskFolder("faint", str(root))


def one_task(tmp_path: Path, change: str) -> Training:
    """Return the training of the faint task alone, with `change` judged or kept."""
    base = replace(RunConfig(), data=replace(RunConfig().data, tasks=(faint(tmp_path / "faint"),)))
    training = {"train.epochs": 8, "train.learning_rate": 0.1, "train.batch_size": 8}
    return Training(with_values(base, QUICK | training | {"switches.change": change}), tmp_path)


def test_a_clear_change_stays_as_the_last_step_left_it(tmp_path):
    training = one_task(tmp_path, "judged")
    for event in training.events():
        if isinstance(event, TaskStarted):
            began = {n: p.clone() for n, p in parameters(training._run.network).items()}
        if isinstance(event, Step):
            last = {n: p.clone() for n, p in parameters(training._run.network).items()}
        if isinstance(event, TaskEnded):
            ended = parameters(training._run.network)
        assert not (isinstance(event, Note) and "taken back" in event.text)
    current = [name for name in began if ".current." in name]
    assert all(torch.equal(ended[name], last[name]) for name in current)
    assert not torch.equal(ended["s1.current.0.up_proj.weight"], began["s1.current.0.up_proj.weight"])  # fmt: skip


@pytest.mark.parametrize("change", ["judged", "kept"])
def test_training_leaves_out_the_pictures_that_judge_and_no_others(tmp_path, change):
    """Every epoch; six of each class of 24, less the tests of it."""
    training, seen = one_task(tmp_path, change), []
    for event in training.events():
        if isinstance(event, Stage) and event.text.startswith("Task 1 of 1, epoch"):
            seen.append(sorted(training._run.place.rest.tolist()))
        if isinstance(event, TaskStarted):
            task = training._run.tasks.tasks[0]
            left, counts = judging(task.train_labels), task.info.train_counts
    assert left.sum() == sum(n // 4 for n in counts) > 0
    expected = np.flatnonzero(~left) if change == "judged" else np.arange(sum(counts))
    assert len(seen) == 8
    assert all(each == expected.tolist() for each in seen)
    if change == "judged":
        assert taught(counts) == len(expected)


@pytest.mark.parametrize("least", [0.0, 100.0])
def test_prototypes_are_made_of_the_features_that_stay(tmp_path, least):
    """The pictures are not looked at again once the change is judged; to 1e-5 the class means are what another look gives."""
    config = small_config(tmp_path / "p", **{**JUDGED, "method.least_gain": least})
    training = Training(config, tmp_path)
    for number, _ in enumerate(e for e in training.events() if isinstance(e, TaskEnded)):
        run = training._run
        task, head = run.tasks.tasks[number], run.network.prototypes
        frozen = result_of(frozen_features(run.network, run.feeder, task.train, ""))
        seen = result_of(see(run.network, run.feeder, task.train, frozen, ""))
        features = fuse(run.network, seen).main
        for class_id in task.info.class_ids:
            mean = features[torch.from_numpy(task.train_labels == class_id)].mean(0)
            assert torch.allclose(head.weight[class_id], mean, atol=1e-5)
    assert number == 2
