import os
import shutil
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pictures import make_class_folders, make_picture, make_split_folders
from workbench.config import DataConfig, SeedConfig, TaskFolder
from workbench.core import pictures, tasks as tasks_module
from workbench.core.naming import number_classes
from workbench.core.scan import scan
from workbench.core.tasks import TaskSet, expand, load_tasks
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Note
from workbench.report import ScanReport


def finished(steps: Generator[Any, None, TaskSet]) -> tuple[TaskSet, list[str]]:
    notes = []
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return end.value, notes
        if isinstance(event, Note):
            assert event.level == "warning"
            notes.append(event.text)


def loaded(data: DataConfig, **seeds: int) -> tuple[TaskSet, list[str]]:
    return finished(load_tasks(data, SeedConfig(**seeds)))


def folders(*paths: Path, **more: Any) -> DataConfig:
    return DataConfig(tuple(TaskFolder(path.name, str(path)) for path in paths), **more)


def test_tasks_are_loaded_split_and_labelled(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 10, "barn": 5})
    make_class_folders(tmp_path / "gulls", {"herring": 4})
    result, notes = loaded(folders(tmp_path / "owls", tmp_path / "gulls"))
    assert notes == []
    with result.cache as cache:
        owls, gulls = result.tasks
        assert owls.info.name == "owls"
        assert owls.info.class_names == ("barn", "tawny")
        assert owls.info.class_ids == (0, 1)
        assert owls.info.train_counts == (4, 8)
        assert owls.info.test_counts == (1, 2)
        assert owls.train_labels.tolist() == [0] * 4 + [1] * 8
        assert owls.test_labels.tolist() == [0, 1, 1]
        assert gulls.info.class_ids == (2,)
        assert gulls.train_labels.tolist() == [2] * 3
        every = np.concatenate([owls.train, owls.test, gulls.train, gulls.test])
        assert sorted(every) == list(range(len(cache))) == list(range(19))
        barn = {make_picture("barn", number).tobytes() for number in range(5)}
        got = {cache[index].tobytes() for index in (*owls.train[:4], owls.test[0])}
        assert got == barn


def test_the_folders_own_split_is_used(tmp_path: Path) -> None:
    make_split_folders(tmp_path / "owls", {"tawny": (3, 2), "barn": (1, 4)})
    result, _ = loaded(folders(tmp_path / "owls"))
    with result.cache:
        assert result.tasks[0].info.train_counts == (1, 3)
        assert result.tasks[0].info.test_counts == (4, 2)


def test_with_validation_parts_no_picture_of_the_test_part_is_read(tmp_path: Path) -> None:
    make_split_folders(tmp_path / "owls", {"tawny": (6, 4), "barn": (5, 3)})
    for path in (tmp_path / "owls" / "test").rglob("*.png"):
        path.write_bytes(b"not to be read")
    result, notes = loaded(folders(tmp_path / "owls", folds=3, fold=2))
    assert notes == []
    with result.cache as cache:
        assert len(cache) == 11
        (owls,) = result.tasks
        assert owls.info.test_counts == (2, 2)
        assert owls.info.train_counts == (3, 4)
        assert all(path.startswith("train/") for path in owls.test_paths)


def as_values(result: TaskSet) -> list[Any]:
    with result.cache as cache:
        values: list[Any] = [cache[index].tobytes() for index in range(len(cache))]
        for task in result.tasks:
            values += [task.info, task.train.tolist(), task.test.tolist()]
    return values


def test_loading_twice_gives_the_same_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 30, "barn": 20})
    first = as_values(loaded(folders(tmp_path / "owls"))[0])
    monkeypatch.setattr(pictures.os, "cpu_count", lambda: 1)
    assert as_values(loaded(folders(tmp_path / "owls", cache_megabytes=1))[0]) == first
    assert as_values(loaded(folders(tmp_path / "owls"), split=1)[0]) != first


def test_the_fingerprint_follows_contents_and_not_the_place(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "a" / "owls", {"tawny": 4})
    shutil.copytree(tmp_path / "a", tmp_path / "b")

    def fingerprint(folder: str) -> str:
        result, _ = loaded(folders(tmp_path / folder / "owls"))
        with result.cache:
            return result.tasks[0].info.fingerprint

    assert fingerprint("a") == fingerprint("b")
    shutil.copy(tmp_path / "b/owls/tawny/0000.png", tmp_path / "b/owls/tawny/0001.png")
    assert fingerprint("a") != fingerprint("b")


@pytest.mark.parametrize(
    ("limits", "train", "test"),
    [
        ({"train_per_class": 4}, (4, 4), (1, 4)),
        ({"test_per_class": 3}, (4, 16), (1, 3)),
        ({"train_per_class": 4, "test_per_class": 3}, (4, 4), (1, 3)),
    ],
)
def test_a_limit_holds_for_its_own_part_alone(tmp_path: Path, limits, train, test) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 20, "barn": 5})
    result, _ = loaded(folders(tmp_path / "owls", **limits))
    with result.cache as cache:
        assert result.tasks[0].info.train_counts == train
        assert result.tasks[0].info.test_counts == test
        assert len(cache) == sum(train) + sum(test)  # what is not used is not decoded


Harm = Callable[[Path], object]
HARMS: dict[str, Harm] = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:60]),
    "emptied": lambda path: path.write_bytes(b""),
    "replaced": lambda path: path.write_text("no"),
    "a folder now": lambda path: (path.unlink(), path.mkdir()),
    "a link to nothing": lambda path: (path.unlink(), path.symlink_to(path.parent / "gone")),
}


def harmed_while_read(monkeypatch: pytest.MonkeyPatch, victims: Sequence[Path], harm: Harm) -> None:
    """Do harm to the files when the first picture is read: after the scan, and after the listing."""
    original, left = pictures.read, list(victims)
    lock = threading.Lock()

    def read(*arguments: Any) -> Any:
        with lock:
            while left:
                harm(left.pop())
        return original(*arguments)

    monkeypatch.setattr(pictures, "read", read)


@pytest.mark.parametrize("how", [*HARMS, "deleted", "closed"])
def test_a_picture_that_becomes_unreadable_after_the_scan_is_named_and_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "closed" and os.geteuid() == 0:
        pytest.skip("root reads everything")
    harms = HARMS | {"deleted": Path.unlink, "closed": lambda path: path.chmod(0)}
    owls = make_class_folders(tmp_path / "owls", {"tawny": 9, "barn": 3})
    report = list(scan([str(owls)]))[-1]
    assert isinstance(report, ScanReport)
    harmed_while_read(monkeypatch, [owls / "tawny" / "0005.png"], harms[how])
    result, notes = loaded(DataConfig((report.tasks[0].folder,)))
    with result.cache:
        assert result.tasks[0].info.train_counts == (2, 6)
        assert result.tasks[0].info.test_counts == (1, 2)
    assert notes == ["1 picture could not be read and was skipped: owls/tawny/0005.png."]


def test_up_to_one_in_a_hundred_pictures_are_skipped_and_more_end_the_run(tmp_path: Path) -> None:
    owls = make_class_folders(tmp_path / "owls", {"tawny": 200, "barn": 100}, size=4)
    bad = sorted((owls / "tawny").iterdir())[:14]
    for path in bad[:3]:
        path.write_text("no")
    result, notes = loaded(folders(owls))
    with result.cache as cache:
        assert len(cache) == 297
    (note,) = notes
    assert note == (
        "3 pictures could not be read and were skipped: "
        "owls/tawny/0000.png, owls/tawny/0001.png, owls/tawny/0002.png."
    )
    for path in bad[3:]:
        path.write_text("no")
    said = failure(folders(owls))
    assert said.startswith(
        "14 of the 300 pictures of task 'owls' could not be read, more than 1 %: "
    )
    assert said.count("owls/tawny/") == 10
    assert "and 4 more. Repair them, or add the folder again" in said
    report = list(scan([str(owls)]))[-1]  # what the sentence advises
    assert isinstance(report, ScanReport)
    result, notes = loaded(DataConfig((report.tasks[0].folder,)))
    result.cache.close()
    assert notes == []


def test_one_picture_of_few_never_ends_a_run(tmp_path: Path) -> None:
    owls = make_class_folders(tmp_path / "owls", {"tawny": 3, "barn": 3})
    (owls / "tawny" / "0000.png").write_text("no")
    result, notes = loaded(folders(owls))
    result.cache.close()
    assert notes == ["1 picture could not be read and was skipped: owls/tawny/0000.png."]
    (owls / "barn" / "0000.png").write_text("no")
    assert failure(folders(owls)).startswith("2 of the 6 pictures of task 'owls' could not be read")


def test_what_a_scan_reported_is_what_is_loaded(tmp_path: Path) -> None:
    owls = make_class_folders(tmp_path / "owls", {"tawny": 13, "barn": 6, "snowy": 1, "Ö 空格": 4})
    (owls / "tawny" / "bad.png").write_text("no")
    (owls / "barn" / "0000.png").write_text("no")
    report = list(scan([str(owls)]))[-1]
    assert isinstance(report, ScanReport)
    (task,) = report.tasks
    result, notes = loaded(DataConfig((task.folder,)))
    assert notes == []
    with result.cache:
        info = result.tasks[0].info
        got = list(zip(info.class_names, info.train_counts, info.test_counts, strict=True))
        assert got == [(each.name, each.train, each.test) for each in task.classes]


def test_a_class_with_one_picture_is_left_out_with_a_note(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 3, "barn": 1})
    result, notes = loaded(folders(tmp_path / "owls"))
    with result.cache:
        assert result.tasks[0].info.class_names == ("tawny",)
    assert notes == [
        "Task 'owls': left out the class 'barn'; "
        "at least 2 readable pictures are needed (1 to learn, 1 to test)."
    ]


def test_a_class_missing_in_the_test_part_is_left_out_with_a_note(tmp_path: Path) -> None:
    make_split_folders(tmp_path / "owls", {"tawny": (3, 1)})
    make_class_folders(tmp_path / "owls" / "train", {"barn": 2})
    result, notes = loaded(folders(tmp_path / "owls"))
    with result.cache:
        assert result.tasks[0].info.class_names == ("tawny",)
    assert "left out the class 'barn'; each part needs" in notes[0]


def failure(data: DataConfig) -> str:
    with pytest.raises(WorkbenchError) as caught:
        loaded(data)
    return str(caught.value)


def test_a_chosen_class_with_too_few_left_stops_the_run(tmp_path: Path) -> None:
    owls = make_class_folders(tmp_path / "owls", {"tawny": 3, "barn": 2})
    (owls / "barn" / "0001.png").write_text("no")
    said = failure(DataConfig((TaskFolder("night", str(owls), classes=("tawny", "barn")),)))
    assert said.startswith("Class 'barn' of task 'night' has too few pictures left")


def test_what_cannot_be_loaded_is_said_in_a_sentence(tmp_path: Path) -> None:
    owls = make_class_folders(tmp_path / "owls", {"tawny": 3})
    (tmp_path / "void").mkdir()
    gone = failure(folders(tmp_path / "gone"))
    assert gone.startswith("The folder of task 'gone' is no longer there (")
    assert str(tmp_path / "gone") in gone
    assert "no class that can be learnt" in failure(folders(tmp_path / "void"))
    absent = failure(DataConfig((TaskFolder("owls", str(owls), classes=("eagle",)),)))
    assert "there is no class folder 'eagle'" in absent
    assert "one_class" in failure(folders(owls / "tawny"))
    assert "no tasks" in failure(DataConfig())


def test_a_folder_that_vanishes_while_loading_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owls = make_class_folders(tmp_path / "owls", {"tawny": 30})
    original = pictures.read

    def read(*arguments: Any) -> Any:
        shutil.rmtree(owls, ignore_errors=True)
        return original(*arguments)

    monkeypatch.setattr(pictures, "read", read)
    assert "no longer there" in failure(folders(owls))


def test_pictures_without_folders_are_one_class_if_so_chosen(tmp_path: Path) -> None:
    make_class_folders(tmp_path, {"finches": 5})
    folder = TaskFolder("small birds", str(tmp_path / "finches"), one_class=True)
    result, _ = loaded(DataConfig((folder,)))
    with result.cache:
        info = result.tasks[0].info
        assert (info.name, info.class_names) == ("small birds", ("finches",))
        assert info.train_counts == (4,)


def test_left_out_pictures_are_not_touched(tmp_path: Path) -> None:
    owls = make_class_folders(tmp_path / "owls", {"tawny": 5})
    (owls / "tawny" / "0000.png").write_text("no")
    folder = TaskFolder("owls", str(owls), left_out=("tawny/0000.png",))
    result, notes = loaded(DataConfig((folder,)))
    with result.cache:
        assert notes == []
        assert result.tasks[0].info.train_counts == (3,)


def test_one_folder_is_split_into_tasks_by_class(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "birds", dict.fromkeys("abcdefg", 3) | {"lonely": 1})
    data = folders(tmp_path / "birds", first_classes=3, increment=2)
    spread = expand(data, SeedConfig())
    assert [len(task.classes) for task in spread.tasks] == [3, 2, 2]
    assert [task.name for task in spread.tasks] == ["birds 1", "birds 2", "birds 3"]
    assert expand(spread, SeedConfig()) == spread
    assert expand(data, SeedConfig(class_order=1)) != spread
    result, notes = loaded(data)
    with result.cache:
        assert notes == []
        assert [task.info.class_names for task in result.tasks] == [t.classes for t in spread.tasks]
        assert [task.info.class_ids for task in result.tasks] == [(0, 1, 2), (3, 4), (5, 6)]


def test_a_split_that_is_not_asked_for_or_not_possible(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "birds", dict.fromkeys("abc", 3))
    data = folders(tmp_path / "birds")
    assert expand(data, SeedConfig()) == data
    two = folders(tmp_path / "birds", tmp_path, first_classes=1, increment=1)
    assert expand(two, SeedConfig()) == two
    even = expand(replace(data, increment=1), SeedConfig())
    assert [len(task.classes) for task in even.tasks] == [1, 1, 1]
    with pytest.raises(UsageError, match="is not possible with 3 classes"):
        expand(replace(data, first_classes=4, increment=1), SeedConfig())


def test_a_class_name_in_two_tasks_is_two_classes_or_one_learnt_further(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "finches", {"sparrow": 2, "siskin": 2})
    make_class_folders(tmp_path / "gulls", {"sparrow": 3, "herring": 2}, seed=1)
    data = folders(tmp_path / "finches", tmp_path / "gulls")

    def numbered(data: DataConfig) -> list[dict[str, int]]:
        result, _ = loaded(data)
        with result.cache:
            infos = [task.info for task in result.tasks]
            labels = [sorted(set(task.train_labels.tolist())) for task in result.tasks]
        assert labels == [sorted(info.class_ids) for info in infos]
        return [dict(zip(i.class_names, i.class_ids, strict=True)) for i in infos]

    assert numbered(data) == [
        {"siskin": 0, "sparrow (finches)": 1},
        {"herring": 2, "sparrow (gulls)": 3},
    ]
    same = [{"siskin": 0, "sparrow": 1}, {"herring": 2, "sparrow": 1}]
    assert numbered(replace(data, same_names="same")) == same
    chosen = replace(data.tasks[1], same_classes=("sparrow",))
    assert numbered(replace(data, tasks=(data.tasks[0], chosen))) == same


def test_shown_names_never_clash() -> None:
    numbering = number_classes(
        [
            ("t", ("a", "a (t)"), (), ()),
            ("t", ("a",), (), ()),
            ("u", ("a",), ("a",), ()),
            ("t", ("a",), (), ()),
        ]
    )
    assert numbering.ids == ((0, 1), (2,), (2,), (3,))
    assert len(set(numbering.shown)) == 4
    assert numbering.shown == ("a (t, 2)", "a (t)", "a (t, 3)", "a (t, 4)")


def test_closing_the_loading_joins_threads_and_closes_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    class Watched(tasks_module.PictureCache):
        def __init__(self, limit: int) -> None:
            super().__init__(0, tmp_path)
            made.append(self)

    monkeypatch.setattr(tasks_module, "PictureCache", Watched)
    make_class_folders(tmp_path / "owls", {"tawny": 700}, size=4)
    steps = load_tasks(folders(tmp_path / "owls"), SeedConfig())
    next(event for event in steps if not isinstance(event, Note) and event.text.startswith("Read"))
    assert len(made[0]) > 0
    steps.close()
    assert len(made[0]) == 0
    assert not [each for each in threading.enumerate() if each.name.startswith("pictures")]
