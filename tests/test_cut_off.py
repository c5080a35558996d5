"""A run that was cut off after any event goes on from the newest checkpoint that was said: events and files to the bit."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.pictures import make_task_folders
from tests.said import decided, lasting
from workbench.config import RunConfig, TaskFolder, with_values
from workbench.core.train import Training
from workbench.events import Checkpointed, Event, Finished, Step

BACKBONE = "random:vit_tiny_patch16_224?img_size=32&depth=2&patch_size=8&seed=1"
TASKS = {"first": {"red": 5, "green": 7}, "second": {"one": 6, "two": 5}, "third": {"a": 5, "b": 5}}
VARIANTS = {
    "repaired": {"train.at_once": 3},
    "paper, closed": {"method.profile": "paper", "method.sequence": "closed"},
}  # fmt: skip


def settings(folders: list[Path], **values: object) -> RunConfig:
    base = RunConfig()
    tasks = tuple(TaskFolder(folder.name, str(folder)) for folder in folders)
    small = {
        "model.backbone": BACKBONE, "train.epochs": 2, "train.batch_size": 4, "train.device": "cpu",
        "train.learning_rate": 0.01, "monitor.probe_per_task": 4, "monitor.budget": 0.6,
    }  # fmt: skip
    return with_values(replace(base, data=replace(base.data, tasks=tasks)), small | values)


def files(folder: Path) -> dict[str, bytes]:
    """Everything the run made that a person keeps."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "checkpoint" not in file.parts
    }


def cut_off(config: RunConfig, home: Path, folder: Path, after: int) -> list[Event]:
    """Train until so many events were said, and vanish; return what the log would have."""
    events: list[Event] = []
    running = Training(config, home, folder).events()
    for event in running:
        events.append(event)
        if len(events) == after:
            break
    running.close()
    return events


def gone_on(config: RunConfig, home: Path, folder: Path, before: list[Event]) -> list[Event]:
    """Go on from the newest checkpoint that was said; return all that the log then has."""
    marks = [n for n, event in enumerate(before) if isinstance(event, Checkpointed)]
    if not marks:
        return list(Training(config, home, folder).events())
    newest = before[marks[-1]]
    assert isinstance(newest, Checkpointed)
    rest = Training(config, home, folder, resume=folder / newest.path).events()
    return [*before[: marks[-1] + 1], *rest]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.long
def test_cut_off_after_any_event_the_run_ends_as_if_it_had_not_been(variant, tmp_path):
    config = settings(make_task_folders(tmp_path / "pictures", TASKS), **VARIANTS[variant])
    whole = list(Training(config, tmp_path, tmp_path / "whole").events())
    assert isinstance(whole[-1], Finished)
    expected, kept = decided(whole), files(tmp_path / "whole")
    steady = lasting(whole)
    first = list(VARIANTS).index(variant)  # other moments in each variant
    moments = range(1 + 3 * first, len(steady), max(1, len(steady) // 3))
    for number, moment in enumerate(moments):
        after = whole.index(steady[moment]) + 1
        folder = tmp_path / f"cut {number}"
        before = cut_off(config, tmp_path, folder, after)
        assert decided(gone_on(config, tmp_path, folder, before)) == expected, steady[moment]
        assert files(folder) == kept, steady[moment]


def test_kept_at_any_step_the_run_goes_on_from_that_step(tmp_path):
    config = settings(make_task_folders(tmp_path / "pictures", TASKS))
    whole = list(Training(config, tmp_path, tmp_path / "whole").events())
    expected, kept = decided(whole), files(tmp_path / "whole")
    steps = [event for event in whole if isinstance(event, Step)]
    for step in steps[1 :: max(1, len(steps) // 2)]:
        folder = tmp_path / f"step {step.step}"
        before, newest = [], None
        training = Training(config, tmp_path, folder)
        running = training.events()
        for event in running:
            before.append(event)
            if event == step:
                newest = training.keep()
                break
        running.close()
        assert newest is not None
        assert newest.step == step.step + 1
        rest = list(Training(config, tmp_path, folder, resume=folder / newest.path).events())
        assert decided([*before, *rest]) == expected, step
        assert files(folder) == kept, step


def test_of_the_checkpoints_the_last_two_are_kept(tmp_path):
    whole = {"switches.early_stopping": "off"}
    config = settings(make_task_folders(tmp_path / "pictures", TASKS), **whole)
    events = list(Training(config, tmp_path, tmp_path / "run").events())
    paths = [event.path for event in events if isinstance(event, Checkpointed)]
    assert len(paths) == 9  # three tasks of two epochs and an end
    left = sorted(p.name for p in (tmp_path / "run" / "checkpoint").iterdir())
    names = [Path(path).name for path in paths[-2:]]
    assert left == sorted([*names, *(name.replace("safetensors", "json") for name in names)])
