import errno
import os
from pathlib import Path

import pytest

from tests.pictures import make_class_folders, make_split_folders, make_task_folders
from workbench.core.listing import Listing, list_task, natural, task_folders
from workbench.core.steps import result_of


def listed(path: Path) -> Listing:
    return result_of(list_task(path))


def counts(listing: Listing) -> dict[str, tuple[int, int]]:
    return {each.name: (len(each.train), len(each.test)) for each in listing.classes}


def kinds(listing: Listing) -> list[str]:
    return [problem.kind for problem in listing.problems]


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_class_folders_are_one_task(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 3, "barn": 2})
    assert task_folders(tmp_path / "owls") == (tmp_path / "owls",)
    listing = listed(tmp_path / "owls")
    assert counts(listing) == {"barn": (2, 0), "tawny": (3, 0)}
    assert listing.classes[0].train == ("barn/0000.png", "barn/0001.png")
    assert not listing.parts
    assert listing.problems == ()


@pytest.mark.parametrize("test_name", ["test", "val", "valid", "validation", "Test"])
def test_a_folder_with_train_and_test_brings_its_own_split(tmp_path: Path, test_name: str) -> None:
    make_split_folders(tmp_path / "owls", {"tawny": (3, 2), "barn": (1, 1)}, test_name=test_name)
    assert task_folders(tmp_path / "owls") == (tmp_path / "owls",)
    listing = listed(tmp_path / "owls")
    assert listing.parts == ("train", test_name)
    assert counts(listing) == {"barn": (1, 1), "tawny": (3, 2)}
    assert listing.classes[0].test == (f"{test_name}/barn/0000.png",)


def test_test_is_taken_before_val_and_val_is_named(tmp_path: Path) -> None:
    make_split_folders(tmp_path, {"tawny": (2, 1)})
    make_class_folders(tmp_path / "val", {"tawny": 4})
    listing = listed(tmp_path)
    assert counts(listing) == {"tawny": (2, 1)}
    assert kinds(listing) == ["unused_part"]
    assert "/val' is not used" in listing.problems[0].sentence


def test_a_class_may_miss_in_one_part(tmp_path: Path) -> None:
    make_split_folders(tmp_path, {"tawny": (2, 1)})
    make_class_folders(tmp_path / "train", {"barn": 2})
    assert counts(listed(tmp_path)) == {"barn": (2, 0), "tawny": (2, 1)}


def test_a_folder_of_tasks_is_taken_in_natural_order(tmp_path: Path) -> None:
    folders = make_task_folders(
        tmp_path, {name: {"a": 1, "b": 1} for name in ("1 owls", "2 gulls", "10 ducks")}
    )
    assert task_folders(tmp_path) == tuple(folders)


def test_a_folder_of_tasks_with_parts_is_recognised(tmp_path: Path) -> None:
    make_split_folders(tmp_path / "owls", {"tawny": (1, 1)})
    make_class_folders(tmp_path / "gulls", {"herring": 2})
    assert task_folders(tmp_path) == (tmp_path / "gulls", tmp_path / "owls")


def test_deeper_pictures_belong_to_the_class(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 1, "tawny/at night": 2, "barn": 1})
    assert task_folders(tmp_path / "owls") == (tmp_path / "owls",)
    assert counts(listed(tmp_path / "owls")) == {"barn": (1, 0), "tawny": (3, 0)}


def test_one_folder_inside_each_class_does_not_make_tasks(tmp_path: Path) -> None:
    make_class_folders(tmp_path, {"n01/images": 2, "n02/images": 2})
    assert task_folders(tmp_path) == (tmp_path,)
    assert counts(listed(tmp_path)) == {"n01": (2, 0), "n02": (2, 0)}


def test_pictures_without_folders_are_loose(tmp_path: Path) -> None:
    make_class_folders(tmp_path, {"finches": 3})
    listing = listed(tmp_path / "finches")
    assert listing.classes == ()
    assert listing.loose == ("0000.png", "0001.png", "0002.png")
    assert counts(listing.as_one_class()) == {"finches": (3, 0)}


def test_pictures_beside_class_folders_are_named_and_skipped(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 2, ".": 1})
    listing = listed(tmp_path / "owls")
    assert kinds(listing) == ["unused_part"]
    assert listing.problems[0].sentence == (
        "1 picture in 'owls' lies beside the folders and will be skipped: '0000.png'."
    )


def test_other_files_are_counted_once_for_a_class(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 2})
    for name in ("Thumbs.db", "notes.txt", "IMG_1.HEIC", "deep/x.pdf"):
        touch(tmp_path / "owls" / "tawny" / name)
    listing = listed(tmp_path / "owls")
    assert kinds(listing) == ["not_a_picture"]
    assert listing.problems[0].sentence == (
        "4 files in 'owls/tawny' are not pictures and will be skipped: "
        "'IMG_1.HEIC', 'Thumbs.db', 'notes.txt', …."
    )
    assert listing.problems[0].path == str(tmp_path / "owls" / "tawny")


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    make_class_folders(tmp_path, {"tawny": 2, ".cache": 2, "__MACOSX/tawny": 1})
    touch(tmp_path / "tawny" / "._0000.png")
    touch(tmp_path / ".DS_Store")
    listing = listed(tmp_path)
    assert counts(listing) == {"tawny": (2, 0)}
    assert listing.problems == ()


def test_names_in_any_script_spaces_and_great_length_are_kept(tmp_path: Path) -> None:
    names = ["Ö 空格", "sova 🦉", "a'b\"c", "x" * 200]
    make_class_folders(tmp_path, dict.fromkeys(names, 2))
    assert sorted(counts(listed(tmp_path))) == sorted(names)


@pytest.mark.skipif(os.name == "nt", reason="file names are Unicode there")
def test_a_name_that_is_not_text_is_named_and_skipped(tmp_path: Path) -> None:
    make_class_folders(tmp_path, {"tawny": 2})
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/tawny/\xff.png")).touch()
    listing = listed(tmp_path)
    assert counts(listing) == {"tawny": (2, 0)}
    assert kinds(listing) == ["unreadable"]
    assert (listing.problems[0].sentence + listing.problems[0].path).encode()


def test_link_loops_are_named_once_and_left(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 2, "tawny/deep": 1})
    (tmp_path / "owls" / "tawny" / "deep" / "round").symlink_to(tmp_path / "owls" / "tawny")
    (tmp_path / "owls" / "up").symlink_to(tmp_path)
    (tmp_path / "owls" / "tawny" / "self").symlink_to(tmp_path / "owls" / "tawny" / "self")
    listing = listed(tmp_path / "owls")
    assert counts(listing) == {"tawny": (3, 0), "up": (0, 0)}
    assert kinds(listing) == ["link_loop"] * 3
    assert "'owls/tawny/deep/round'" in " ".join(each.sentence for each in listing.problems)
    assert task_folders(tmp_path / "owls") == (tmp_path / "owls",)


def test_links_to_class_folders_elsewhere_are_followed(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "store", {"tawny": 2})
    (tmp_path / "owls").mkdir()
    (tmp_path / "owls" / "tawny").symlink_to(tmp_path / "store" / "tawny")
    assert counts(listed(tmp_path / "owls")) == {"tawny": (2, 0)}


def test_a_dangling_link_stays_in_the_list_for_the_reader_to_name(tmp_path: Path) -> None:
    make_class_folders(tmp_path, {"tawny": 1})
    (tmp_path / "tawny" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert counts(listed(tmp_path)) == {"tawny": (2, 0)}


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "no_permission", "no permission"),
        (FileNotFoundError(errno.ENOENT, "No such file"), "vanished", "no longer there"),
        (OSError(errno.ENAMETOOLONG, "File name too long"), "too_long", "path too long"),
        (OSError(errno.EIO, None), "unreadable", "no reason"),
    ],
)
def test_a_folder_that_cannot_be_entered_is_named_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, kind: str, words: str
) -> None:
    make_class_folders(tmp_path / "owls", {"tawny": 2, "barn": 2})
    scandir = os.scandir

    def guarded(path):
        if Path(path).name == "barn":
            raise error
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert task_folders(tmp_path / "owls") == (tmp_path / "owls",)
    listing = listed(tmp_path / "owls")
    assert counts(listing) == {"barn": (0, 0), "tawny": (2, 0)}
    assert kinds(listing) == [kind]
    assert "'owls/barn'" in listing.problems[0].sentence
    assert words in listing.problems[0].sentence


def test_a_missing_folder_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    assert task_folders(tmp_path / "none") == (tmp_path / "none",)
    assert kinds(listed(tmp_path / "none")) == ["vanished"]


def test_listing_tells_how_many_pictures_it_found(tmp_path: Path) -> None:
    make_class_folders(tmp_path, {"a": 2, "b": 3, "b/c": 4})
    assert list(list_task(tmp_path)) == [2, 5, 9]


def test_numbers_in_names_sort_by_value() -> None:
    names = ["10", "2", "a10b", "a2b", "B", "a", "٣", "2a", ""]
    ordered = sorted(names, key=natural)
    assert ordered.index("2") < ordered.index("10")
    assert ordered.index("a2b") < ordered.index("a10b")
    assert ordered[0] == ""
