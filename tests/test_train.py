"""The training loop on tiny real folders: order of events, determinism, stopping, odd sequences."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from tests.pictures import make_class_folders, make_split_folders, make_task_folders
from tests.said import lasting
from workbench.config import RunConfig, SeedConfig, TaskFolder, with_values
from workbench.core.adapter_file import load_adapter
from workbench.core.steps import result_of
from workbench.core.train import train
from workbench.errors import UsageError
from workbench.events import (
    Evaluated,
    Finished,
    Measured,
    Note,
    RunStarted,
    Stage,
    Step,
    TaskEnded,
    TaskStarted,
)

BACKBONE = "random:vit_tiny_patch16_224?img_size=32&depth=2&patch_size=8&seed=1"
TASKS = {
    "first": {"red": 6, "green": 9, "blue": 6},
    "second Ö 空格": {"one": 7, "two": 6},
    "third": {"a": 6, "b": 6},
}


def config(folders, **values):
    tasks = tuple(TaskFolder(folder.name, str(folder)) for folder in folders)
    base = RunConfig()
    base = replace(base, data=replace(base.data, tasks=tasks))
    small = {
        "model.backbone": BACKBONE, "train.epochs": 2, "train.batch_size": 4, "train.device": "cpu",
        "train.learning_rate": 0.01, "monitor.probe_per_task": 4, "model.projection": 60,
    }  # fmt: skip
    return with_values(base, small | values)


@pytest.fixture
def folders(tmp_path):
    return make_task_folders(tmp_path / "pictures", TASKS)


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def test_a_run_tells_its_tasks_steps_rows_and_end_in_order(folders, tmp_path):
    whole = config(folders, **{"switches.early_stopping": "off"})
    events = lasting(train(whole, tmp_path, tmp_path / "run"))
    assert isinstance(events[0], (RunStarted, Note))
    started = of(RunStarted, events)[0]
    assert [task.class_ids for task in started.tasks] == [(0, 1, 2), (3, 4), (5, 6)]
    assert started.tasks[1].name == "second Ö 空格"
    assert started.switches["s2_init"] == "kaiming"
    assert isinstance(events[-1], Finished)
    steps = of(Step, events)
    assert [step.step for step in steps] == list(range(len(steps)))
    assert [start.step for start in of(TaskStarted, events)] == [end.step for end in [
        TaskEnded(0, 0), *of(TaskEnded, events)[:-1]]]  # fmt: skip
    assert sum(start.steps for start in of(TaskStarted, events)) == len(steps) == events[-1].step
    rows = of(Evaluated, events)
    assert [len(row.accuracy) for row in rows] == [1, 2, 3]
    assert rows[-1].sizes == tuple(sum(task.test_counts) for task in started.tasks)
    assert {"total", "cross_entropy_hybrid"} <= steps[0].terms.keys()
    assert steps[0].lr == pytest.approx(0.01)
    assert {"accuracy_seen", "forgetting", "ntk.interplay_measured", "ntk.gap_predicted"} <= {
        m.name for m in of(Measured, events) if m.value is not None
    }


def test_the_same_configuration_gives_the_same_events_and_the_same_adapter_to_the_byte(
    folders, tmp_path
):
    runs = [lasting(train(config(folders), tmp_path, tmp_path / name)) for name in ("a", "b")]
    assert runs[0] == runs[1]
    files = [
        (tmp_path / name / "adapter" / "adapter.safetensors").read_bytes() for name in ("a", "b")
    ]
    assert files[0] == files[1]


@pytest.mark.parametrize("seed", ["initialisation", "data_order", "augmentation", "dropout"])
def test_each_seed_changes_the_run_alone(folders, tmp_path, seed):
    cfg = config(folders[:1], **{"train.epochs": 1})
    base = of(Step, train(cfg, tmp_path))
    other = of(Step, train(replace(cfg, seeds=replace(cfg.seeds, **{seed: 7})), tmp_path))
    assert len(base) == len(other)
    assert base[-1].terms != other[-1].terms


def test_the_probe_seed_and_the_monitor_change_nothing_that_is_learnt(folders, tmp_path):
    cfg = config(folders)
    base = of(Step, train(cfg, tmp_path))
    assert of(Step, train(replace(cfg, seeds=SeedConfig(probe=9)), tmp_path)) == base
    assert of(Step, train(with_values(cfg, {"monitor.probe_per_task": 0}), tmp_path)) == base


def test_the_paper_profile_runs_with_its_own_switches(folders, tmp_path):
    events = lasting(train(config(folders, **{"method.profile": "paper"}), tmp_path))
    assert of(RunStarted, events)[0].switches["fusion"] == "paper"
    assert isinstance(events[-1], Finished)


def test_the_baseline_is_the_nearest_class_mean_of_frozen_features(tmp_path):
    folder = make_split_folders(
        tmp_path / "task", {"red": (5, 6), "green": (5, 6), "blue": (5, 6)}, size=32
    )
    cfg = config([folder], **{"train.epochs": 1, "model.use_pretrained_section": False})
    row = of(Evaluated, train(cfg, tmp_path))[0]
    assert row.baseline[0] == pytest.approx(_nearest_class_mean(folder), abs=1e-9)


def _nearest_class_mean(folder):
    """By hand: pictures opened, resized, cropped and normalised here, timm's own forward."""
    from workbench.core.backbone import create
    from workbench.core.transforms import TestTransform
    from workbench.core.weights import load_weights

    weights = result_of(load_weights(BACKBONE, "", folder))
    vit = create(weights.model_name, weights.state, **weights.create_kwargs).eval()
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (weights.mean, weights.std))

    def features(part, name):
        paths = sorted((folder / part / name).iterdir())
        pixels = TestTransform(32)([np.array(Image.open(path)) for path in paths])
        with torch.no_grad():
            return vit((pixels - mean) / std)

    names = ("blue", "green", "red")
    means = F.normalize(torch.stack([features("train", name).mean(0) for name in names]), dim=1)
    hits = [
        (F.normalize(features("test", n), dim=1) @ means.T).argmax(1) == i
        for i, n in enumerate(names)
    ]
    return float(torch.cat(hits).float().mean())


@pytest.mark.parametrize(
    "kind", [Stage, RunStarted, TaskStarted, Step, Measured, Evaluated, TaskEnded]
)
def test_closing_the_generator_anywhere_leaves_nothing_behind(folders, tmp_path, kind):
    events = train(config(folders[1:], **{"train.epochs": 1}), tmp_path)
    next(event for event in events if isinstance(event, kind))
    events.close()
    # a QThread of an earlier test may have left an entry behind: see `tests.conftest`
    others = (t for t in threading.enumerate() if not isinstance(t, threading._DummyThread))
    assert [t for t in others if t is not threading.main_thread()] == []


def test_one_task_of_one_class_trains(tmp_path):
    folder = make_class_folders(tmp_path / "only", {"lonely": 6})
    events = lasting(train(config([folder]), tmp_path))
    assert of(Evaluated, events)[0].accuracy == (1.0,)
    absent = {m.name: m for m in of(Measured, events) if m.value is None}
    assert absent["forgetting"].reason


def test_a_class_met_again_is_learnt_further(tmp_path):
    folders = make_task_folders(tmp_path, {"a": {"cat": 6, "dog": 6}, "b": {"cat": 6, "owl": 6}})
    cfg = config(folders, **{"data.same_names": "same"})
    started = of(RunStarted, train(cfg, tmp_path))[0]
    assert [task.class_ids for task in started.tasks] == [(0, 1), (0, 2)]
    *_, last = train(cfg, tmp_path, tmp_path / "run")
    assert isinstance(last, Finished)
    _, card = load_adapter(tmp_path / "run" / "adapter")
    assert [(entry.name, entry.task) for entry in card.classes] == [
        ("cat", 0),
        ("dog", 0),
        ("owl", 1),
    ]


def test_an_open_sequence_averages_after_the_last_task_in_paper_too(folders, tmp_path):
    tensors = {}
    for sequence in ("closed", "open"):
        values = {"method.profile": "paper", "method.sequence": sequence, "train.epochs": 1}
        list(train(config(folders[1:], **values), tmp_path, tmp_path / sequence))
        tensors[sequence] = load_adapter(tmp_path / sequence / "adapter")[0]
    name = "s1.ema.0.down_proj.weight"
    assert torch.equal(
        tensors["closed"]["s1.current.0.down_proj.weight"],
        tensors["open"]["s1.current.0.down_proj.weight"],
    )
    assert not torch.equal(tensors["closed"][name], tensors["open"][name])


def test_drift_compensation_moves_old_prototypes_only(folders, tmp_path):
    tensors = {}
    for drift in ("stale", "compensated"):
        cfg = config(
            folders[:2],
            **{
                "switches.prototype_drift": drift,
                "switches.change": "kept",
                "train.learning_rate": 0.05,
            },
        )
        list(train(cfg, tmp_path, tmp_path / drift))
        tensors[drift] = load_adapter(tmp_path / drift / "adapter")[0]["prototypes.weight"]
    assert not torch.equal(tensors["stale"][:3], tensors["compensated"][:3])
    assert torch.equal(tensors["stale"][3:], tensors["compensated"][3:])


def test_a_run_without_tasks_is_refused(tmp_path):
    with pytest.raises(UsageError, match="Add a folder whose sub-folders are classes"):
        list(train(RunConfig(), tmp_path))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("precision", ["strict", "tf32", "bf16"])
def test_a_gpu_learns_the_same_as_the_processor(folders, tmp_path, precision):
    values = {"model.dropout": 0.0, "train.precision": precision}
    losses = {}
    for device in ("cpu", "cuda"):
        events = train(config(folders, **values, **{"train.device": device}), tmp_path)
        losses[device] = [step.terms["total"] for step in of(Step, events)]
    tolerance = {"strict": 1e-3, "tf32": 0.02, "bf16": 0.1}[precision]
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=tolerance)
