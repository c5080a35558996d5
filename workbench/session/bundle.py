"""A run as one .zip file: its rows, its numbers as CSV, its adapter, answers and kernel arrays; and back.

Nothing in a bundle is ever unpickled, and nothing is written outside the run's own folder.
"""

import json
import os
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from workbench import paths
from workbench.errors import CannotWrite, UsageError, WorkbenchError, because
from workbench.events import Stage
from workbench.log import bundle, table
from workbench.log.numbers import write_numbers
from workbench.log.store import UNDER_WAY, Log
from workbench.session import packing, unpacking
from workbench.tell import Tell, along, silent

FORMAT = 1
_CARD, _ROWS, _FILES = "bundle.json", "rows.jsonl", "files/"
_NUMBERS = ("curves.csv", "accuracy_matrix.csv", "steps.csv", "run.json")
_LEFT_OUT = ("checkpoint", "checkpoints", "cache")  # heavy, and of use only where the run was made

Opened = Callable[[], AbstractContextManager[Log]]


def write(home: Path, opened: Opened, run: str, file: Path, tell: Tell = silent) -> Path:
    """Write a run as one file, whole or not at all; where `tell` raises, nothing of it stays.

    Raises:
        UsageError: the run is still under way.
        CannotWrite: the file cannot be written.
    """
    with opened() as log:
        details, events = log.details(log.find(run)), log.events(log.find(run), tell)
        if details.summary.state in UNDER_WAY:
            raise UsageError(
                f"{details.summary.name} is still training. Bundle it when it has ended."
            )
        with log.snapshot() as db:
            found = along(bundle.rows_of(db, details.summary.id), tell, Stage("Reading the log"))
            rows = "".join(json.dumps(row) + "\n" for row in found)
    part = file.with_name(f"{file.name}.part")
    try:
        with (
            TemporaryDirectory() as folder,
            zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as made,
        ):
            write_numbers(details, along(events, tell, Stage("Writing numbers")), Path(folder))
            (Path(folder) / _ROWS).write_text(rows, "utf-8")
            sources = {name: Path(folder) / name for name in (_ROWS, *_NUMBERS)}
            sources |= _files_of(paths.run_folder(home, details.summary.id))
            sums = packing.pack(made, sources, file.name, tell)
            card = {
                "format": FORMAT,
                "run": details.summary.id,
                "name": details.summary.name,
                "files": sums,
            }
            made.writestr(_CARD, json.dumps(card, indent=2, ensure_ascii=False))
        os.replace(part, file)
    except OSError as error:
        raise CannotWrite(
            f"Could not write to {file}: {because(error)}. Choose another place."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return file


def read(home: Path, opened: Opened, file: Path, tell: Tell = silent) -> str:
    """Enter a bundled run into the log, marked as imported; return its id. Where `tell` raises, none of it stays.

    Raises:
        UsageError: the file is no bundle, is of a newer version, or its run is in the log already.
        WorkbenchError: the bundle is damaged or incomplete, or the home folder cannot be written; nothing
            of it was kept.
    """
    runs = home / "runs"
    try:
        runs.mkdir(exist_ok=True)
        with TemporaryDirectory(prefix="bundle-", dir=runs) as beside:
            with unpacking.opened(file) as packed:
                card = _checked_card(packed, file)
                _refuse_known(card["run"], opened)
                _unpack(packed, card["files"], file, Path(beside), tell)
            _enter(Path(beside), runs / card["run"], card["run"], opened, tell)
    except OSError as error:
        raise CannotWrite(
            f"{file.name} could not be unpacked in {runs}: {because(error)}. Nothing of it was kept."
        ) from error
    return str(card["run"])


def _files_of(folder: Path) -> dict[str, Path]:
    found = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not path.is_symlink() and relative.parts[0] not in _LEFT_OUT:
            found[_FILES + relative.as_posix()] = path
    return {
        name: path for name, path in found.items() if path.suffix.lower() not in unpacking.PROGRAMS
    }


def _checked_card(packed: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    try:
        card = unpacking.read_json(packed, _CARD)
        version, run_id, files = card["format"], card["run"], dict(card["files"])
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"{file.name} is not a bundle of a run: it has no {_CARD}.") from error
    if version != FORMAT:
        raise UsageError(
            f"{file.name} was made by a newer version (format {version}; this one reads up to {FORMAT})."
        )
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(run_id)):
        raise WorkbenchError(f"The bundle is damaged: {run_id!r} is no run's id.")
    there = set(packed.namelist())
    for name in (_ROWS, *_NUMBERS, *map(str, files)):
        if name not in there or name not in files:
            raise WorkbenchError(f"The bundle is incomplete ({name.removeprefix(_FILES)} missing).")
        unpacking.check_name(name)
    return {"run": str(run_id), "files": files}


def _refuse_known(run_id: str, opened: Opened) -> None:
    with opened() as log, log.snapshot() as db:
        for known in table.some(db, [run_id]):
            where = " in the bin" if known.deleted else " already"
            raise UsageError(f"This run is in the log{where}, as {known.name}.")


def _unpack(
    packed: zipfile.ZipFile, files: dict[str, str], file: Path, beside: Path, tell: Tell
) -> None:
    """Copy the files that the card names into `beside`, each compared with its SHA-256."""
    unpacking.check_room(packed, file, beside)
    sizes = (packed.getinfo(name).file_size for name in files)
    amount = packing.Amount(f"Megabytes of {file.name}", sum(sizes), tell)
    for name, digest in files.items():
        if unpacking.copy_member(packed, name, beside, amount) != digest:
            raise WorkbenchError(
                f"The bundle is damaged ({name.removeprefix(_FILES)} is not as it was written)."
            )
    (beside / _FILES).mkdir(exist_ok=True)


def _enter(unpacked: Path, folder: Path, run_id: str, opened: Opened, tell: Tell) -> None:
    """Rows and files come in together: the folder is moved within the transaction."""
    if folder.exists() and any(folder.iterdir()):
        raise WorkbenchError(
            f"{folder} holds files of a run that the log does not know. Move it away."
        )
    try:
        with opened() as log, log.change() as db:
            rows = along(_rows(unpacked / _ROWS, run_id), tell, Stage("Writing the log"))
            bundle.check_rows(db, bundle.put_rows(db, rows))
            if folder.exists():  # made empty by a look at it
                folder.rmdir()
            os.replace(unpacked / _FILES, folder)
    except (
        ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, sqlite3.Error,
    ) as error:  # fmt: skip
        raise WorkbenchError(f"The bundle is damaged: its rows do not fit ({error}).") from error


def _rows(file: Path, run_id: str) -> Iterator[bundle.Row]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            name, values = json.loads(line)
            if (name == "run") != (number == 0) or (number == 0 and values["id"] != run_id):
                raise WorkbenchError("The bundle is damaged: its rows are not those of its run.")
            yield name, dict(values)
