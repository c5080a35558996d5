"""The bounds of a run: all tasks learnt as one, and one set of adapters trained on without protections."""

import math
from contextlib import closing

import numpy as np
import pytest
import torch

from tests.small import learner
from tests.trained import folders, quick_config
from workbench.config import with_values
from workbench.core.joint import joined
from workbench.core.tasks import TaskData, TaskSet
from workbench.core.train import train
from workbench.events import Evaluated, Measured, RunStarted, Step, TaskInfo
from workbench.session import Session
from workbench.session.plans import PLAIN


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    root = tmp_path_factory.mktemp("joint")
    config = quick_config(folders(root / "pictures"), epochs=2)
    joint = with_values(config, {"data.joint": True, "monitor.probe_per_task": 0})
    return list(train(config, root)), list(train(joint, root))


def last(events, kind):
    return [event for event in events if isinstance(event, kind)][-1]


def test_a_joint_run_is_one_task_of_all_classes_with_the_same_numbers_and_pictures(said):
    apart, joint = (last(events, RunStarted).tasks for events in said)
    (whole,) = joint
    assert whole.class_names == tuple(name for task in apart for name in task.class_names)
    assert whole.class_ids == tuple(number for task in apart for number in task.class_ids)
    assert whole.train_counts == tuple(count for task in apart for count in task.train_counts)
    assert whole.test_counts == tuple(count for task in apart for count in task.test_counts)


def test_a_joint_run_sees_each_picture_as_often(said):
    apart, joint = said
    pictures = sum(sum(task.train_counts) for task in last(apart, RunStarted).tasks)
    assert sum(isinstance(event, Step) for event in joint) == 2 * math.ceil(pictures / 4)


def test_the_accuracy_of_its_parts_weighted_by_their_pictures_is_its_pooled_accuracy(said):
    apart, joint = said
    sizes = [sum(task.test_counts) for task in last(apart, RunStarted).tasks]
    parts = {e.task: e.value for e in joint if isinstance(e, Measured) and e.name == "joint_part_accuracy"}  # fmt: skip
    assert sorted(parts) == [0, 1]
    pooled = sum(parts[j] * n for j, n in enumerate(sizes)) / sum(sizes)
    (row,) = [event for event in joint if isinstance(event, Evaluated)]
    assert row.accuracy == pytest.approx((pooled,))
    assert row.sizes == (sum(sizes),)
    seen = [e.value for e in joint if isinstance(e, Measured) and e.name == "accuracy_seen"]
    assert seen == pytest.approx([pooled])


def test_a_class_that_two_tasks_share_is_one_class_with_the_pictures_of_both():
    def task(name, ids, train, test):
        info = TaskInfo(name, tuple("abc"[i] for i in ids), ids, (0,) * len(ids), (0,) * len(ids), name)  # fmt: skip
        (train, train_labels), (test, test_labels) = train, test
        return TaskData(info, *(np.array(x) for x in (train, train_labels, test, test_labels)))

    first = task("1", (0, 1), ([10, 11, 12], [0, 0, 1]), ([20, 21], [0, 1]))
    second = task("2", (1, 2), ([13, 14], [1, 2]), ([22, 23], [1, 2]))
    (whole,) = joined(TaskSet(None, (first, second)), ["a", "b"]).tasks
    assert whole.info.class_ids == (0, 1, 2)
    assert whole.info.class_names == ("a", "b", "c")
    assert whole.info.train_counts == (2, 2, 1)
    assert whole.info.test_counts == (1, 2, 1)
    assert list(whole.train) == [10, 11, 12, 13, 14]
    assert list(whole.train_labels) == [0, 0, 1, 1, 2]
    assert sorted(zip(whole.test, whole.test_labels, strict=True)) == [(20, 0), (21, 1), (22, 1), (23, 2)]  # fmt: skip


@pytest.mark.parametrize("is_last", [False, True])
def test_without_averaging_the_copies_are_the_parameters_as_they_are(is_last):
    made = learner("repaired", ema="off")
    made.task = 2
    with torch.no_grad():
        for name in made.network.branches:
            for parameter in getattr(made.network, name)["current"].parameters():
                parameter.normal_()
    assert made.average(is_last=is_last)
    for name in made.network.branches:
        pair = getattr(made.network, name)
        both = zip(pair["ema"].parameters(), pair["current"].parameters(), strict=True)
        assert all(torch.equal(slow, now) for slow, now in both)


def test_a_joint_run_is_measured_exported_and_asked_like_any_other(tmp_path):
    config = quick_config(folders(tmp_path / "pictures"))
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        run = session.start(with_values(config, {"data.joint": True}))
        assert run.work() == "finished", run.news()[-1]
        names = {metric["name"] for metric in session.details(run.id).metrics}
        assert {"ntk.gap_predicted", "joint_part_accuracy", "accuracy_seen"} <= names
        session.export(run.id, tmp_path / "out")
        picture = next((tmp_path / "pictures" / "finches" / "red").iterdir())
        *_, guess = session.predict(str(tmp_path / "out" / "adapter"), [str(picture)])
        assert sorted(guess.classes) == ["blue", "green", "grey", "red"]
        assert set(guess.tasks) == {"all tasks"}


@pytest.mark.parametrize("profile", ["repaired", "paper"])
def test_plain_fine_tuning_learns_from_cross_entropy_alone_and_answers_without_the_backbone(
    tmp_path, profile
):
    config = with_values(quick_config(folders(tmp_path / "pictures")), {"method.profile": profile})
    events = list(train(with_values(config, PLAIN), tmp_path))
    steps = [event.terms for event in events if isinstance(event, Step)]
    assert {name for terms in steps for name in terms} == {
        "cross_entropy_s1", "cross_entropy_s2", "cross_entropy_hybrid", "regularisation", "total",
    }  # fmt: skip
    for terms in steps:
        alone = sum(value for name, value in terms.items() if name.startswith("cross_entropy"))
        assert terms["total"] == pytest.approx(alone, rel=1e-6)
    assert any(terms.get("regularisation", 0) > 0 for terms in steps)  # measured, with weight 0
    backbone_width = 192
    assert last(events, RunStarted).feature_width == 2 * backbone_width  # copy and current
