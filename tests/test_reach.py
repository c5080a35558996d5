"""A stop reaches every phase of a run: it is looked for at each piece, and nothing is begun after it.

Scans: `test_scan`, `test_scan_work`; exports: `test_exports`; seconds: `tests.reliability.stops`.
"""

from itertools import groupby, pairwise

import pytest

from tests.test_steering import watched_run
from tests.trained import folders, quick_config
from workbench.core import network, pictures
from workbench.core.train import train
from workbench.events import EpochEnded, Event, Stage, Step, TaskEnded

PHASES = {
    "weights": "Loading the backbone",
    "pictures": "Reading",
    "first look": "Looking at",
    "kernel": "Measuring the NTK gap",
    "training": Step,
    "end of an epoch": EpochEnded,
    "prototypes": "Making prototypes",
    "testing": "Testing",
    "end of a task": TaskEnded,
}
PIECE = 3  # pictures


def is_in(phase: str, event: Event) -> bool:
    sign = PHASES[phase]
    if isinstance(sign, str):
        return isinstance(event, Stage) and event.text.startswith(sign)
    return isinstance(event, sign)


@pytest.mark.parametrize("phase", PHASES)
def test_nothing_is_asked_for_after_a_stop(tmp_path, monkeypatch, phase) -> None:
    monkeypatch.setattr(pictures, "PROGRESS_SECONDS", 0.0)  # told of at each picture
    asked: list[int] = []

    def stop(run) -> None:
        asked.append(engine.asked)
        run.stop()

    session, run, engine = watched_run(tmp_path, lambda event: is_in(phase, event), stop, epochs=1)
    assert run.work() == "stopped"
    assert asked == [engine.asked]
    session.close()


def test_whatever_looks_at_pictures_can_be_stopped_between_a_few_of_them(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(network.Network, "piece", PIECE)
    config = quick_config(folders(tmp_path / "pictures"))
    said = [event for event in train(config, tmp_path) if isinstance(event, Stage)]
    counted = [event for event in said if event.total and "into" not in event.text]
    looks = {text: list(stages) for text, stages in groupby(counted, lambda event: event.text)}
    for phase in ("first look", "kernel", "prototypes", "testing"):
        assert any(is_in(phase, stages[0]) for stages in looks.values()), phase
    for stages in looks.values():
        for one, next_one in pairwise(stages):
            assert next_one.done - one.done <= PIECE
        assert stages[-1].total - stages[-1].done <= PIECE
