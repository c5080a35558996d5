"""A run's numbers as files that other programs read: CSV (RFC 4180, UTF-8) and JSON, from the log, never from the drawing."""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.errors import CannotWrite, because
from workbench.events import Event, Measured, Step
from workbench.log.rows import describe
from workbench.measures import LOSS_TERMS
from workbench.report import RunDetails, RunSummary

Row = Sequence[Any]


def summary_dict(summary: RunSummary) -> dict[str, Any]:
    """Return one object of `runs --json`: the summary's fields by name."""
    return asdict(summary)


def details_dict(details: RunDetails) -> dict[str, Any]:
    """Return the object of `show --json` and run.json: the summary's fields and everything beside them."""
    return {
        **summary_dict(details.summary),
        "versions": dict(details.versions),
        "config": dict(details.config),
        "switches": dict(details.switches),
        "tasks": [dict(task) for task in details.tasks],
        "accuracy_matrix": [list(row) for row in details.accuracy_matrix],
        "baseline": [list(row) for row in details.baseline],
        "metrics": [dict(metric) for metric in details.metrics],
        "files": [dict(file) for file in details.files],
        "forecasts": [dict(forecast) for forecast in details.forecasts],
        "cost": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in details.cost.items()
        },
    }


def write_numbers(details: RunDetails, events: Iterable[Event], folder: Path) -> list[Path]:
    """Write curves.csv, accuracy_matrix.csv, steps.csv and run.json into `folder`, made if needed.

    A file appears whole or not at all; WorkbenchError names the one that could not be written.
    """
    said = list(events)
    texts = {
        "curves.csv": csv_text(_curves(said)),
        "accuracy_matrix.csv": csv_text(_matrix(details)),
        "steps.csv": csv_text(_steps(said)),
        "run.json": json.dumps(details_dict(details), indent=2, ensure_ascii=False) + "\n",
    }
    return write_texts(texts, folder)


def write_texts(texts: Mapping[str, str], folder: Path) -> list[Path]:
    """Write texts by file name into `folder`, made if needed; each file appears whole or not at all.

    Raises:
        CannotWrite: names the file that could not be written.
    """
    parts: dict[Path, Path] = {}
    target = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            target = folder / name
            parts[target] = target.with_name(f"{name}.part")
            parts[target].write_text(text, "utf-8", "backslashreplace", newline="")
        for target, part in parts.items():
            os.replace(part, target)
    except OSError as error:
        raise CannotWrite(_refusal(target, error)) from error
    finally:
        for part in parts.values():
            _remove(part)
    return list(parts)


def _refusal(target: Path, error: OSError) -> str:
    held = isinstance(error, PermissionError) and target.is_file()
    if held and os.access(target.parent, os.W_OK):
        return f"{target.name} is open in another program. Close it there, or choose another place."
    return f"Could not write to {target}: {because(error)}. Choose another place."


def _remove(part: Path) -> None:
    if part.is_file():
        part.unlink()


def _curves(events: Iterable[Event]) -> Iterator[Row]:
    """One row a value, in the order they were said; an absent value is empty and has its reason.

    Rows are yielded, here and in `_steps`: a writer that has them all in a list holds up every
    other thread until the last one is text, the window for a second a million rows.
    """
    yield ("kind", "name", "unit", "task", "other", "epoch", "step", "value", "reason")
    for event in events:
        if isinstance(event, Step):
            place = (event.task, None, event.epoch, event.step)
            for name, value in event.terms.items():
                yield ("loss", name, _unit("loss", name), *place, value, "")
        elif isinstance(event, Measured):
            about = (event.task, event.other, event.epoch, event.step, event.value, event.reason)
            yield ("measure", event.name, _unit("measure", event.name), *about)


def _unit(kind: str, name: str) -> str:
    return describe(kind, name)[1]


def _matrix(details: RunDetails) -> list[Row]:
    """Rows: after task, columns: on task; above the diagonal nothing was evaluated."""
    names = [task["name"] for task in details.tasks]
    rows = zip(names, details.accuracy_matrix, strict=True)
    return [("after_task", *names), *((name, *row) for name, row in rows)]


def _steps(events: Iterable[Event]) -> Iterator[Row]:
    steps = [event for event in events if isinstance(event, Step)]
    seen = dict.fromkeys(name for step in steps for name in step.terms)
    terms = [name for name in LOSS_TERMS if name in seen]
    terms += [name for name in seen if name not in LOSS_TERMS]
    yield ("step", "task", "epoch", "lr", *terms)
    for s in steps:
        yield (s.step, s.task, s.epoch, s.lr, *_in_order(s.terms, terms))


def _in_order(values: Mapping[str, float], names: Iterable[str]) -> list[float | None]:
    return [values.get(name) for name in names]


def csv_text(rows: Iterable[Row]) -> str:
    """Return rows as RFC 4180 text with line feeds."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
