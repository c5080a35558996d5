"""Answers on single pictures: kept while a run trains, and what is counted from them."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from safetensors.numpy import load_file

from tests.pictures import make_split_folders
from tests.test_train import config, of
from workbench.answers import (
    Answers,
    accuracy_row,
    answers_of,
    by_owner,
    class_scores,
    confusion,
    forgotten,
    joined,
    wilson,
    worst,
)
from workbench.core.answering import keep
from workbench.core.predict import predict
from workbench.core.train import train
from workbench.errors import WorkbenchError
from workbench.events import Answered, Evaluated, RunStarted
from workbench.report import Guess


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """Three tasks learnt, one class met again: (home, run folder, task folders, events)."""
    home = tmp_path_factory.mktemp("answers")
    folders = [
        make_split_folders(home / "p" / "warm", {"red": (8, 5), "orange": (8, 4)}),
        make_split_folders(home / "p" / "cold Ö 空格", {"blue": (8, 5), "green": (8, 3)}, seed=3),
        make_split_folders(home / "p" / "grey", {"grey": (6, 4), "black": (6, 6)}, seed=5),
    ]
    events = list(train(config(folders), home, home / "run"))
    return home, home / "run", folders, events


def history_of(learnt) -> list[Answers]:
    _, run, _, events = learnt
    return [answers_of(load_file(run / event.path)) for event in of(Answered, events)]


def test_the_accuracy_matrix_follows_from_the_answers_to_the_last_digit(learnt):
    rows, history = of(Evaluated, learnt[3]), history_of(learnt)
    owned = [set(task.class_ids) for task in of(RunStarted, learnt[3])[0].tasks]
    assert len(rows) == len(history) == 3
    for row, found in zip(rows, history, strict=True):
        assert accuracy_row(found) == row.accuracy
        for task, size in enumerate(row.sizes):
            of_task = found.task == task
            label = found.label[of_task]
            assert of_task.sum() == size
            assert np.mean(found.given_task[of_task] == label) == row.task_incremental[task]
            assert np.mean(found.baseline[of_task] == label) == row.baseline[task]
            inside = [int(answer) in owned[task] for answer in found.predicted[of_task]]
            assert np.mean(inside) == row.task_id[task]


def test_each_row_is_the_picture_that_its_path_names(learnt):
    _, run, folders, events = learnt
    infos, last = of(RunStarted, events)[0].tasks, history_of(learnt)[-1]
    for task, event in enumerate(of(Answered, events)):
        paths = json.loads((run / event.pictures).read_text())
        labels = last.label[last.task == task]
        assert len(paths) == len(labels) == sum(infos[task].test_counts)
        assert last.places[last.task == task].tolist() == list(range(len(paths)))
        for path, label in zip(paths, labels.tolist(), strict=True):
            assert (folders[task] / path).is_file()
            name = infos[task].class_names[infos[task].class_ids.index(label)]
            assert path.split("/") == ["test", name, path.split("/")[-1]]


def test_scores_are_what_the_saved_adapter_answers(learnt):
    home, run, folders, events = learnt
    last = history_of(learnt)[-1]
    order = [n for task in of(RunStarted, events)[0].tasks for n in task.class_names]
    paths = json.loads((run / of(Answered, events)[1].pictures).read_text())
    given_paths = [str(folders[1] / path) for path in paths]
    said = [g for g in predict(run / "adapter", given_paths, home) if isinstance(g, Guess)]
    rows = np.flatnonzero(last.task == 1)
    for row, guess in zip(rows, said, strict=True):
        assert guess.classes[0] == order[last.predicted[row]] == order[last.best[row][0]]
        assert guess.probabilities[0] == pytest.approx(last.score[row], abs=2e-4)
        true = guess.probabilities[guess.classes.index(order[last.label[row]])]
        assert true == pytest.approx(last.score_true[row], abs=2e-4)
        assert list(guess.probabilities[:5]) == pytest.approx(list(last.best_scores[row]), abs=2e-4)


def test_a_disk_that_takes_no_answers_ends_the_run_with_a_sentence(learnt, tmp_path):
    task = type("Task", (), {"test_paths": ("a.png",)})
    (tmp_path / "answers").write_text("a file where the folder should be")
    with pytest.raises(WorkbenchError, match=r"answers on the test pictures could not be written"):
        keep(tmp_path, 0, history_of(learnt)[0], task)


def made_up(rng: np.random.Generator, tasks: int, classes_each: int) -> list[Answers]:
    """Return answers after each of `tasks` tasks, by chance."""
    sizes = rng.integers(1, 6, tasks)
    labels = [
        rng.integers(t * classes_each, (t + 1) * classes_each, n) for t, n in enumerate(sizes)
    ]
    history = []
    for after in range(tasks):
        known = (after + 1) * classes_each
        label = np.concatenate(labels[: after + 1])
        predicted = np.where(
            rng.random(len(label)) < 0.6, label, rng.integers(0, known, len(label))
        )
        shares = rng.random((len(label), 2)).astype(np.float32)
        history.append(
            Answers(
                np.repeat(np.arange(after + 1), sizes[: after + 1]), label, predicted, predicted,
                predicted, shares[:, 0], shares[:, 1], predicted[:, None], shares[:, :1],
            )
        )  # fmt: skip
    return history


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 4))
def test_confusion_and_scores_equal_counting_one_by_one(seed, tasks, each):
    answers = made_up(np.random.default_rng(seed), tasks, each)[-1]
    classes = tasks * each
    pairs = list(zip(answers.label.tolist(), answers.predicted.tolist(), strict=True))
    counts = confusion(answers, classes)
    assert counts.tolist() == [
        [pairs.count((i, j)) for j in range(classes)] for i in range(classes)
    ]
    owner = [c // each for c in range(classes)]
    blocks = by_owner(counts, owner, tasks)
    assert blocks.tolist() == [
        [sum(i // each == a and j // each == b for i, j in pairs) for b in range(tasks)]
        for a in range(tasks)
    ]
    for score in class_scores(counts):
        true = [j for i, j in pairs if i == score.label]
        taken = [i for i, j in pairs if j == score.label]
        hits = sum(j == score.label for j in true)
        assert (score.pictures, score.answers, score.right) == (len(true), len(taken), hits)
        assert score.recall == (hits / len(true) if true else None)
        assert score.precision == (hits / len(taken) if taken else None)
        if score.recall and score.precision:
            mean = 2 / (1 / score.recall + 1 / score.precision)
            assert score.f1 == pytest.approx(mean, rel=1e-12)
        wrong = [j for j in true if j != score.label]
        assert (score.mistaken_for is None) == (not wrong)
        if wrong:
            assert wrong.count(score.mistaken_for) == max(map(wrong.count, wrong))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 3))
def test_what_was_forgotten_equals_following_every_picture(seed, tasks, each):
    history = made_up(np.random.default_rng(seed), tasks, each)
    found = forgotten(history)
    lost, recovered, kept = {}, 0, 0
    now = history[-1]
    for row in range(len(now)):
        own = int(now.task[row])
        course = [bool(h.predicted[row] == h.label[row]) for h in history[own:]]
        if not course[0]:
            continue
        if not course[-1]:
            lost[row] = own + course.index(False)
        else:
            kept += 1
            recovered += not all(course)
    assert dict(zip(found.rows.tolist(), found.lost_after.tolist(), strict=True)) == lost
    assert (found.recovered, found.kept) == (recovered, kept)


def test_worst_mistakes_are_the_wrong_ones_surest_first():
    answers = made_up(np.random.default_rng(4), 4, 3)[-1]
    rows = worst(answers).tolist()
    wrong = [i for i in range(len(answers)) if answers.predicted[i] != answers.label[i]]
    assert sorted(rows) == wrong
    assert [answers.score[i] for i in rows] == sorted(
        (answers.score[i] for i in wrong), reverse=True
    )


@pytest.mark.parametrize(("right", "total"), [(0, 7), (7, 7), (3, 9), (40, 41), (1, 1)])
def test_wilsons_interval_ends_where_the_share_seen_is_just_too_unlikely(right, total):
    low, high = wilson(right, total)
    z, seen = 1.959963984540054, right / total
    assert low <= seen + 1e-12
    assert high >= seen - 1e-12
    for end in (low, high):
        if 1e-9 < end < 1 - 1e-9:
            assert abs(seen - end) == pytest.approx(
                z * math.sqrt(end * (1 - end) / total), rel=1e-9
            )


def test_no_pictures_have_no_interval():
    assert wilson(0, 0) is None


def test_parts_with_fewer_classes_are_joined_with_room_to_spare():
    one, other = (
        made_up(np.random.default_rng(1), 1, 2)[0],
        made_up(np.random.default_rng(2), 1, 2)[0],
    )
    wide = Answers(**{**vars(other), "best": np.zeros((len(other), 3), np.int64),
                      "best_scores": np.zeros((len(other), 3), np.float32)})  # fmt: skip
    both = joined([one, wide])
    assert both.best.shape == (len(one) + len(other), 3)
    assert both.label.tolist() == [*one.label.tolist(), *other.label.tolist()]
