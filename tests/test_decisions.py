import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pictures import make_class_folders, make_split_folders, make_task_folders
from workbench.config import DataConfig, RunConfig, SeedConfig, TaskFolder, from_dict, to_dict
from workbench.core.decisions import leave_out, marked, moved, take_classes, twice
from workbench.core.manifest import changes_since, read_manifest, same_contents, write_manifest
from workbench.core.merging import merge
from workbench.core.scan import scan
from workbench.core.split import split_report
from workbench.core.steps import result_of
from workbench.core.tasks import TaskSet, load_tasks
from workbench.errors import UsageError
from workbench.report import PictureChanges, ScanReport, TaskReport

SHARE = 0.2


def scanned(*paths: Path) -> tuple[TaskReport, ...]:
    *_, report = scan([str(path) for path in paths], workers=2)
    assert isinstance(report, ScanReport)
    return report.tasks


def trained_on(reports: Sequence[TaskReport]) -> TaskSet:
    """Load the reports' folders as a run does, after a way through TOML's plain values."""
    config = RunConfig(data=DataConfig(tuple(report.folder for report in reports)))
    found = result_of(load_tasks(from_dict(to_dict(config)).data, SeedConfig()))
    found.cache.close()
    return found


def agree(report: TaskReport) -> None:
    """Check that what the report counts is what a run trains and tests on."""
    info = trained_on([report]).tasks[0].info
    said = {each.name: (each.train, each.test) for each in report.classes}
    counts = zip(info.train_counts, info.test_counts, strict=True)
    assert said == dict(zip(info.class_names, counts, strict=True))


def test_a_picture_left_out_is_not_trained_on_and_can_be_taken_back(tmp_path: Path) -> None:
    (owls,) = scanned(make_class_folders(tmp_path / "owls", {"tawny": 10, "barn": 6}))
    less = leave_out(owls, ["tawny/0001.png", "barn/0000.png"], SHARE)
    assert [(c.name, c.train, c.test) for c in less.classes] == [("barn", 4, 1), ("tawny", 7, 2)]
    used = trained_on([less]).contents[0][1]
    assert used["tawny/0001.png"] == used["barn/0000.png"] == ""
    assert sum(bool(sha) for sha in used.values()) == 14
    agree(less)
    assert leave_out(less, [], SHARE) == owls


def test_unreadable_pictures_stay_left_out_whatever_is_chosen(tmp_path: Path) -> None:
    folder = make_class_folders(tmp_path / "owls", {"tawny": 4, "barn": 4})
    (folder / "barn" / "bad.png").write_text("no picture")
    (owls,) = scanned(folder)
    assert leave_out(owls, [], SHARE).folder.left_out == ("barn/bad.png",)
    both = leave_out(owls, ["tawny/0000.png"], SHARE)
    assert both.folder.left_out == ("barn/bad.png", "tawny/0000.png")
    agree(both)


def test_a_class_that_keeps_one_picture_is_set_aside_with_the_reason(tmp_path: Path) -> None:
    (owls,) = scanned(make_class_folders(tmp_path / "owls", {"tawny": 3, "barn": 4}))
    less = leave_out(owls, ["tawny/0000.png", "tawny/0001.png"], SHARE)
    assert [each.name for each in less.classes] == ["barn"]
    assert [each.name for each in less.spare] == ["tawny"]
    assert [p.sentence for p in less.problems] == [
        "'owls/tawny' has 1 picture. At least 2 are needed (1 to learn, 1 to test)."
    ]
    agree(less)


def test_a_class_left_out_is_not_learnt_and_can_be_taken_back(tmp_path: Path) -> None:
    (owls,) = scanned(make_class_folders(tmp_path / "owls", {"tawny": 3, "barn": 4, "snowy": 5}))
    less = take_classes(owls, ["snowy", "barn"], SHARE)
    assert less.folder.classes == ("barn", "snowy")
    assert [each.name for each in less.spare] == ["tawny"]
    agree(less)
    again = take_classes(less, ["snowy", "barn", "tawny"], SHARE)
    assert {each.name for each in again.classes} == {"barn", "snowy", "tawny"}
    agree(again)


def test_a_folders_own_test_part_is_counted_apart(tmp_path: Path) -> None:
    folder = make_split_folders(tmp_path / "owls", {"tawny": (5, 4), "barn": (3, 2)})
    (owls,) = scanned(folder)
    less = leave_out(owls, ["train/tawny/0000.png", "test/barn/0001.png"], SHARE)
    assert {c.name: (c.train, c.test) for c in less.classes} == {"tawny": (4, 4), "barn": (3, 1)}
    agree(less)


def test_merged_tasks_are_one_task_over_both_folders(tmp_path: Path) -> None:
    two = scanned(
        *make_task_folders(tmp_path, {"town": {"crow": 5, "swift": 4}, "farm": {"hen": 6}})
    )
    one = merge(two, (), SHARE)
    assert one.folder.name == "town + farm"
    assert [each.name for each in one.classes] == ["crow", "swift", "hen"]
    assert "../farm/hen/0000.png" in one.hashes
    agree(one)
    less = leave_out(one, ["../farm/hen/0000.png", "crow/0001.png"], SHARE)
    assert sum(c.train + c.test for c in less.classes) == 13
    agree(less)


def test_a_class_name_in_both_merged_tasks_is_one_class_or_two(tmp_path: Path) -> None:
    folders = make_task_folders(
        tmp_path, {"town": {"sparrow": 5, "crow": 4}, "farm": {"sparrow": 6, "hen": 3}}
    )
    two = scanned(*folders)
    same = merge(two, (), SHARE)
    assert [(c.name, c.train + c.test) for c in same.classes] == [
        ("crow", 4), ("sparrow", 11), ("hen", 3),
    ]  # fmt: skip
    agree(same)
    different = merge(two, ("sparrow",), SHARE)
    assert [c.name for c in different.classes] == ["crow", "sparrow", "hen", "sparrow (farm)"]
    agree(different)
    less = take_classes(different, ["crow", "hen", "sparrow"], SHARE)
    assert less.folder.also[0].classes == ("hen",)
    agree(less)
    alone = take_classes(different, ["crow"], SHARE)
    assert alone.folder.also == ()
    agree(alone)
    with pytest.raises(UsageError, match=r"No class of .* would be left in task"):
        take_classes(different, ["hen"], SHARE)


def test_three_tasks_merge_and_keep_what_was_left_out(tmp_path: Path) -> None:
    tasks = {name: {f"{name} {i}": 4 for i in range(2)} for name in ("a", "b", "c")}
    three = list(scanned(*make_task_folders(tmp_path, tasks)))
    three[2] = leave_out(three[2], ["c 0/0000.png"], SHARE)
    one = merge([merge(three[:2], (), SHARE), three[2]], (), SHARE)
    assert one.folder.left_out == ("../c/c 0/0000.png",)
    assert sum(c.train + c.test for c in one.classes) == 23
    agree(one)


def test_parts_of_one_folder_merge_back_into_it(tmp_path: Path) -> None:
    (birds,) = scanned(make_class_folders(tmp_path / "birds", dict.fromkeys("abcd", 4)))
    parts = split_report(birds, 2, 2, 0)
    whole = merge(parts, (), SHARE)
    assert whole.folder.also == ()
    assert set(whole.folder.classes) == set("abcd")
    assert whole.hashes == birds.hashes
    agree(whole)


def test_a_folder_of_one_class_can_be_merged(tmp_path: Path) -> None:
    make_class_folders(tmp_path, {"finches": 5})
    from workbench.core.scan import answer_one_class

    (loose,) = scanned(tmp_path / "finches")
    (owls,) = scanned(make_class_folders(tmp_path / "owls", {"tawny": 4}))
    one = merge([owls, answer_one_class(loose)], (), SHARE)
    assert [(c.name, c.train, c.test) for c in one.classes] == [("tawny", 3, 1), ("finches", 4, 1)]
    agree(one)


def ids(reports: Sequence[TaskReport]) -> dict[str, int]:
    infos = [task.info for task in trained_on(reports).tasks]
    return {
        f"{info.name}/{name.split(' (')[0]}": number
        for info in infos
        for name, number in zip(info.class_names, info.class_ids, strict=True)
    }


def test_same_and_different_hold_in_every_order_of_the_tasks(tmp_path: Path) -> None:
    folders = make_task_folders(
        tmp_path,
        {"a": {"sparrow": 3, "x": 2}, "b": {"sparrow": 3, "y": 2}, "c": {"sparrow": 3, "z": 2}},
    )
    tasks = scanned(*folders)
    tasks = marked(tasks, 1, ("sparrow",), ())
    tasks = marked(tasks, 2, (), ("sparrow",))
    for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
        numbers = ids([tasks[place] for place in order])
        assert numbers["a/sparrow"] == numbers["b/sparrow"], order
        assert numbers["c/sparrow"] != numbers["a/sparrow"], order
        assert len(set(numbers.values())) == 5
    back = marked(tasks, 2, ("sparrow",), ())
    numbers = ids(back)
    assert numbers["a/sparrow"] == numbers["b/sparrow"] == numbers["c/sparrow"]


def test_an_answer_takes_the_question_off_the_report(tmp_path: Path) -> None:
    tasks = scanned(*make_task_folders(tmp_path, {"a": {"s": 3, "t": 3}, "b": {"s": 3, "t": 3}}))
    assert [p.kind for p in tasks[1].problems] == ["same_name", "same_name"]
    answered = marked(tasks, 1, ("s",), ("t",))
    assert answered[1].problems == ()
    assert answered[0].folder.same_classes == answered[1].folder.same_classes == ("s",)


def test_copies_are_found_so_that_one_of_each_is_learnt(tmp_path: Path) -> None:
    folder = make_class_folders(tmp_path / "owls", {"tawny": 4, "barn": 4})
    shutil.copy(folder / "barn/0000.png", folder / "barn/copy.png")
    shutil.copy(folder / "barn/0000.png", folder / "tawny/copy.png")
    (owls,) = scanned(folder)
    assert twice(owls) == ["barn/copy.png", "tawny/copy.png"]
    assert twice(leave_out(owls, twice(owls), SHARE)) == []
    split = make_split_folders(tmp_path / "gulls", {"a": (4, 3), "b": (4, 3)})
    shutil.copy(split / "train/a/0000.png", split / "test/a/copy.png")
    (gulls,) = scanned(split)
    assert twice(gulls) == ["test/a/copy.png"]


def test_a_task_found_elsewhere_keeps_its_answers(tmp_path: Path) -> None:
    (owls,) = scanned(make_class_folders(tmp_path / "owls", {"tawny": 5, "barn": 5, "eagle": 4}))
    less = leave_out(take_classes(owls, ["tawny", "barn"], SHARE), ["barn/0000.png"], SHARE)
    less = replace(less, folder=replace(less.folder, name="night", same_classes=("barn",)))
    (tmp_path / "owls").rename(tmp_path / "Ö 空格")
    (after,) = scanned(tmp_path / "Ö 空格")
    assert same_contents("night", less.hashes, after.hashes) == PictureChanges("night")
    found = moved(less, after, SHARE)
    assert found.folder == replace(less.folder, path=str(tmp_path / "Ö 空格"))
    agree(found)
    shutil.rmtree(tmp_path / "Ö 空格" / "tawny")
    (other,) = scanned(tmp_path / "Ö 空格")
    with pytest.raises(UsageError, match="there is no class 'tawny' in it"):
        moved(less, other, SHARE)


def last(
    folders: Sequence[TaskFolder], known: Sequence[dict[str, str]]
) -> tuple[PictureChanges, ...]:
    *_, answer = changes_since(folders, known)
    assert isinstance(answer, tuple)
    return answer


def test_changed_missing_and_new_pictures_are_told_apart(tmp_path: Path) -> None:
    owls = make_class_folders(tmp_path / "owls", {"tawny": 5, "barn": 5})
    gulls = make_class_folders(tmp_path / "gulls", {"herring": 4})
    (tmp_path / "run").mkdir()
    reports = scanned(owls, gulls)
    write_manifest(tmp_path / "run", trained_on(reports).contents)
    known = read_manifest(tmp_path / "run")
    folders = [report.folder for report in reports]
    assert last(folders, known) == (PictureChanges("owls"), PictureChanges("gulls"))
    shutil.copy(owls / "tawny/0001.png", owls / "tawny/0000.png")
    (owls / "barn/0003.png").unlink()
    shutil.copy(owls / "tawny/0001.png", owls / "barn/new.png")
    shutil.rmtree(gulls)
    changed, gone = last(folders, known)
    assert changed == PictureChanges(
        "owls", ("tawny/0000.png",), ("barn/0003.png",), ("barn/new.png",)
    )
    assert changed.number == 3
    assert gone == PictureChanges("gulls", gone=str(gulls))


def test_what_a_run_did_not_use_is_not_new_afterwards(tmp_path: Path) -> None:
    owls = make_class_folders(tmp_path / "owls", {"tawny": 9, "barn": 9})
    (owls / "barn" / "bad.png").write_text("no picture")
    (report,) = scanned(owls)
    data = DataConfig((leave_out(report, ["tawny/0000.png"], SHARE).folder,), train_per_class=2)
    found = result_of(load_tasks(data, SeedConfig()))
    found.cache.close()
    contents = found.contents
    assert sum(bool(sha) for sha in contents[0][1].values()) == 8
    assert last(data.tasks, [contents[0][1]]) == (PictureChanges("owls"),)
