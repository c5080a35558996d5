"""EASE as whole runs: answers against numpy, checkpoints, adapter files, further tasks, estimates, what is refused."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.engines import session_of
from tests.pictures import make_class_folders
from tests.resumed import gone_on, recorded, small_config
from tests.test_extended import with_task
from tests.test_resume_session import adapter_of, told
from tests.trained import finished, folders, of, quick_config
from workbench.config import RunConfig, TaskFolder, with_values
from workbench.core.adapter_file import load_adapter
from workbench.core.adapters import adapted
from workbench.core.cache import PictureCache
from workbench.core.card import export_adapter, load_network
from workbench.core.dry_steps import DryRun
from workbench.core.running import pacer_of
from workbench.core.steps import result_of
from workbench.core.tasks import TaskSet
from workbench.core.train import Training
from workbench.core.transforms import TestTransform
from workbench.core.weights import load_weights
from workbench.core.workload import amounts, stand_ins
from workbench.errors import UsageError
from workbench.events import Answered, Evaluated, Note, RunStarted, Step
from workbench.paths import run_folder
from workbench.report import Forecast, Guess, RunEstimate
from workbench.session import Session
from workbench.session.plans import bounds_plan

CPU = torch.device("cpu")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with closing(Session(tmp_path / "home", entry_points=False)) as made:
        yield made


def config_of(tmp_path: Path, **values: object) -> RunConfig:
    config = quick_config(folders(tmp_path / "pictures"))
    quick = {"method.name": "ease", "train.learning_rate": 0.2, "train.epochs": 2}
    return with_values(config, quick | values)


def test_a_run_trains_each_task_by_cross_entropy_alone_and_its_adapter_file_grows(
    session: Session, tmp_path: Path
) -> None:
    run, events = finished(session, config_of(tmp_path))
    assert {frozenset(step.terms) for step in of(Step, events)} == {frozenset({"cross_entropy_s1", "total"})}  # fmt: skip
    assert {step.task for step in of(Step, events)} == {0, 1}
    notes = [note.text for note in of(Note, events)]
    assert any(text.startswith("The NTK monitor is off: each task has adapters") for text in notes)
    tensors, card = load_adapter(run_folder(session.home, run) / "adapter")
    assert card.model["branches"] == "expanding"
    sizes = [sum(t.numel() for n, t in tensors.items() if n.startswith(f"adapters.{task}.")) for task in range(3)]  # fmt: skip
    (started,) = of(RunStarted, events)
    assert sizes == [started.trainable_parameters, started.trainable_parameters, 0]
    assert not any(name.startswith(("s1", "s2", "fusion")) for name in tensors)


def test_with_one_task_it_is_class_means_of_plain_adapters_by_cosine(
    session: Session, tmp_path: Path
) -> None:
    config = config_of(tmp_path)
    config = replace(config, data=replace(config.data, tasks=config.data.tasks[:1]))
    run, events = finished(session, config)
    network, card = result_of(load_network(run_folder(session.home, run) / "adapter", session.home, CPU))  # fmt: skip
    looking = TestTransform(card.preprocessing.size)
    root = Path(config.data.tasks[0].path)

    def features(names: list[Path]) -> np.ndarray:
        pixels = looking([np.array(Image.open(path).convert("RGB")) for path in names])
        with torch.no_grad():
            stem = network.backbone.stem(pixels)
            z = adapted(network.backbone, network.adapters[0], stem).double().numpy()
            assert np.abs(z - network.backbone(stem).numpy()).max() > 1e-4
        return z

    tests = set(shown_of(session, run))
    means, seen, truth = [], [], []
    for number, entry in enumerate(card.classes):
        own = sorted((root / entry.name).iterdir())
        z = features([path for path in own if path not in tests])
        means.append(z.mean(0) / np.linalg.norm(z.mean(0)))
        seen.append(features([path for path in own if path in tests]))
        truth += [number] * len(seen[-1])
    shown = np.concatenate(seen)
    by_hand = shown / np.linalg.norm(shown, axis=1, keepdims=True) @ np.stack(means).T
    found = network.prototypes(torch.from_numpy(shown).float()).detach().numpy()
    np.testing.assert_allclose(found, by_hand, rtol=0, atol=2e-6)  # float32
    assert of(Evaluated, events)[0].accuracy[0] == np.mean(by_hand.argmax(1) == truth)


def shown_of(session: Session, run: str) -> list[Path]:
    """The test pictures of a run's last row, in the order of its answers."""
    roots = [Path(folder["path"]) for folder in session.details(run).config["data"]["tasks"]]
    told = of(Answered, session.events(run))
    lists = [session.results.pictures(run, each.pictures) for each in told]
    return [root / name for root, names in zip(roots, lists, strict=True) for name in names]


def test_the_adapter_file_gives_the_runs_own_answers(session: Session, tmp_path: Path) -> None:
    run, _ = finished(session, config_of(tmp_path))
    target = tmp_path / "taken"
    assert result_of(export_adapter(run_folder(session.home, run), target, session.home))
    for source in (run, str(target)):
        pictures = [str(path) for path in shown_of(session, run)]
        guesses = [g for g in session.predict(source, pictures) if isinstance(g, Guess)]
        answers = session.results.answers(run, of(Answered, session.events(run))[-1].path)
        _, card = load_adapter(target)
        names = [entry.name for entry in card.classes]
        assert [names.index(guess.classes[0]) for guess in guesses] == answers.predicted.tolist()
        scores = [guess.probabilities[0] for guess in guesses]
        np.testing.assert_allclose(scores, answers.score, rtol=0, atol=1e-4)


def test_it_goes_on_from_every_checkpoint_exactly(tmp_path: Path) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        wanted = with_values(small_config(tmp_path / "pictures"), {"method.name": "ease"})
        config = session.plug_ins.prepared(wanted)
        learner = session.plug_ins.learner(config)
    whole = recorded(config, tmp_path, keep_at=(1, 8), method=learner)
    assert len(whole.checkpoints) == 11
    for said, path in whole.checkpoints:
        events, adapter = gone_on(config, tmp_path, path, learner)
        assert events == whole.told[said:], f"from {path}"
        assert adapter == whole.adapter


@pytest.mark.parametrize("sequence", ["open", "closed"])
def test_a_task_more_gives_the_run_with_all_tasks_at_once(
    session: Session, tmp_path: Path, sequence: str
) -> None:
    config = config_of(tmp_path, **{"method.sequence": sequence})
    whole, owls = with_task(config, tmp_path / "more")
    first, _ = finished(session, config)
    child = session.resuming.extend(first, [owls])
    assert child.work() == "finished", child.news()[-1]
    at_once, _ = finished(session, whole)
    assert told(session, child.id) == told(session, at_once)
    assert adapter_of(session, child.id) == adapter_of(session, at_once)


def test_the_engine_of_a_process_gives_the_adapter_of_the_thread(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    found = []
    for kind in ("thread", "process"):
        with session_of(kind, tmp_path / kind) as session:
            run, _ = finished(session, config)
            found.append(adapter_of(session, run))
    assert found[0] == found[1]


def test_what_a_run_paces_itself_by_grows_with_the_tasks(session: Session, tmp_path: Path) -> None:
    tasks = [[(10, 3), (7, 2)], [(5, 4)], [(4, 1)]]
    config = session.plug_ins.prepared(config_of(tmp_path, **{"train.epochs": 3}))
    weights = result_of(load_weights(config.model.backbone, "", session.home))
    with PictureCache(1) as cache:
        cache.append(np.zeros((32, 32, 3), np.uint8))
        dry = DryRun(config, weights, cache, CPU, session.plug_ins.learner(config), 2)
        paced = pacer_of(config, dry.learner, TaskSet(cache, tuple(stand_ins(tasks))), lambda: 0.0)
    # to learn 17, 5 and 4; to test 5, 9 and 10 after each task: seen through one, two and three tasks' adapters
    looked = (17 + 5) + 2 * (5 + 9) + 3 * (4 + 10)
    assert amounts(tasks, config, dry.learner).looked == looked
    assert paced.passes == (26 + 10) + 3 * 3 * 26 + looked


def test_a_run_is_at_its_end_when_its_passes_are(session: Session, tmp_path: Path) -> None:
    """What is counted while it runs adds up to what was reckoned beforehand, task by task."""
    wanted = with_values(small_config(tmp_path / "pictures"), {"method.name": "ease"})
    config = session.plug_ins.prepared(wanted)
    training = Training(config, tmp_path, method=session.plug_ins.learner(config))
    pacers = [training._run.pacer for _ in training.events() if training._run is not None]
    assert pacers[-1].done == pacers[-1].passes


def test_the_estimate_knows_it(session: Session, tmp_path: Path) -> None:
    found = [i for i in session.estimate(config_of(tmp_path)) if isinstance(i, RunEstimate)]
    assert len(found) == 1
    assert 0 < found[0].seconds < 600


def test_forecast_and_order_are_refused_in_a_sentence(session: Session, tmp_path: Path) -> None:
    config = config_of(tmp_path)
    run, _ = finished(session, config)
    gulls = make_class_folders(tmp_path / "gulls", {"herring": 6, "common": 6})
    told_of = session.forecast(run, TaskFolder("gulls", str(gulls)))
    (forecast,) = [item for item in told_of if isinstance(item, Forecast)]
    assert forecast.reason == "each task has adapters of its own, so there is no fusion layer"
    with pytest.raises(UsageError, match="No order can be suggested: each task has adapters"):
        list(session.order(config))


def test_its_lower_bound_shares_one_set_of_adapters(session: Session, tmp_path: Path) -> None:
    """With adapters of each task's own, fine-tuning without anything against forgetting would be the method itself."""
    config = session.plug_ins.prepared(config_of(tmp_path))
    run, _ = finished(session, config)
    plan = bounds_plan(config, session.details(run).summary)
    kinds = {each.label: each.config.model.branches for each in plan.runs}
    assert kinds == {"joint": "expanding", "plain fine-tuning": "s1"}
    for each in plan.runs:
        finished(session, each.config)
