import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.pictures import make_class_folders, make_split_folders, make_task_folders
from workbench.core import pictures
from workbench.core.scan import answer_one_class, scan
from workbench.core.split import split_report
from workbench.errors import UsageError
from workbench.report import ScanProgress, ScanReport, TaskReport


def scanned(*paths: Path, accepted: tuple[TaskReport, ...] = ()) -> ScanReport:
    *progress, report = scan([str(path) for path in paths], accepted, workers=2)
    assert all(isinstance(each, ScanProgress) for each in progress)
    assert isinstance(report, ScanReport)
    return report


def counts(task: TaskReport) -> dict[str, tuple[int, int]]:
    return {each.name: (each.train, each.test) for each in task.classes}


def sentences(report: ScanReport | TaskReport, kind: str) -> list[str]:
    return [each.sentence for each in report.problems if each.kind == kind]


def kinds(report: ScanReport | TaskReport) -> list[str]:
    return sorted(each.kind for each in report.problems)


def test_class_folders_are_one_task_with_a_fifth_for_testing(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 10, "barn": 3})
    report = scanned(tmp_path / "owls")
    (task,) = report.tasks
    assert counts(task) == {"barn": (2, 1), "tawny": (8, 2)}
    assert task.folder.name == "owls"
    assert task.folder.path == str(tmp_path / "owls")
    assert task.folder.classes == ("barn", "tawny")
    assert task.usable
    assert not task.has_split
    assert len(task.hashes) == 13
    assert task.problems == ()
    assert report.problems == ()


def test_a_folders_own_split_is_kept(tmp_path: Path) -> None:
    make_split_folders(tmp_path / "owls", {"tawny": (5, 4), "barn": (2, 1)}, test_name="val")
    (task,) = scanned(tmp_path / "owls").tasks
    assert task.has_split
    assert counts(task) == {"barn": (2, 1), "tawny": (5, 4)}


def test_several_folders_and_a_folder_of_tasks_become_tasks_in_order(tmp_path: Path) -> None:
    make_task_folders(
        tmp_path / "all", {name: {"a" + name: 2, "b" + name: 2} for name in ("10", "2")}
    )
    make_class_folders(tmp_path / "owls", {"tawny": 2})
    report = scanned(tmp_path / "owls", tmp_path / "all")
    assert [task.folder.name for task in report.tasks] == ["owls", "2", "10"]
    assert report.problems == ()


def test_pictures_without_folders_raise_a_question(tmp_path: Path) -> None:
    make_class_folders(tmp_path, {"finches": 5})
    (task,) = scanned(tmp_path / "finches").tasks
    assert task.question == "one_class"
    assert not task.usable
    assert sentences(task, "no_classes") == [
        "'finches' holds 5 pictures but no sub-folders. "
        "Use it as one class, or choose the folder above?"
    ]
    answered = answer_one_class(task)
    assert answered.usable
    assert answered.folder.one_class
    assert counts(answered) == {"finches": (4, 1)}
    assert answered.problems == ()
    assert answer_one_class(answered) == answered


def test_every_damaged_file_is_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    owls = make_class_folders(tmp_path / "owls", {"tawny": 5, "Ö 空格": 4})
    (owls / "tawny" / "empty.png").touch()
    (owls / "tawny" / "text.png").write_text("no")
    Image.new("RGB", (99, 99)).save(owls / "tawny" / "cut.jpg")
    cut = (owls / "tawny" / "cut.jpg").read_bytes()
    (owls / "tawny" / "cut.jpg").write_bytes(cut[:-300])
    (owls / "Ö 空格" / "gone.png").symlink_to(tmp_path / "nowhere")
    (owls / "tawny" / "notes.txt").touch()
    (task,) = scanned(owls).tasks
    assert counts(task) == {"tawny": (4, 1), "Ö 空格": (3, 1)}
    assert kinds(task) == ["empty_file", "not_a_picture", "not_a_picture", "unreadable", "vanished"]
    assert task.folder.left_out == (
        "tawny/cut.jpg", "tawny/empty.png", "tawny/text.png", "Ö 空格/gone.png",
    )  # fmt: skip
    said = " ".join(each.sentence for each in task.problems)
    for name in ("owls/tawny/empty.png", "owls/tawny/text.png", "owls/tawny/cut.jpg"):
        assert f"'{name}'" in said
    assert {each.path for each in task.problems} >= {str(owls / "tawny" / "cut.jpg")}


def test_classes_with_too_few_pictures_are_left_out(tmp_path: Path) -> None:
    owls = make_class_folders(tmp_path / "owls", {"tawny": 1, "barn": 2, "bad": 2})
    (owls / "bad" / "0000.png").write_text("no")
    (owls / "empty").mkdir()
    (task,) = scanned(owls).tasks
    assert counts(task) == {"barn": (1, 1)}
    assert sentences(task, "too_few") == [
        "'owls/bad' has 1 picture. At least 2 are needed (1 to learn, 1 to test).",
        "'owls/tawny' has 1 picture. At least 2 are needed (1 to learn, 1 to test).",
    ]
    assert sentences(task, "empty_class") == ["'owls/empty' has no pictures. It will be left out."]
    assert task.folder.classes == ("barn",)


def test_a_class_missing_in_the_test_part_is_left_out(tmp_path: Path) -> None:
    make_split_folders(tmp_path / "owls", {"tawny": (2, 1)})
    make_class_folders(tmp_path / "owls" / "train", {"barn": 2})
    (task,) = scanned(tmp_path / "owls").tasks
    assert counts(task) == {"tawny": (2, 1)}
    assert sentences(task, "too_few") == [
        "'owls/barn' has no readable picture in 'test'. It will be left out."
    ]


def test_one_class_with_one_picture_cannot_be_used(tmp_path: Path) -> None:
    make_class_folders(tmp_path, {"finches": 1})
    (task,) = scanned(tmp_path / "finches").tasks
    assert not answer_one_class(task).usable
    assert sentences(task, "too_few")[0].startswith("'finches' has 1 picture.")


def test_nothing_readable_is_said_and_makes_no_task(tmp_path: Path) -> None:
    (tmp_path / "docs" / "letters").mkdir(parents=True)
    (tmp_path / "docs" / "letters" / "a.txt").touch()
    make_class_folders(tmp_path / "bad", {"x": 1})
    (tmp_path / "bad" / "x" / "0000.png").write_text("no")
    (tmp_path / "void").mkdir()
    report = scanned(tmp_path / "docs", tmp_path / "bad", tmp_path / "void")
    assert report.tasks == ()
    assert sentences(report, "no_pictures") == [
        "No pictures in 'docs'. Looked for PNG, JPEG, WebP, BMP, TIFF, GIF.",
        "None of the 1 picture in 'bad' can be read.",
        "No pictures in 'void'. Looked for PNG, JPEG, WebP, BMP, TIFF, GIF.",
    ]


def test_what_is_not_a_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    make_class_folders(tmp_path, {"owls": 2})
    (tmp_path / "notes.txt").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    report = scanned(
        tmp_path / "owls" / "0000.png", tmp_path / "notes.txt", tmp_path / "none", tmp_path / "loop"
    )
    assert report.tasks == ()
    assert [each.kind for each in report.problems] == [
        "not_a_folder", "not_a_folder", "vanished", "link_loop",
    ]  # fmt: skip
    assert report.problems[0].sentence == (
        "Only folders on this computer can be added. "
        "'0000.png' is a single picture: drop it on Try it."
    )
    assert sentences(scanned(Path("https://a.b/c")), "vanished")
    report = list(scan(["", "\0"]))[-1]
    assert isinstance(report, ScanReport)
    assert kinds(report) == ["not_a_folder", "vanished"]


def test_a_folder_without_permission_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 2, "barn": 2})
    scandir = os.scandir

    def guarded(path):
        if Path(path).name in {"barn", "secret"}:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    (task,) = scanned(tmp_path / "owls").tasks
    assert counts(task) == {"tawny": (1, 1)}
    assert kinds(task) == ["no_permission"]
    assert kinds(scanned(tmp_path / "secret")) == ["no_permission"]


def test_the_same_picture_in_train_and_test_is_reported(tmp_path: Path) -> None:
    owls = make_split_folders(tmp_path / "owls", {"tawny": (3, 2)})
    shutil.copy(owls / "train/tawny/0000.png", owls / "test/tawny/copy.png")
    (task,) = scanned(owls).tasks
    (said,) = sentences(task, "duplicate_test")
    assert said.startswith("1 test picture of 'owls' is in the training part as well.")
    assert "copy.png" in said


def test_copies_within_a_folder_that_is_yet_to_be_split_are_reported(tmp_path: Path) -> None:
    owls = make_class_folders(tmp_path / "owls", {"tawny": 3, "barn": 2})
    shutil.copy(owls / "tawny/0000.png", owls / "barn/x.png")
    shutil.copy(owls / "tawny/0000.png", owls / "tawny/y.png")
    (task,) = scanned(owls).tasks
    (said,) = sentences(task, "duplicate_test")
    assert said.startswith("2 pictures of 'owls' are copies of others")


def test_shared_pictures_and_class_names_of_other_tasks_are_reported(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "finches", {"sparrow": 3, "siskin": 2})
    make_class_folders(tmp_path / "gulls", {"herring": 3, "sparrow": 2}, seed=1)
    shutil.copy(tmp_path / "finches/siskin/0000.png", tmp_path / "gulls/herring/x.png")
    together = scanned(tmp_path / "finches", tmp_path / "gulls").tasks
    (first,) = scanned(tmp_path / "finches").tasks
    (later,) = scanned(tmp_path / "gulls", accepted=(first,)).tasks
    assert together[1] == later
    assert together[0].problems == ()
    assert sentences(later, "same_name") == [
        "'sparrow' also appears in task 1. "
        "Same class (it will be learnt further) or a different one?"
    ]
    assert sentences(later, "duplicate_task")[0].startswith(
        "1 picture of 'gulls' is also in task 'finches'."
    )


def test_the_same_folder_twice_is_named_and_scanned_once(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "finches", {"sparrow": 3})
    (tmp_path / "link").symlink_to(tmp_path / "finches")
    first = scanned(tmp_path / "finches", tmp_path / "link")
    assert len(first.tasks) == 1
    assert sentences(first, "same_folder") == [
        "'link' was given twice, as 'finches' too. It is looked at once."
    ]
    again = scanned(tmp_path / "finches", accepted=first.tasks)
    assert again.tasks == ()
    assert sentences(again, "same_folder") == ["'finches' is already task 1."]


def test_tasks_of_the_same_name_are_numbered(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "a" / "owls", {"x": 2})
    make_class_folders(tmp_path / "b" / "owls", {"y": 2})
    report = scanned(tmp_path / "a" / "owls", tmp_path / "b" / "owls")
    assert [task.folder.name for task in report.tasks] == ["owls", "owls (2)"]


def test_a_folder_that_vanishes_during_the_scan_is_named_once(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 60, "barn": 60})
    make_class_folders(tmp_path / "gulls", {"herring": 2})
    scanning = scan([str(tmp_path / "owls"), str(tmp_path / "gulls")], workers=1)
    reads = 0
    original = pictures.read

    def read(*arguments):
        nonlocal reads
        reads += 1
        if reads == 20:
            shutil.rmtree(tmp_path / "owls")
        return original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "read", read)
        report = list(scanning)[-1]
    assert isinstance(report, ScanReport)
    owls, gulls = report.tasks
    assert kinds(owls) == ["vanished"]
    assert "Connect the drive" in owls.problems[0].sentence
    assert owls.classes == ()
    assert owls.folder.left_out == ()
    assert counts(gulls) == {"herring": (1, 1)}


def test_progress_comes_often_enough_and_counts_to_the_end(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 450}, size=4)
    *progress, _ = scan([str(tmp_path / "owls")])
    assert len(progress) >= 3
    done = [each.done for each in progress if isinstance(each, ScanProgress)]
    assert done == sorted(done)
    last = progress[-1]
    assert isinstance(last, ScanProgress)
    assert last.done == last.total == 450


def test_closing_cancels_and_leaves_no_thread(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 600}, size=4)
    scanning = scan([str(tmp_path / "owls")], workers=2)
    next(each for each in scanning if isinstance(each, ScanProgress) and each.done)
    start = time.monotonic()
    scanning.close()
    assert time.monotonic() - start < 1
    assert not [each for each in threading.enumerate() if each.name.startswith("pictures")]


def test_a_report_is_split_with_all_that_belongs_to_its_classes(tmp_path: Path) -> None:
    owls = make_class_folders(tmp_path / "owls", dict.fromkeys("abcde", 3))
    (owls / "a" / "bad.png").write_text("no")
    (owls / "e" / "bad.png").write_text("no")
    (owls / "f").mkdir()
    (task,) = scanned(owls).tasks
    parts = split_report(task, 2, 2, 0)
    assert [len(part.classes) for part in parts] == [2, 2, 1]
    assert [part.folder.name for part in parts] == ["owls 1", "owls 2", "owls 3"]
    assert sum(len(part.hashes) for part in parts) == len(task.hashes) == 15
    assert sorted(p for part in parts for p in part.folder.left_out) == ["a/bad.png", "e/bad.png"]
    assert sum(len(part.problems) for part in parts) == len(task.problems) == 3
    for part in parts:
        assert set(part.folder.classes) == {each.name for each in part.classes}
        assert all(path.split("/")[0] in part.folder.classes for path in part.hashes)
    assert parts == split_report(task, 2, 2, 0)
    with pytest.raises(UsageError, match="is not possible with 5 classes"):
        split_report(task, 6, 1, 0)


def test_a_report_with_its_own_parts_is_split_by_class_as_well(tmp_path: Path) -> None:
    make_split_folders(tmp_path / "owls", dict.fromkeys("abc", (2, 1)))
    (task,) = scanned(tmp_path / "owls").tasks
    parts = split_report(task, 2, 1, 0)
    assert [len(part.hashes) for part in parts] == [6, 3]
