"""The methods that train little or nothing, as whole runs, against what numpy makes of frozen features."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.pictures import make_split_folders
from tests.resumed import gone_on, recorded, small_config
from tests.trained import QUICK, finished, folders, of, quick_config
from workbench.config import RunConfig, with_values
from workbench.core.adapter_file import load_adapter
from workbench.core.card import load_learnt, load_network
from workbench.core.steps import result_of
from workbench.core.transforms import TestTransform
from workbench.events import (
    EpochEnded,
    Evaluated,
    Finished,
    Note,
    RunStarted,
    Step,
    TaskEnded,
    TaskStarted,
)
from workbench.paths import run_folder
from workbench.report import RunEstimate
from workbench.session import Session

ROOT = Path(__file__).resolve().parent.parent

FROZEN = {"simple-cil": "cosines", "streaming-lda": "discriminant", "ranpac": "random_projection"}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with closing(Session(tmp_path / "home", entry_points=False)) as made:
        yield made


def config_of(tmp_path: Path, method: str) -> RunConfig:
    return with_values(quick_config(folders(tmp_path / "pictures")), {"method.name": method})


@pytest.mark.parametrize("method", FROZEN)
def test_where_nothing_is_trained_a_run_goes_from_task_to_task_without_a_step(
    session: Session, tmp_path: Path, method: str
) -> None:
    _, events = finished(session, config_of(tmp_path, method))
    assert not of(Step, events)
    assert not of(EpochEnded, events)
    (started,) = of(RunStarted, events)
    assert started.trainable_parameters == 0
    assert started.switches["answers"] == FROZEN[method]
    assert [(e.task, e.step, e.epochs, e.steps) for e in of(TaskStarted, events)] == [
        (0, 0, 0, 1), (1, 1, 0, 1),
    ]  # fmt: skip
    assert [(e.task, e.step) for e in of(TaskEnded, events)] == [(0, 1), (1, 2)]
    assert [row.step for row in of(Evaluated, events)] == [1, 2]  # so that curves go on
    assert of(Finished, events)[0].step == 2
    assert any(note.text.startswith("The NTK monitor is off") for note in of(Note, events))


def test_frozen_class_means_are_the_floor_itself(session: Session, tmp_path: Path) -> None:
    _, events = finished(session, config_of(tmp_path, "simple-cil"))
    rows = of(Evaluated, events)
    assert len(rows) == 2
    assert all(row.accuracy == row.baseline for row in rows)


def test_streaming_lda_answers_as_numpy_does_from_the_pictures_themselves(
    session: Session, tmp_path: Path
) -> None:
    parts = [
        make_split_folders(tmp_path / "pictures" / name, {a: (6, 3), b: (5, 3)}, seed=seed)
        for seed, (name, a, b) in enumerate((("one", "red", "green"), ("two", "grey", "blue")))
    ]
    config = with_values(quick_config(parts), {"method.name": "streaming-lda"})
    run, events = finished(session, config)
    adapter = run_folder(session.home, run) / "adapter"
    network = result_of(load_learnt(adapter, session.home, torch.device("cpu")))
    _, card = load_adapter(adapter)
    looking = TestTransform(card.preprocessing.size)

    def features(paths: list[Path]) -> np.ndarray:
        pictures = looking([np.array(Image.open(path).convert("RGB")) for path in paths])
        with torch.no_grad():
            return network(pictures).main.double().numpy()

    x, y = [], []
    for number, name in enumerate(entry.name for entry in card.classes):
        own = sorted((tmp_path / "pictures").glob(f"*/train/{name}/*"))
        assert own, name
        x.append(features(own))
        y += [number] * len(own)
    x, y = np.concatenate(x), np.array(y)
    means = np.stack([x[y == c].mean(0) for c in range(4)])
    within = x - means[y]
    A = within.T @ within + float(network.prototypes.ridge) * np.eye(x.shape[1])
    some = sorted((tmp_path / "pictures").glob("*/test/*/*"))
    seen = features(some)
    apart = seen[:, None] - means
    by_hand = -0.5 * np.einsum("ncd,de,nce->nc", apart, np.linalg.inv(A), apart)
    found = network.prototypes(torch.from_numpy(seen).float()).detach().numpy()
    found, by_hand = ((z - z.mean(1, keepdims=True)) / z.std() for z in (found, by_hand))
    # These pictures hardly differ within a class, so that features' float32 rounding shows: 2 % here.
    np.testing.assert_allclose(found, by_hand, rtol=0, atol=0.05 * np.abs(by_hand).max())
    truth = [next(i for i, c in enumerate(card.classes) if c.name == path.parent.name) for path in some]  # fmt: skip
    right = float(np.mean(by_hand.argmax(1) == truth))
    last = of(Evaluated, events)[-1]
    told = float(np.average(last.accuracy, weights=last.sizes))
    assert told == pytest.approx(
        right, abs=1.5 / len(some)
    )  # a picture on the edge may fall either way


def test_first_session_adaptation_trains_the_first_task_alone(
    session: Session, tmp_path: Path
) -> None:
    config = with_values(config_of(tmp_path, "first-session"), {"train.epochs": 2})
    run, events = finished(session, config)
    assert {event.task for event in of(Step, events)} == {0}
    assert set(of(Step, events)[0].terms) == {"cross_entropy_s1", "total"}
    one = with_values(config, {"name": "one"})
    one = RunConfig(**{**vars(one), "data": type(one.data)(**{**vars(one.data), "tasks": one.data.tasks[:1]})})  # fmt: skip
    first, _ = finished(session, one)
    adapters = []
    for each in (run, first):
        folder = run_folder(session.home, each) / "adapter"
        network, _ = result_of(load_network(folder, session.home, torch.device("cpu")))
        adapters.append(network)
    moved = 0.0
    for (name, a), b in zip(adapters[0].s1.named_parameters(), adapters[1].s1.parameters(), strict=True):  # fmt: skip
        assert torch.equal(a, b), name
        if name.startswith("current") and name.endswith("up_proj.weight"):
            moved += float(a.detach().abs().sum())
    assert moved > 0  # it starts at zero: something was learnt in the first session


@pytest.mark.parametrize("method", [*FROZEN, "first-session"])
def test_they_go_on_from_a_checkpoint_exactly(tmp_path: Path, method: str) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        wanted = with_values(small_config(tmp_path / "pictures"), {"method.name": method})
        config = session.plug_ins.prepared(wanted)
        learner = session.plug_ins.learner(config)
    whole = recorded(config, tmp_path, method=learner)
    assert whole.checkpoints
    for said, path in whole.checkpoints[:4]:
        events, adapter = gone_on(config, tmp_path, path, learner)
        assert events == whole.told[said:], f"from {path}"
        assert adapter == whole.adapter


@pytest.mark.parametrize("method", [*FROZEN, "first-session", "fine-tuning"])
def test_the_estimate_counts_only_what_is_trained(
    session: Session, tmp_path: Path, method: str
) -> None:
    config = with_values(config_of(tmp_path, method), {"train.epochs": 1000})
    (found,) = [item for item in session.estimate(config) if isinstance(item, RunEstimate)]
    assert found.seconds > 0
    if method in FROZEN:
        assert found.seconds < 60


def test_ntk_cl_without_a_branch_is_told_that_there_is_nothing_to_measure(
    session: Session, tmp_path: Path
) -> None:
    config = with_values(config_of(tmp_path, "ntk-cl"), QUICK | {"model.branches": "none"})
    _, events = finished(session, config)
    assert not of(Step, events)
    notes = [note.text for note in of(Note, events)]
    assert "The NTK monitor is off: nothing is trained, so there is no kernel of training." in notes


def test_every_method_of_ours_has_its_place_in_the_help(tmp_path):
    page = (ROOT / "resources" / "help" / "45-methods.md").read_text("utf-8")
    with closing(Session(tmp_path, entry_points=False)) as session:
        names = session.plug_ins.loaded.methods.names()
    assert set(re.findall(r"\(`([a-z-]+)`", page)) == set(names)
