"""A run that goes on though its pictures are not those it began with: nothing old is taken for new."""

import shutil
from pathlib import Path

import pytest
import torch

from tests.resumed import recorded, small_config
from workbench.core.resume import ChangedPictures
from workbench.core.train import Training
from workbench.errors import PicturesDiffer
from workbench.events import Evaluated, Event, Finished, Measured, Note, RunStarted

QUICK = {"monitor.probe_per_task": 0, "train.epochs": 1}
# checkpoints of three tasks of one epoch: (task, epoch) 0: (0, 1), 1: (1, 0), 2: (1, 1), 3: (2, 0)
LEARNING, LEARNT, LATER = 0, 1, 1


def changed(place: Path) -> None:
    """Let every picture of a class be one of another class's."""
    other = next(each for each in sorted(place.parent.iterdir()) if each != place)
    for path, given in zip(sorted(place.iterdir()), sorted(other.iterdir()), strict=False):
        path.write_bytes(given.read_bytes())


def went_on(config, root: Path, path: Path) -> tuple[Training, list[Event]]:
    folder = path.parent.parent
    training = Training(config, root, folder, resume=path, accept_changed=True)
    return training, list(training.events())


def notes(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Note)]


@pytest.mark.parametrize("at", [LEARNING, LEARNT])
def test_what_was_made_of_pictures_that_changed_is_made_anew(tmp_path: Path, at: int) -> None:
    config = small_config(tmp_path / "pictures", **QUICK)
    path = recorded(config, tmp_path).checkpoints[at][1]
    changed(tmp_path / "pictures" / "first" / "red")
    with pytest.raises(ChangedPictures, match="The pictures of 'first' have changed since"):
        list(Training(config, tmp_path, path.parent.parent, resume=path).events())
    training = Training(config, tmp_path, path.parent.parent, resume=path, accept_changed=True)
    events = []
    for event in training.events():
        events.append(event)
        run = training._run
        if run is None or any(isinstance(e, Evaluated) for e in events):
            continue
        with torch.no_grad():
            frozen = [
                run.network.backbone(run.network.backbone.stem(run.feeder.plain(part)))
                for part in (run.tasks.tasks[0].test, run.tasks.tasks[0].train)
            ]
        torch.testing.assert_close(run.examiner.tests[0][1], frozen[0], rtol=1e-5, atol=1e-6)
        if at == LEARNING and run.place.task == 0:
            torch.testing.assert_close(run.place.frozen, frozen[1], rtol=1e-5, atol=1e-6)
        assert run.examiner.tests[0][0] is run.tasks.tasks[0]
    assert isinstance(events[-1], Finished)
    (started,) = [event for event in events if isinstance(event, RunStarted)]
    assert started.tasks[0] == run_info(config, tmp_path)
    (said,) = [text for text in notes(events) if "are those of now" in text]
    assert "the pictures of 'first' are those of now: tests are on them" in said


def run_info(config, root: Path):
    """Return the first task as a run of its own would tell it."""
    events = Training(config, root, root / "other").events()
    found = next(event for event in events if isinstance(event, RunStarted)).tasks[0]
    events.close()
    return found


def test_the_monitor_ends_rather_than_compare_with_pictures_that_are_gone(tmp_path: Path) -> None:
    config = small_config(tmp_path / "pictures", **QUICK | {"monitor.probe_per_task": 4})
    path = recorded(config, tmp_path).checkpoints[LEARNT][1]
    changed(tmp_path / "pictures" / "first" / "red")
    _, events = went_on(config, tmp_path, path)
    assert isinstance(events[-1], Finished)
    assert any("The NTK monitor is off from here on" in text for text in notes(events))
    names = {event.name for event in events if isinstance(event, Measured)}
    assert names
    assert not any(name.startswith(("ntk.", "lost.")) for name in names)


def test_a_task_that_is_still_to_come_may_be_quite_another(tmp_path: Path) -> None:
    """It is as if the run had had it from the start."""
    config = small_config(tmp_path / "pictures", **QUICK)
    path = recorded(config, tmp_path).checkpoints[LATER][1]
    third = tmp_path / "pictures" / "third"
    shutil.copytree(third / "a", third / "c")
    (third / "b" / "0000.png").unlink()
    _, events = went_on(config, tmp_path, path)
    assert not [text for text in notes(events) if "are those of now" in text]
    other = tmp_path / "another"
    other.mkdir()
    whole = recorded(config, other)
    rows = [event for event in events if isinstance(event, Evaluated)]
    assert rows == [event for event in whole.told if isinstance(event, Evaluated)][1:]


def test_a_task_that_was_begun_keeps_its_classes_and_numbers_or_the_run_is_refused(
    tmp_path: Path,
) -> None:
    config = small_config(tmp_path / "pictures", **QUICK)
    path = recorded(config, tmp_path).checkpoints[LEARNT][1]
    (tmp_path / "pictures" / "first" / "red" / "0000.png").unlink()
    sentence = (
        "The classes or the number of pictures of 'first' have changed since this run began to learn it, so it cannot "
        "go on. Put the pictures back, or start a new run with the same settings."
    )
    with pytest.raises(PicturesDiffer) as caught:
        went_on(config, tmp_path, path)
    assert str(caught.value) == sentence


def test_drift_that_is_measured_on_pictures_that_changed_is_refused(tmp_path: Path) -> None:
    values = {"switches.prototype_drift": "compensated", "method.sequence": "open"}
    config = small_config(tmp_path / "pictures", **QUICK | values)
    path = recorded(config, tmp_path).checkpoints[2][1]  # learning the second task
    changed(tmp_path / "pictures" / "second" / "one")
    with pytest.raises(PicturesDiffer, match="How far old prototypes drift is measured on"):
        went_on(config, tmp_path, path)
