"""Pictures that go away under a run: it waits, is told where they are, or stops, and nothing is lost."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.engines import Working, session_of, wait_for
from tests.pictures import make_class_folders
from tests.resumed import small_config
from tests.test_resume_session import adapter_of, stopped_at, told, unmonitored
from workbench import cli, config as configs
from workbench.cli import lookout
from workbench.config import DataConfig, RunConfig, SeedConfig, TaskFolder, to_toml
from workbench.core import pictures
from workbench.core.away import PicturesAway
from workbench.core.tasks import TaskLoader, TaskSet, load_tasks
from workbench.core.train import Training
from workbench.errors import UsageError
from workbench.events import Blocked, Finished, Resumed, RunStarted, Stopped
from workbench.session import Session, work


def ended(steps: Any) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Session, RunConfig, str]]:
    """A run that nothing happened to."""
    root = tmp_path_factory.mktemp("plain")
    with closing(Session(root / "home", entry_points=False)) as session:
        config = unmonitored(root / "pictures")
        run = session.start(config)
        assert run.work() == "finished"
        yield session, config, run.id


def moved_to(config: RunConfig, root: Path) -> tuple[RunConfig, Path]:
    """Return the same run over copies of the pictures, and the folder of its second task."""
    tasks = []
    for task in config.data.tasks:
        shutil.copytree(task.path, root / task.name)
        tasks.append({"name": task.name, "path": str(root / task.name)})
    return configs.with_values(config, {"data.tasks": tasks}), root / config.data.tasks[1].name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("check again", "thread"), ("find it", "thread"), ("stop", "thread"), ("find it", "process"),
        pytest.param("check again", "process", marks=pytest.mark.long),
        pytest.param("stop", "process", marks=pytest.mark.long),
    ],
)  # fmt: skip
def test_a_run_whose_folder_is_gone_waits_and_goes_on_to_the_same_numbers(
    plain: tuple[Session, RunConfig, str], tmp_path: Path, kind: str, answer: str
) -> None:
    whole, config, first = plain
    config, folder = moved_to(config, tmp_path / "pictures")
    away = tmp_path / "elsewhere" / "Ö"
    with session_of(kind, tmp_path / "home") as session:
        run = session.start(config)
        away.parent.mkdir()
        folder.rename(away)
        working = Working(run)
        wait_for(lambda: run.state == "paused", "the pause")
        working._fresh()
        (said,) = [event for event in working.heard if isinstance(event, Blocked)]
        assert said == Blocked(
            f"The folder of task '{folder.name}' is no longer there ({folder}). "
            "Connect the drive, or say where the folder is now.",
            str(folder),
        )
        assert session.details(run.id).summary.state == "paused"
        if answer == "find it":
            run.find(str(folder), str(away))
        else:
            run.go_on()  # it is still not there
            wait_for(lambda: len([e for e in (working._fresh(), working.heard)[1] if isinstance(e, Blocked)]) == 2)  # fmt: skip
            wait_for(lambda: run.state == "paused", "the second pause")
            away.rename(folder)
            run.stop("task") if answer == "stop" else run.go_on()
        last = working.end()[-1]
        if answer == "stop":  # at once: there is no task whose end could be waited for
            assert isinstance(last, Stopped)
            assert session.details(run.id).summary.state == "stopped"
            run = session.resuming.resume(run.id)
            assert run.work() == "finished"
        else:
            assert isinstance(last, Finished)
        assert told(session, run.id) == told(whole, first)
        assert adapter_of(session, run.id) == adapter_of(whole, first)
        kept = configs.from_dict(session.details(run.id).config).data.tasks[1].path
        assert kept == str(away if answer == "find it" else folder)
        assert not list(session.pictures.changes(run.id))[-1][1].number


def test_a_folder_that_is_back_is_seen_without_being_asked(
    plain: tuple[Session, RunConfig, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "HEARTBEAT", 0.05)
    config, folder = moved_to(plain[1], tmp_path / "pictures")
    with session_of("thread", tmp_path / "home") as session:
        run = session.start(config)
        folder.rename(tmp_path / "away")
        working = Working(run)
        wait_for(lambda: run.state == "paused", "the pause")
        (tmp_path / "away").rename(folder)
        assert isinstance(working.end()[-1], Finished)
        assert any(isinstance(event, Resumed) for event in working.heard)


def test_once_the_pictures_are_read_their_folder_is_not_missed(
    plain: tuple[Session, RunConfig, str], tmp_path: Path
) -> None:
    whole, config, first = plain
    config, _ = moved_to(config, tmp_path / "pictures")
    with session_of("thread", tmp_path / "home") as session:
        run = session.start(config)
        take = run._take

        def listen(event: Any) -> None:
            take(event)
            if isinstance(event, RunStarted):
                shutil.rmtree(tmp_path / "pictures")

        run._take = listen  # type: ignore[method-assign]  # to do it at exactly this event
        assert run.work() == "finished"
        assert told(session, run.id) == told(whole, first)


def test_a_resumed_run_whose_folder_has_moved_is_told_where(
    plain: tuple[Session, RunConfig, str], tmp_path: Path
) -> None:
    whole, config, first = plain
    config, folder = moved_to(config, tmp_path / "pictures")
    with session_of("thread", tmp_path / "home") as session:
        run = stopped_at(session, config, 7)
        folder.rename(tmp_path / "new")
        assert session.resuming.gone(run.id) == str(folder)
        with pytest.raises(UsageError, match="is not there"):
            session.resuming.resume(run.id)
        with pytest.raises(UsageError, match="is no folder"):
            session.resuming.find(run.id, str(folder), str(tmp_path / "nowhere"))
        session.resuming.find(run.id, str(folder), str(tmp_path / "new"))
        assert session.resuming.gone(run.id) == ""
        resumed = session.resuming.resume(run.id)
        assert resumed.steps == 8
        assert resumed.work() == "finished"
        assert told(session, run.id) == told(whole, first)
        assert adapter_of(session, run.id) == adapter_of(whole, first)


@pytest.mark.parametrize("how", ["folder", "pictures"])
def test_pictures_that_go_away_while_they_are_read_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """In the middle of the second task: what was read stays, what failed is tried again."""
    config = small_config(tmp_path / "pictures")
    with ended(load_tasks(config.data, config.seeds)).cache as kept:
        assert len(kept) == 26
    whole = ended(load_tasks(config.data, config.seeds))
    second, away = tmp_path / "pictures" / "second", tmp_path / "away"
    place = second if how == "folder" else second / "one"
    original, seen, turn = pictures.read, [], count(1)

    def read(path: Any, *rest: Any) -> Any:
        seen.append(path)
        if next(turn) == 13:  # of several threads, one
            place.rename(away)
        return original(path, *rest)

    monkeypatch.setattr(pictures, "read", read)
    with closing(TaskLoader(config.data, config.seeds)) as loader:
        with pytest.raises(PicturesAway, match=r"no longer there|could not be read") as caught:
            ended(loader.load())
        assert caught.value.folder == str(second)
        with pytest.raises(PicturesAway):
            ended(loader.load())
        away.rename(place)
        seen.clear()
        found: TaskSet = ended(loader.load())
        assert not any("/first/" in str(path) for path in seen)
        assert [task.info for task in found.tasks] == [task.info for task in whole.tasks]
        assert found.contents == whole.contents
        for mine, its in zip(found.tasks, whole.tasks, strict=True):
            assert (mine.train == its.train).all()  # the same numbers: checkpoints speak of them
            assert (mine.test == its.test).all()
        assert len(found.cache) == len(whole.cache)
        for number in range(len(whole.cache)):
            assert (found.cache[number] == whole.cache[number]).all()
    whole.cache.close()


def test_a_folder_that_goes_away_while_it_is_listed_is_listed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owls = make_class_folders(tmp_path / "owls", {"tawny": 3, "barn": 3, "snowy": 3})
    from workbench.core import gather

    original = gather.list_task

    def listed(path: Path) -> Iterator[int]:
        owls.rename(tmp_path / "away")
        return original(path)

    monkeypatch.setattr(gather, "list_task", listed)
    data = DataConfig((TaskFolder("owls", str(owls)),))
    with closing(TaskLoader(data, SeedConfig())) as loader:
        with pytest.raises(PicturesAway, match="no longer there"):
            ended(loader.load())
        monkeypatch.setattr(gather, "list_task", original)
        (tmp_path / "away").rename(owls)
        assert ended(loader.load()).tasks[0].info.class_names == ("barn", "snowy", "tawny")


def test_without_anyone_to_look_for_it_the_training_ends_with_the_sentence(tmp_path: Path) -> None:
    config = small_config(tmp_path / "pictures")
    shutil.rmtree(tmp_path / "pictures" / "third")
    with pytest.raises(PicturesAway, match="The folder of task 'third' is no longer there"):
        list(Training(config, tmp_path, tmp_path / "run").events())


def test_the_command_line_says_so_looks_again_for_a_while_and_stops(
    plain: tuple[Session, RunConfig, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config, folder = moved_to(plain[1], tmp_path / "pictures")
    monkeypatch.setattr(lookout, "LOOK_AGAIN", 0.2)
    monkeypatch.setattr(lookout, "PATIENCE", 0.5)
    start = Session.start

    def started(self: Session, *given: Any, **more: Any) -> Any:
        run = start(self, *given, **more)
        folder.rename(tmp_path / "away")
        return run

    monkeypatch.setattr(Session, "start", started)
    file = tmp_path / "run.toml"
    file.write_text(to_toml(config), encoding="utf-8")
    home = ["--home", str(tmp_path / "home")]
    assert cli.main([*home, "run", str(file)]) == 3
    said = capsys.readouterr().err
    assert said.count("is no longer there") == 1
    assert "is looked at again" in said
    assert "goes on from there" in said
    assert cli.main([*home, "resume", "run-0001"]) == 2
    assert "is not there" in capsys.readouterr().err
    found = ["--found", str(folder), str(tmp_path / "away")]
    assert cli.main([*home, "resume", "run-0001", *found]) == 0
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        (run,) = session.runs()
        assert told(session, run.id) == told(plain[0], plain[2])
