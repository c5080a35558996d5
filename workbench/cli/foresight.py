"""The commands that say something before training: forecast of a next task, order of tasks."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from workbench.cli.commands import print_out, result_of
from workbench.cli.progress import Progress
from workbench.cli.request import one_task, tasks_and_settings
from workbench.errors import UsageError
from workbench.events import finite
from workbench.report import Forecast, KeptForecast, OrderStudy
from workbench.session import Session

CLASSES = 8  # classes listed in text; JSON has all


def forecast(session: Session, options: argparse.Namespace) -> int:
    """Forecast what learning a folder next would do, or list what was forecast."""
    if options.list:
        kept = session.forecasts(options.run)
        text = "\n\n".join(map(kept_text, kept)) or "Nothing was forecast from this run."
        print_out([finite(asdict(item)) for item in kept], options.json, text)
        return 0
    if not options.folder:
        raise UsageError("forecast: name the folder that may be learnt next, or use --list.")
    folder = one_task(session, options.folder, Progress())
    made = result_of(session.forecast(options.run, folder), Forecast)
    print_out(finite(asdict(made)), options.json, forecast_text(made))
    return 1 if made.reason else 0


def order(session: Session, options: argparse.Namespace) -> int:
    """Suggest an order of tasks."""
    config = tasks_and_settings(session, options.tasks, Progress())
    study = result_of(session.order(config, options.run), OrderStudy)
    print_out(finite(asdict(study)), options.json, order_text(study))
    return 0


def forecast_text(made: Forecast) -> str:
    """Return a forecast as lines: the reading, tasks and classes worst first, how far to trust it."""
    lines = [made.sentence]
    if made.tasks:
        head = f"{'task':24} {'planned':>9} {'to the end':>11} {'now':>7} {'competing':>10} {'after':>7}"
        lines += ["", head]
    for task in made.tasks:
        if task.reason:
            lines.append(f"{task.name:24.24} {task.reason}")
            continue
        shares = (task.accuracy_now, task.accuracy_competing, task.accuracy_after)
        cells = zip(map(_percent, shares), (7, 10, 7), strict=True)
        numbers = f"{_number(task.planned):>9} {_number(task.ridge):>11}"
        lines.append(f"{task.name:24.24} {numbers} {' '.join(f'{c:>{w}}' for c, w in cells)}")
    lines += _class_lines(made)
    return "\n".join([*lines, "", *made.notes, *([made.method] if made.method else [])]).rstrip()


def _class_lines(made: Forecast) -> Iterator[str]:
    if made.classes:
        yield ""
        yield f"{'class':24} {'movement':>9} {'lost':>7}  task"
    for each in made.classes[:CLASSES]:
        moved = each.ridge if each.planned is None else each.planned
        yield f"{each.name:24.24} {_number(moved):>9} {_percent(each.lost):>7}  {each.task}"
    if len(made.classes) > CLASSES:
        yield f"and {len(made.classes) - CLASSES} more classes, moved less"


def kept_text(kept: KeptForecast) -> str:
    """Return a kept forecast with its score, or why it has none."""
    line = f"{kept.created}  {kept.forecast.sentence}"
    if kept.score is None:
        return f"{line}\n  not scored: {kept.reason}"
    return f"{line}\n  {kept.score.sentence}"


def order_text(study: OrderStudy) -> str:
    """Return a study as lines: the reading, both orders, and what the second of each pair does to the first."""
    lines = [study.sentence, "", f"{'total':>9}  order"]
    for total, places in (
        (study.present_total, range(len(study.names))),
        (study.suggested_total, study.suggested),
    ):
        lines.append(f"{total:9.3g}  {' → '.join(study.names[place] for place in places)}")
    lines += ["", "How far the task of the column disturbs the task of the row, learnt before it:"]
    lines += _matrix_lines(study.names, study.disturbance)
    return "\n".join([*lines, "", *study.notes, study.method])


def _matrix_lines(names: Sequence[str], cells: Sequence[Sequence[float | None]]) -> Iterator[str]:
    yield f"{'':20} {' '.join(f'{name:>12.12}' for name in names)}"
    for name, row in zip(names, cells, strict=True):
        yield f"{name:20.20} {' '.join(f'{_number(cell):>12}' for cell in row)}"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.3g}"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f} %"
