"""A task's change stays only if its own pictures are told apart better by it, each left out in turn."""

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
from workbench.core.steps import result_of
from workbench.core.train import Training
from workbench.core.worth import Gain, gain_of, surprise
from workbench.events import TaskEnded

LABELS = torch.arange(30) % 3


def drawn(apart: float, seed: int = 0) -> torch.Tensor:
    """Features (30, 8) of three classes, whose means are about `apart` from each other."""
    chance = np.random.default_rng(seed)
    means = np.random.default_rng(9).normal(size=(3, 8)) * apart
    return torch.from_numpy(means[LABELS] + chance.normal(size=(30, 8))).float()


def test_surprise_is_the_least_cross_entropy_of_answers_by_the_others_over_a_scale():
    """Against numpy in float64, each picture answered by a discriminant that was refitted without it, to 1e-3: left_out
    keeps ridge, centre and unit of all pictures, which are put into the refitted one."""
    x = drawn(1.0)
    head = DiscriminantHead(8, (1.0,))
    head.grow(3)
    for label in range(3):
        head.learn(label, x[label == LABELS])
    head.settle()
    z, y = x.double().numpy(), LABELS.numpy()
    means = np.stack([z[y == label].mean(0) for label in range(3)])
    centre, whole = means.mean(0), head.scatter.numpy() + float(head.ridge) * np.eye(8)
    unit = np.mean([(m - centre) @ np.linalg.solve(whole, m - centre) for m in means])
    logits = np.empty((30, 3))
    for i in range(30):
        rest = np.arange(30) != i
        own = np.stack([z[rest & (y == label)].mean(0) for label in range(3)])
        scatter = sum(
            (z[rest & (y == c)] - own[c]).T @ (z[rest & (y == c)] - own[c]) for c in range(3)
        )
        solved = np.linalg.solve(scatter + float(head.ridge) * np.eye(8), (own - centre).T).T
        logits[i] = (solved @ (z[i] - centre) - 0.5 * (solved * (own - centre)).sum(1)) / unit
    losses = []
    for scale in np.logspace(-0.5, 2, 11):
        scaled = scale * logits
        losses.append(np.log(np.exp(scaled).sum(1)) - scaled[np.arange(30), y])
    expected = min(losses, key=np.mean)
    assert surprise(x, LABELS).numpy() == pytest.approx(expected, abs=1e-3)


def test_classes_further_apart_are_a_clear_gain_and_nearer_ones_a_loss():
    near, far = drawn(0.3), drawn(1.5)
    gain, loss = gain_of(near, far, LABELS), gain_of(far, near, LABELS)
    assert gain.is_clear(2.0)
    assert not loss.is_clear(0.0)
    assert loss.mean == pytest.approx(-gain.mean, rel=1e-9)
    assert loss.error == pytest.approx(gain.error, rel=1e-9)


def test_features_that_say_the_same_are_no_gain():
    """Turned and moved features say the same, to what float32 leaves."""
    x = drawn(1.0)
    turn = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(0))).Q
    assert gain_of(x, x, LABELS) == Gain(0.0, 0.0)
    assert not Gain(0.0, 0.0).is_clear(0.0)
    assert gain_of(x, x @ turn + 3.0, LABELS).mean == pytest.approx(0.0, abs=1e-4)


def test_new_draws_of_the_same_classes_are_clear_about_as_seldom_as_chance_has_it():
    """Of 200 pairs of like draws, about 2.3 % are above two standard errors; 8 % are allowed for."""
    clear = [gain_of(drawn(0.7, 2 * n), drawn(0.7, 2 * n + 1), LABELS).is_clear(2.0) for n in range(200)]  # fmt: skip
    assert sum(clear) <= 16


@pytest.mark.parametrize("labels", [torch.zeros(30).long(), torch.arange(30)])
def test_one_class_or_one_picture_of_each_is_no_evidence(labels):
    assert gain_of(drawn(0.1), drawn(2.0), labels) == Gain(0.0, 0.0)


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


def test_a_clear_change_stays_as_it_would_unjudged(tmp_path):
    """At two standard errors; both runs end with the same parameters, which are not those that they began with."""
    base = replace(RunConfig(), data=replace(RunConfig().data, tasks=(faint(tmp_path / "faint"),)))
    training = {"train.epochs": 8, "train.learning_rate": 0.1, "train.batch_size": 8}
    judged, kept = (
        watched(with_values(base, QUICK | training | {"switches.change": change}), tmp_path)
        for change in ("judged", "kept")
    )
    assert judged.taken_back == []
    began, ended, other = (parameters(each) for each in (judged.began[0], judged.ended[0], kept.ended[0]))  # fmt: skip
    assert all(torch.equal(ended[name], other[name]) for name in ended)
    assert not torch.equal(ended["s1.current.0.up_proj.weight"], began["s1.current.0.up_proj.weight"])  # fmt: skip


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
