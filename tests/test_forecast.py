"""Forecasts of real small runs: made, kept in the log, told, and scored by what a later run measured."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from tests.pictures import make_class_folders
from tests.trained import folders, quick_config, trained_session
from workbench import config as configs
from workbench.config import RunConfig, TaskFolder
from workbench.core.hindsight import cosine, rank, score
from workbench.errors import UsageError, WorkbenchError
from workbench.events import (
    Event,
    Finished,
    Measured,
    Note,
    RunStarted,
    Snapshot,
    Stage,
    TaskEnded,
    TaskInfo,
)
from workbench.log.store import Log
from workbench.paths import LOG_NAME, run_folder
from workbench.report import ClassForecast, Forecast, TaskForecast
from workbench.session import Session


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Session, str, Path]]:
    root = tmp_path_factory.mktemp("learnt")
    session, run_id = trained_session(root / "home", root / "pictures")
    with closing(session):
        yield session, run_id, root / "pictures"


def gulls(root: Path, **classes: int) -> TaskFolder:
    made = make_class_folders(root / "gulls", classes or {"white": 8, "black": 8}, seed=5)
    return TaskFolder("gulls", str(made))


def made_of(session: Session, run: str, folder: TaskFolder) -> Forecast:
    found = None
    for found in session.forecast(run, folder):
        assert isinstance(found, (Stage, Note, Forecast))
    assert isinstance(found, Forecast)
    return found


def test_a_forecast_ranks_old_tasks_and_classes_and_is_kept(
    learnt: tuple[Session, str, Path], tmp_path: Path
) -> None:
    session, run, _ = learnt
    made = made_of(session, run, gulls(tmp_path))
    assert made.run == run
    assert made.reason == ""
    assert made.new_classes == ("black", "white")
    assert sorted(task.name for task in made.tasks) == ["finches", "Ö 空格"]
    for kind in (made.tasks, made.classes):
        sizes = [item.planned for item in kind]
        assert None not in sizes
        assert sizes == sorted(sizes, reverse=True)
        assert all(item.ridge is not None and item.ridge > 0 for item in kind)
    assert {item.name for item in made.classes} == {"red", "green", "grey", "blue"}
    for task in made.tasks:
        assert task.accuracy_now is not None
        assert task.accuracy_competing is not None
        assert task.accuracy_competing <= task.accuracy_now
        assert task.test_pictures > 0
    assert made.steps == 3  # twelve pictures, batches of four, one epoch
    assert f"'{made.tasks[0].name}' most" in made.sentence
    (kept,) = session.forecasts(run)
    assert kept.forecast == made
    assert kept.score is None
    assert "no later run has learnt" in kept.reason
    assert session.details(run).forecasts[0]["candidate"]["name"] == "gulls"


def test_the_same_forecast_comes_out_twice(
    learnt: tuple[Session, str, Path], tmp_path: Path
) -> None:
    session, run, _ = learnt
    folder = gulls(tmp_path)
    assert made_of(session, run, folder) == made_of(session, run, folder)


def test_few_pictures_are_all_taken_and_that_is_said(
    learnt: tuple[Session, str, Path], tmp_path: Path
) -> None:
    session, run, _ = learnt
    made = made_of(session, run, gulls(tmp_path, white=3, black=3))
    assert made.pictures == 4  # one of each class is kept for testing
    assert any("4 training pictures, fewer than the probe's 32" in note for note in made.notes)
    assert made.tasks[0].planned is not None


@pytest.mark.parametrize(
    ("classes", "reason"),
    [({"white": 8}, "with one class"), ({"white": 2, "black": 2}, "2 training pictures for 2")],
)
def test_a_candidate_that_allows_no_forecast_gives_a_reason_and_no_number(
    learnt: tuple[Session, str, Path], tmp_path: Path, classes: dict[str, int], reason: str
) -> None:
    session, run, _ = learnt
    before = session.forecasts(run)
    made = made_of(session, run, gulls(tmp_path, **classes))
    assert reason in made.reason
    assert made.tasks == made.classes == ()
    assert reason in made.sentence
    assert session.forecasts(run) == before


def test_pictures_that_are_all_the_same_give_a_reason(
    learnt: tuple[Session, str, Path], tmp_path: Path
) -> None:
    session, run, _ = learnt
    for name in ("white", "black"):
        (tmp_path / "same" / name).mkdir(parents=True)
        for number in range(4):
            pixels = np.full((24, 24, 3), 90, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "same" / name / f"{number}.png")
    made = made_of(session, run, TaskFolder("same", str(tmp_path / "same")))
    assert "look the same to the network" in made.reason


def test_an_old_task_that_is_gone_or_changed_is_left_out_with_its_reason(tmp_path: Path) -> None:
    session, run = trained_session(tmp_path / "home", tmp_path / "pictures")
    with closing(session):
        shutil.move(tmp_path / "pictures" / "finches", tmp_path / "away")
        made = made_of(session, run, gulls(tmp_path))
        first, last = made.tasks
        assert (first.name, first.reason) == ("Ö 空格", "")
        assert last.planned is last.accuracy_now is None
        assert "no longer there" in last.reason
        assert {item.task for item in made.classes} == {"Ö 空格"}
        shutil.rmtree(tmp_path / "pictures" / "Ö 空格" / "blue")
        made = made_of(session, run, gulls(tmp_path))
        assert all(task.reason for task in made.tasks)
        assert any("2 then, 1 now" in task.reason for task in made.tasks)
        assert made.sentence.startswith("Nothing can be forecast")


def test_a_picture_that_vanished_is_only_a_picture_less(tmp_path: Path) -> None:
    session, run = trained_session(tmp_path / "home", tmp_path / "pictures")
    with closing(session):
        next((tmp_path / "pictures" / "finches" / "red").iterdir()).unlink()
        made = made_of(session, run, gulls(tmp_path))
        assert all(task.planned is not None for task in made.tasks)


def test_a_run_of_one_branch_says_why_it_has_no_closed_form(tmp_path: Path) -> None:
    config = configs.with_values(quick_config(folders(tmp_path / "p")), {"model.branches": "s1"})
    with closing(Session(tmp_path / "home")) as session:
        run = session.start(config)
        assert run.work() == "finished"
        assert "only one branch" in made_of(session, run.id, gulls(tmp_path)).reason
        with pytest.raises(UsageError, match="only one branch"):
            list(session.order(config))


def test_what_cannot_be_asked_is_a_sentence(
    learnt: tuple[Session, str, Path], tmp_path: Path
) -> None:
    session, run, pictures = learnt
    with pytest.raises(UsageError, match=r"has learnt .* already, as task 'finches'"):
        made_of(session, run, TaskFolder("again", str(pictures / "finches")))
    with pytest.raises(WorkbenchError, match="no longer there"):
        made_of(session, run, TaskFolder("nowhere", str(tmp_path / "nowhere")))
    idle = session.start(quick_config(folders(tmp_path / "p")))
    with pytest.raises(UsageError, match="still training"):
        made_of(session, idle.id, gulls(tmp_path))


def test_it_can_be_left_between_any_two_pieces(
    learnt: tuple[Session, str, Path], tmp_path: Path
) -> None:
    session, run, _ = learnt
    folder = gulls(tmp_path)
    count = sum(1 for _ in session.forecast(run, folder))
    kept = len(session.forecasts(run))
    for stop in range(1, count, 3):
        items = session.forecast(run, folder)
        for _ in range(stop):
            next(items)
        items.close()  # type: ignore[attr-defined]
    assert len(session.forecasts(run)) == kept


def later_run(
    session: Session, base: str, config: RunConfig, measured: bool = True, name: str = "later"
) -> str:
    """Enter a run that learns the base's tasks and then one more, as training would have logged it."""
    details = session.details(base)
    infos = [
        TaskInfo(
            t["name"], tuple(t["classes"]), tuple(t["class_ids"]),
            tuple(t["counts"]["train"]), tuple(t["counts"]["test"]), t["fingerprint"],
        )
        for t in details.tasks
    ]  # fmt: skip
    infos.append(TaskInfo("gulls", ("black", "white"), (4, 5), (6, 6), (2, 2), "f"))
    run = session.start(replace(config, name=name))
    events: list[Event] = [
        RunStarted(tuple(infos), {}, config.model.backbone, "ab", 9, 9, "cpu", "closed")
    ]
    if measured:
        folder = run_folder(session.home, run.id)
        save_file(
            {"classes": np.arange(4), "drift_settled": np.array([0.4, 0.3, 0.2, 0.1])},
            folder / "kernel.safetensors",
        )
        events += [Measured("ntk.disturbance_settled", 2, 0, 9, d, other=i) for i, d in enumerate((0.5, 0.1))]  # fmt: skip
        events.append(Snapshot(2, 0, 9, "kernel.safetensors", "by hand"))
    with Log(session.home / LOG_NAME) as log:
        log.write(run.id, [(1.0, event) for event in (*events, TaskEnded(2, 9), Finished(9))])
    return run.id


def test_a_forecast_is_scored_by_the_run_that_learns_it(tmp_path: Path) -> None:
    session, base = trained_session(tmp_path / "home", tmp_path / "pictures")
    with closing(session):
        folder = gulls(tmp_path)
        made = made_of(session, base, folder)
        config = configs.from_dict(session.details(base).config)
        first, second = config.data.tasks
        swapped = replace(config, data=replace(config.data, tasks=(first, folder, second)))
        unlike = session.start(replace(swapped, name="unlike"))
        with Log(session.home / LOG_NAME) as log:
            infos = [TaskInfo(n, c, (0, 1), (6, 6), (2, 2), "") for n, c in (("finches", ("green", "red")), ("gulls", ("black", "white")))]  # fmt: skip
            log.write(unlike.id, [(1.0, RunStarted(tuple(infos), {}, "b", "", 9, 9, "cpu", "closed"))])  # fmt: skip
        assert "but not right after the same tasks" in session.forecasts(base)[0].reason
        longer = replace(config, data=replace(config.data, tasks=(first, second, folder)))
        run = later_run(session, base, longer, measured=False)
        assert "measured no movement" in session.forecasts(base)[0].reason
        with Log(session.home / LOG_NAME) as log:
            found = [Measured("ntk.disturbance_settled", 2, 0, 9, d, other=i) for i, d in enumerate((0.5, 0.1))]  # fmt: skip
            log.write(run, [(1.0, event) for event in found])
        (kept,) = session.forecasts(base)
        assert kept.score is not None
        assert kept.score.run == run
        assert kept.score.worst == "finches"
        assert kept.score.task_rank is None  # two tasks have no order worth a correlation
        assert kept.score.task_cosine is not None
        assert kept.score.class_rank is None
        assert any(reason.startswith("task_rank") for reason in kept.score.reasons)
        assert kept.forecast == made
        assert session.details(base).forecasts[0]["score"]["worst"] == "finches"


def test_classes_are_scored_from_the_later_runs_arrays_and_other_settings_are_named(
    tmp_path: Path,
) -> None:
    session, base = trained_session(tmp_path / "home", tmp_path / "pictures")
    with closing(session):
        folder = gulls(tmp_path)
        made = made_of(session, base, folder)
        config = configs.from_dict(session.details(base).config)
        longer = replace(config, data=replace(config.data, tasks=(*config.data.tasks, folder)))
        assert session.score_forecasts() == []
        assert session.unscored() == [base]
        later_run(session, base, configs.with_values(longer, {"train.learning_rate": 0.5}))
        (scored,) = session.score_forecasts()
        assert session.unscored() == session.score_forecasts() == []
        (kept,) = session.forecasts(base)
        assert kept == scored
        assert kept.score is not None
        by_id = {item.class_id: item.planned for item in made.classes}
        wanted = rank([(by_id[i], m) for i, m in enumerate((0.4, 0.3, 0.2, 0.1))])
        assert kept.score.class_rank == wanted.value
        assert kept.score.class_cosine is not None
        assert any("train.learning_rate" in reason for reason in kept.score.reasons)


def test_a_run_begun_before_the_forecast_does_not_score_it(tmp_path: Path) -> None:
    session, base = trained_session(tmp_path / "home", tmp_path / "pictures")
    with closing(session):
        folder = gulls(tmp_path)
        config = configs.from_dict(session.details(base).config)
        longer = replace(config, data=replace(config.data, tasks=(*config.data.tasks, folder)))
        later_run(session, base, longer)
        made_of(session, base, folder)
        assert "no later run" in session.forecasts(base)[0].reason


def test_a_later_run_of_another_version_is_passed_over(tmp_path: Path) -> None:
    session, base = trained_session(tmp_path / "home", tmp_path / "pictures")
    with closing(session):
        folder = gulls(tmp_path)
        made_of(session, base, folder)
        config = configs.from_dict(session.details(base).config)
        longer = replace(config, data=replace(config.data, tasks=(*config.data.tasks, folder)))
        run = later_run(session, base, longer)
        with session.log() as log, log.change() as db:
            db.execute(
                "UPDATE run SET config = json_set(config, '$.train.unheard_of', 1) WHERE id = ?",
                [run],
            )
        assert "no later run" in session.forecasts(base)[0].reason


def test_scores_are_correlations_of_what_is_known() -> None:
    tasks = tuple(TaskForecast(i, str(i), p, r) for i, (p, r) in enumerate([(3.0, 1.0), (2.0, 2.0), (1.0, 3.0), (None, 9.0)]))  # fmt: skip
    classes = tuple(ClassForecast(i, str(i), "t", float(i), None, None) for i in range(3))
    made = Forecast("r", TaskFolder("gulls", "/g"), (), tasks, classes)
    found = score(made, {0: 0.3, 1: 0.2, 2: 0.1, 3: 0.0}, {0: 0.1, 1: 0.1, 2: 0.5})
    assert found.task_rank == pytest.approx(1.0)
    assert found.task_rank_ridge == pytest.approx(-1.0)
    assert found.task_cosine == pytest.approx(1.0)
    assert found.worst == "0"
    assert found.class_rank == pytest.approx(np.sqrt(3) / 2)
    assert found.class_rank_ridge is None
    assert cosine([]).value is None
