"""Every box and sheet that the window opens, over a window with runs, groups, tasks and a queue in it.

    python -m tests.boxes FOLDER

saves a picture of each, in light and in dark, to be looked at.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QWidget

from tests.compared import CHOOSE, FROZEN, TRIED, study_tree_of
from tests.logged import begin
from tests.opened import feature
from tests.pictures import make_task_folders
from tests.recorded import recorded_run
from tests.test_decisions import scanned
from tests.trained import quick_config
from workbench.config import RunConfig, TaskFolder
from workbench.face.about import About
from workbench.face.backbone_browser import BackboneBrowser
from workbench.face.feature import Feature
from workbench.face.foretold import ForecastSheet, NextTask, OrderSheet
from workbench.face.group_sheets import BoundsSheet, GroupsSheet, OrdersSheet, SeedsSheet
from workbench.face.help_pages import Help
from workbench.face.messages import DetailBox
from workbench.face.palette import CommandPalette
from workbench.face.plan_dialogs import BoundsDialog, OrdersDialog, SeedsDialog
from workbench.face.plug_ins import PlugInFeature
from workbench.face.question import Question
from workbench.face.queue import QueueFeature
from workbench.face.report_sheet import ReportSheet
from workbench.face.run_details import DetailsOfRun
from workbench.face.studying import Studying
from workbench.face.window import Window
from workbench.log.writer import Writer
from workbench.paths import LOG_NAME
from workbench.report import ClassForecast, Forecast, OrderStudy, ScanReport, TaskForecast
from workbench.session import Session
from workbench.session.groups import Member, RunGroup
from workbench.session.study_file import study_from, study_text

F = TypeVar("F", bound=Feature)
NAMES = ("garden birds of the north", "finches", "Ö 空格")
SURE = TaskForecast(1, "finches", 0.0213, 0.402, 0.512, 0.98, 0.86, 120)
UNSURE = TaskForecast(0, "garden birds of the north", reason="the folder is no longer there")
FORECAST = Forecast(
    "run1", TaskFolder("gulls", "/pictures/gulls"), ("white", "black"), (SURE, UNSURE),
    tuple(ClassForecast(n, f"class {n}", NAMES[n % 2], 0.31 / (n + 1), None, 0.9) for n in range(9)),
    pictures=240, method="Kernel regression of the step on 240 of the folder's pictures.",
    notes=("Only 120 test pictures of 'finches' were looked at.",),
)  # fmt: skip
STUDY = OrderStudy(
    NAMES, (1, 0, 2), 0.52, 0.24, ((None, 0.2, 0.1), (0.3, None, 0.12), (0.2, 0.4, None)),
    "Each pair of tasks with the frozen network's kernel.",
)  # fmt: skip


def filled(home: Path) -> Window:
    """A window over a log with three runs, two groups' plans and three tasks that wait."""
    for number in range(3):
        with closing(Session(home, entry_points=False)) as session, session.log() as log:
            begin(log, f"run{number}", f"ViT small, try {number}", tasks_total=3)
        with Writer(home / LOG_NAME, f"run{number}") as writer:
            for event in recorded_run(3, seed=number):
                writer.add(event)
    session = Session(home, entry_points=False)
    tasks = {name: {"red": 8, "green": 8, "a class of a long name": 8} for name in NAMES}
    folders = make_task_folders(home / "pictures", tasks)
    (folders[0] / "red" / "0000.png").write_bytes(b"no picture")
    config = quick_config(folders)
    for seed in range(3):
        seeds = replace(config.seeds, initialisation=seed)
        session.queue.add(replace(config, seeds=seeds))
    window = Window(session)
    window.desk.draft.load(config, "Load")
    window.desk.replay("run1")
    return window


def each_box(window: Window) -> Iterator[tuple[str, QWidget]]:
    """Open one after another, each closed before the next; yield its name and itself, shown."""
    for name, make in _makers(window).items():
        box = make()
        box.show()
        yield name, box
        box.close()


def _makers(window: Window) -> dict[str, Callable[[], QWidget]]:
    desk, session = window.desk, window.desk.session
    config, runs = desk.draft.state.run_config(), session.runs()
    details = {run.id: session.details(run.id) for run in runs}
    orders = ((0, 1, 2), (2, 0, 1), (1, 2, 0))
    members = tuple(
        Member(run, {"seed": n, "names": NAMES, "order": orders[n], "label": str(n)})
        for n, run in enumerate(runs)
    )
    group = RunGroup("g", "seeds", "5 seeds of vit_small, repaired", runs[0].created, "", {}, members, 2)  # fmt: skip
    predicted = {run.id: 0.12 for run in runs}
    ordered = replace(group, kind="orders", title="3 orders", facts={"predicted": predicted}, waiting=0)  # fmt: skip
    bounds = {"joint": details[runs[0].id], "plain fine-tuning": details[runs[2].id]}
    between = replace(group, kind="bounds", title="Bounds of ViT small, try 1")
    return {
        "report": partial(_report, window, config),
        "backbones": lambda: BackboneBrowser(session.backbones, window),
        "queue": lambda: _of(window, QueueFeature, "show_queue").sheet,
        "plug-ins": lambda: _of(window, PlugInFeature, "show_plug_ins").list,
        "several seeds": lambda: SeedsDialog(config, window),
        "several orders": lambda: OrdersDialog(config, window),
        "train bounds": lambda: BoundsDialog(config, runs[1], window),
        "compare methods": lambda: _of(window, Studying, "compare_methods").box,
        "study file": partial(_study_file, window),
        "groups": lambda: GroupsSheet([group, ordered, between], window),
        "no group": lambda: GroupsSheet([], window),
        "seeds": lambda: SeedsSheet(group, window),
        "orders": lambda: OrdersSheet(ordered, window),
        "bounds": lambda: BoundsSheet(between, details[runs[1].id], bounds, window),
        "next task": lambda: NextTask(runs[1].name, config.data.tasks, window),
        "forecast": lambda: ForecastSheet(FORECAST, runs[1].name, window),
        "no forecast": lambda: ForecastSheet(
            replace(FORECAST, tasks=(), classes=(), reason="with one class there is nothing to tell apart"),
            runs[1].name, window,
        ),
        "order": lambda: OrderSheet(STUDY, window),
        "details": partial(_details, window),
        "table": lambda: _table(window),
        "keys": lambda: _of(window, About, "keys").box,
        "about": lambda: _of(window, About, "about").box,
        "help": lambda: _of(window, Help, "help_start").box,
        "run": lambda: _of(window, DetailsOfRun, "run_details").box,
        "commands": lambda: _of(window, CommandPalette, "palette").box,
        "closing": lambda: Question(
            "run-0007 is still training (1 h 20 min left).",
            window.closing._answers(), window,
            more="A run that is stopped is saved, and can be resumed where it was.",
        ),
    }  # fmt: skip


def _of(window: Window, kind: type[F], command: str) -> F:
    found = feature(window, kind)
    getattr(found, command)()
    return found


def _study_file(window: Window) -> QWidget:
    file = window.desk.session.home / "study.toml"
    paths = [Path(task.path) for task in window.desk.draft.state.run_config().data.tasks]
    methods = [FROZEN, TRIED]
    tree = study_tree_of(paths, name="Frozen against trained", method=methods, choose=CHOOSE)
    file.write_text(study_text(study_from(tree)), encoding="utf-8")
    studying = feature(window, Studying)
    studying.take_file(str(file))
    return studying.box


def _report(window: Window, config: RunConfig) -> QWidget:
    reports = scanned(*(Path(task.path) for task in config.data.tasks))
    return ReportSheet(ScanReport(reports), window.desk.session, config, window)


def _details(window: Window) -> QWidget:
    sentence = "The adapter could not be exported: there is no room on the disk."
    box = DetailBox(sentence, "Traceback …\n" * 20, window.desk.session.home, window)
    box.details_button.click()
    return box


def _table(window: Window) -> QWidget:
    plot = window.desk.page.board.accuracy
    plot.show_table()
    return next(each for each in plot.children() if type(each).__name__ == "TableWindow")


def main(folder: Path, sizes: tuple[tuple[int, int], ...] = ((1280, 800), (960, 600))) -> None:
    """Save a picture of each box into `folder`."""
    from tempfile import TemporaryDirectory

    from tests.window_pictures import settle, use_own_font
    from workbench.face import app as start
    from workbench.face.theme import apply_theme

    folder.mkdir(parents=True, exist_ok=True)
    app = start.application()
    use_own_font(app)
    with TemporaryDirectory() as place:
        window = filled(Path(place))
        window.show()
        for scheme, size in zip(("light", "dark"), sizes, strict=True):
            apply_theme(app, scheme)
            window.resize(*size)
            for name, box in each_box(window):
                settle(app, 300)
                box.grab().save(str(folder / f"{name}-{scheme}.png"))
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
