"""Look at dropped folders before anything is accepted: every picture is decoded, every oddity named.

A scan is a generator: progress first, the report last; closing it cancels within a picture.
"""

import errno
import os
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from workbench.core.cloud import to_fetch
from workbench.core.findings import Found, compared_with, report_on
from workbench.core.listing import Listing, beside_tasks, list_task, task_folders
from workbench.core.pictures import Cadence, PictureError, is_picture_name, read_all
from workbench.core.steps import retold
from workbench.core.walk import name_of
from workbench.report import Problem, ScanProgress, ScanReport, TaskReport

SCAN_SIDE = 64  # enough to know that a picture decodes to its end


def scan(
    paths: Sequence[str],
    accepted: Sequence[TaskReport] = (),
    *,
    workers: int | None = None,
    test_share: float = 0.2,
    fetch: bool = True,
) -> Generator[ScanProgress | ScanReport, None, None]:
    """Scan folders; the last item is the ScanReport.

    Args:
        accepted: reports of tasks already there, which the new ones are compared with.
        workers: threads that decode; None takes what the computer has, eight at most.
        test_share: of each class kept for testing where a folder brings no test part.
        fetch: read pictures that a cloud drive has yet to fetch; if not, one problem says how many.
    """
    problems: list[Problem] = []
    listings = yield from _list_all(paths, accepted, problems)
    cloud = None if fetch else to_fetch([each for each, _ in listings])
    if cloud is not None:
        yield ScanReport((), (cloud,))
        return
    total = sum(len(each.files) for each, _ in listings)
    tasks: list[TaskReport] = []
    done = 0
    for listing, question in listings:
        found = yield from _decode(listing, done, total, workers)
        done += len(listing.files)
        report = report_on(listing, question, found, test_share)
        if report.hashes:
            tasks.append(compared_with(report, (*accepted, *tasks)))
        else:
            problems += report.problems
    yield ScanProgress("Scanned", total, total)
    yield ScanReport(tuple(tasks), tuple(problems))


def answer_one_class(report: TaskReport) -> TaskReport:
    """Return the report of a folder without sub-folders with its pictures taken as one class."""
    if report.question != "one_class":
        return report
    problems = tuple(each for each in report.problems if each.kind != "no_classes")
    folder = replace(report.folder, one_class=True)
    return replace(report, folder=folder, problems=problems, question="")


def _list_all(
    paths: Sequence[str], accepted: Sequence[TaskReport], problems: list[Problem]
) -> Generator[ScanProgress, None, list[tuple[Listing, str]]]:
    """Return each task's listing with the question it raises; what is no task goes to `problems`."""
    known = {
        os.path.realpath(path): f" is already task {number}."
        for number, each in enumerate(accepted, 1)
        for path in each.folder.paths
    }
    listings: list[tuple[Listing, str]] = []
    total = 0
    for text in paths:
        path = Path(os.path.abspath(text))
        refusal = _refusal(path, text)
        if refusal:
            problems.append(refusal)
            continue
        folders = task_folders(path)
        if folders != (path,):
            problems += beside_tasks(path)
        for folder in folders:
            place = os.path.realpath(folder)
            if place in known:
                sentence = f"{name_of(folder)!r}{known[place]}"
                problems.append(Problem(str(folder), "same_folder", sentence))
                continue
            known[place] = f" was given twice, as {name_of(folder)!r} too. It is looked at once."
            listing = yield from _list_one(folder, total)
            question = "one_class" if listing.is_loose else ""
            listings.append((listing.as_one_class() if question else listing, question))
            total += len(listings[-1][0].files)
    return listings


def _list_one(folder: Path, total: int) -> Generator[ScanProgress, None, Listing]:
    cadence, text = Cadence(), f"Looking into {name_of(folder)!r}"

    def tell(found: int) -> ScanProgress | None:
        now = total + found
        return ScanProgress(text, 0, now) if cadence.is_due(now) else None

    return (yield from retold(list_task(folder), tell))


def _refusal(path: Path, text: str) -> Problem | None:
    """Return why a path is no folder that can be scanned, or None."""
    only = "Only folders on this computer can be added."
    if not text:  # what a link to the web leaves when it is dropped
        return Problem("", "not_a_folder", only)
    try:
        os.scandir(path).close()
    except NotADirectoryError:
        what = "is a single picture: drop it on Try it" if is_picture_name(text) else "is a file"
        return Problem(str(path), "not_a_folder", f"{only} {path.name!r} {what}.")
    except PermissionError:
        sentence = f"{name_of(path)!r} could not be opened (no permission)."
        return Problem(str(path), "no_permission", sentence)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        if isinstance(error, OSError) and error.errno == errno.ELOOP:
            sentence = f"{path.name!r} is a link that leads back to itself."
            return Problem(str(path), "link_loop", sentence)
        return Problem(str(path), "vanished", f"{only} There is none at {text!r}.")
    return None


def _decode(
    listing: Listing, done: int, total: int, workers: int | None
) -> Generator[ScanProgress, None, Found]:
    name = name_of(listing.path)
    found = Found()
    cadence = Cadence()
    files = iter(listing.files)
    wanted = ((str(listing.path / path), f"{name}/{path}") for path in listing.files)
    with closing(read_all(wanted, SCAN_SIDE, workers)) as reading:
        for item in reading:
            if isinstance(item, PictureError):
                found.errors[next(files)] = item
            elif item is not None:
                found.hashes[next(files)] = item.sha256
            now = done + len(found.errors) + len(found.hashes)
            if cadence.is_due(now):
                yield ScanProgress(f"Reading {name!r}", now, total)
    return found
