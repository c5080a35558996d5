"""Tasks that end early: as soon as a look shows old answers moved too far, not before, and with nothing else changed."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.pictures import make_task_folders
from tests.resumed import decided, small_config
from tests.tiny import tiny_learner, tiny_network
from tests.trained import of
from workbench.config import RunConfig, TaskFolder, with_values
from workbench.core.method import FirstSession
from workbench.core.stopping import is_due
from workbench.core.train import Training
from workbench.events import Answered, EpochEnded, Evaluated, Note, Stage, Step, TaskStarted
from workbench.face.record import record_of

FAST = {"train.learning_rate": 0.1, "train.epochs": 6, "train.batch_size": 4, "model.projection": 30,
        "monitor.probe_per_task": 0, "switches.early_stopping": "interplay"}  # fmt: skip
LIMIT = 0.05


def config_of(root, **values) -> RunConfig:
    return small_config(root / "pictures", **FAST | values)


def events_of(config, root, *, drop=()):
    return [e for e in Training(config, root).events() if not isinstance(e, drop)]


def told(events):
    """What a run says of itself, without what the clock paces, and without the sentences."""
    return of(Step, events), of(EpochEnded, events), of(Evaluated, events)


def early_notes(events) -> list[str]:
    return [e.text for e in of(Note, events) if "is to stay" in e.text]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("stopping")


@pytest.fixture(scope="module")
def whole(place):
    """The run that is trained for all its epochs."""
    return events_of(config_of(place, **{"switches.early_stopping": "off"}), place)


@pytest.fixture(scope="module")
def early(place):
    return events_of(config_of(place, **{"method.interplay_limit": LIMIT}), place)


def test_looks_come_after_2_4_8_steps():
    assert [n for n in range(70) if is_due(n)] == [2, 4, 8, 16, 32, 64]


@pytest.fixture(scope="module")
def unheld(place):
    """The run that looks, with a limit that nothing reaches."""
    return events_of(config_of(place, **{"method.interplay_limit": 100.0}), place)


def looks(events, text: str) -> int:
    """How many times the training pictures of the second task were looked at with such a text."""
    return sum(
        e.text == f"Looking at what 'second' {text}" and not e.done for e in of(Stage, events)
    )


def test_a_look_is_made_only_where_more_than_its_cost_is_left_to_be_trained(unheld, place):
    """Steps of 4 of 12 pictures at 8 passes each, 9 with the pretrained section; a look costs 4 a picture."""
    (begun,) = (e for e in of(TaskStarted, unheld) if e.task == 1)
    cost, step = 4 * 12, 9 * 4
    worth = [n for n in range(begun.steps) if is_due(n) and (begun.steps - n) * step > cost]
    assert looks(unheld, "changes") == 1 + len(worth)  # one before the first step
    last = config_of(place, **{"method.interplay_limit": 100.0, "train.max_steps": worth[-1]})
    assert looks(events_of(last, place), "changes") == len(worth)


def test_pictures_that_were_all_seen_before_the_task_are_not_seen_so_again_after_it(unheld):
    assert looks(unheld, "has changed") == 1


def test_looking_changes_no_number_of_a_run(place, whole, unheld):
    """With a limit that nothing reaches, every step, epoch and test is that of the run without looks, to the bit."""
    wide = {"method.interplay_limit": 100.0}
    off = events_of(config_of(place, **wide, **{"switches.early_stopping": "off"}), place)
    assert told(unheld) == told(off)
    assert len(of(Step, off)) == len(of(Step, whole))


def test_the_first_task_is_trained_for_all_its_epochs(early, whole):
    first, same = ([s for s in of(Step, events) if s.task == 0] for events in (early, whole))
    assert first == same


def test_a_later_task_ends_at_the_first_look_that_finds_old_answers_moved_too_far(place, early):
    """Against a second computation: the network copied at each step, averaged, its answers on the pictures compared."""
    config = config_of(place, **{"switches.early_stopping": "off"})
    training, far = Training(config, place), {}
    start = None
    for event in training.events():
        run = training._run
        if isinstance(event, TaskStarted) and event.task == 1:
            first, start = event.step, answers(run, run.network)
        if isinstance(event, Step) and event.task == 1 and start is not None:
            then = copy.deepcopy(run.network)
            then.average_into_copies(1)
            step = answers(run, then) - start
            spread = ((start - start.mean(0)) ** 2).sum()
            far[event.step + 1 - first] = np.sqrt((step**2).sum() / spread)
    steps = sum(s.task == 1 for s in of(Step, early))
    assert is_due(steps)
    assert far[steps] > LIMIT
    assert all(far[n] <= LIMIT for n in far if is_due(n) and n < steps)
    assert steps < len(far), "the task is to end early for this test to mean anything"
    note = early_notes(early)[0]
    assert note.startswith(f"Task 'second' was trained for {steps} of {len(far)} steps")
    assert f"{100 * far[steps]:.1f} %" in note
    assert "no more than 5 %" in note


def answers(run, network) -> np.ndarray:
    """Return old classes' logits on all training pictures of the second task, fewer than are looked at."""
    task, network = run.tasks.tasks[1], copy.deepcopy(network).eval()
    with torch.no_grad():
        main = network(run.feeder.plain(task.train), run.place.frozen).main
        logits = network.prototypes(main)
    return logits[:, list(run.tasks.tasks[0].info.class_ids)].double().numpy()


def test_steps_up_to_the_end_are_those_of_the_whole_run(early, whole):
    ended = [s for s in of(Step, early) if s.task == 1]
    assert ended == [s for s in of(Step, whole) if s.task == 1][: len(ended)]


def test_what_is_counted_adds_up_to_what_was_expected(place):
    training = Training(config_of(place, **{"method.interplay_limit": LIMIT}), place)
    pacers = [training._run.pacer for _ in training.events() if training._run is not None]
    assert pacers[-1]._done_steps == pacers[-1]._steps
    assert pacers[-1].done == pytest.approx(pacers[-1].passes, rel=1e-12)


def test_a_run_that_goes_on_from_any_step_ends_tasks_where_the_whole_one_did(
    place, early, tmp_path
):
    """Left after each step of the second task, and gone on with: the same events to the bit."""
    config = config_of(place, **{"method.interplay_limit": LIMIT})
    steps = [s.step for s in of(Step, early) if s.task == 1]
    for number, at in enumerate(steps):
        folder = tmp_path / str(number)
        training = Training(config, place, folder)
        for event in training.events():
            if isinstance(event, Step) and event.step == at:
                kept = training.keep()
                break
        rest = [*Training(config, place, folder, resume=folder / kept.path).events()]
        rest = [
            e for e in decided(rest) if not isinstance(e, Answered)
        ]  # the whole run kept no answers
        assert rest == decided(early)[-len(rest) :]
        assert len(of(Step, rest)) == sum(s.step > at for s in of(Step, early))


def test_more_epochs_train_on_a_last_task_that_had_ended_early(place, tmp_path):
    config = config_of(place, **{"method.interplay_limit": LIMIT})
    training = Training(config, place, tmp_path)
    last = len(config.data.tasks) - 1
    for event in training.events():
        if isinstance(event, EpochEnded) and training._run.place.over and event.task == last:
            kept = training.keep()
            break
    longer = with_values(config, {"train.epochs": 8, "method.interplay_limit": LIMIT})
    rest = [*Training(longer, place, tmp_path, resume=tmp_path / kept.path).events()]
    assert {s.epoch for s in of(Step, rest)} == {6, 7}


def test_methods_that_are_compared_with_are_never_ended_early():
    learner = tiny_learner(tiny_network())
    assert [learner.may_stop(task) for task in range(3)] == [False, True, True]
    other = FirstSession(
        learner.network, learner.method, learner.switches, learner.training, learner.chance
    )
    assert not any(other.may_stop(task) for task in range(3))
    assert [other.likely_length(task, (5, 4)).epochs for task in range(2)] == [
        other.training.epochs,
        0,
    ]


@pytest.mark.parametrize("at_once", [True, False])
def test_axes_have_no_gap_where_a_task_ended_early(early, at_once):
    """Live, with curves asked for after every event, as from the log."""
    record = record_of(early if at_once else [])
    for event in () if at_once else early:
        record.take([event])
        record.curve("loss.total", "task")
    starts = of(TaskStarted, early)
    done = [sum(s.task == t.task for s in of(Step, early)) / t.steps for t in starts]
    assert done[0] == 1 > max(done[1:])
    edges = np.cumsum([0, *(6 * share for share in done)])
    assert [x for x, _ in record.boundaries("epoch")] == pytest.approx(edges[:-1])
    assert record.place(early[-1].step, "epoch") == pytest.approx(edges[-1])
    assert record.place(early[-1].step, "task") == len(starts)
    last = [s.step for s in of(Step, early) if s.task == len(starts) - 1]
    drawn = [x for x in record.curve("loss.total", "task").x if x >= len(starts) - 1]
    assert drawn[-len(last) :] == pytest.approx(
        [len(starts) - 1 + n / len(last) for n in range(len(last))]
    )


def test_where_all_tasks_have_the_same_classes_there_is_nothing_to_stop_for(place):
    """Other classes' answers are none: all epochs are trained, and nothing is looked at for it."""
    folders = make_task_folders(place / "styles", {n: {"red": 6, "green": 6} for n in ("a", "b")})
    tasks = tuple(TaskFolder(folder.name, str(folder)) for folder in folders)
    base = config_of(place, **{"data.same_names": "same"})
    events = events_of(replace(base, data=replace(base.data, tasks=tasks)), place)
    starts = of(TaskStarted, events)
    assert [sum(s.task == t.task for s in of(Step, events)) for t in starts] == [
        t.steps for t in starts
    ]
    assert not [s.text for s in of(Stage, events) if s.text.endswith(" changes")]
