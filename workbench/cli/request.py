"""What a run is asked for on the command line: sample, preset, file, folders and assignments, put together."""

import argparse
import dataclasses
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from workbench import config as configs
from workbench.cli.progress import Progress
from workbench.config import RunConfig, SeedConfig
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Stage
from workbench.report import ScanProgress, ScanReport
from workbench.session import Session


def configuration(session: Session, options: argparse.Namespace, progress: Progress) -> RunConfig:
    """Return what `run` was asked: default < sample < preset < file < --seed, --name < --set.

    --tasks takes the place of all tasks; what the scan finds goes to `progress`.
    """
    if options.full and not options.sample:
        raise UsageError("--full goes with --sample: it takes all of the sample's pictures.")
    config = session.sample_config(full=options.full) if options.sample else RunConfig()
    if options.preset:
        config = configs.with_values(config, configs.preset(options.preset).values)
    if options.config:
        config = configs.load_config(Path(options.config), config)
    if options.seed is not None:
        config = replace(
            config, seeds=SeedConfig(*[options.seed] * len(dataclasses.fields(SeedConfig)))
        )
    if options.name:
        config = replace(config, name=options.name)
    config = configs.with_values(
        config, dict(configs.parse_assignment(text) for text in options.set)
    )
    if options.tasks:
        report = scan_all(session, options.tasks, progress)
        tasks = tuple(_usable(session, report, progress))
        config = replace(config, data=replace(config.data, tasks=tasks))
    return configs.check(config)


def tasks_and_settings(session: Session, given: Sequence[str], progress: Progress) -> RunConfig:
    """Return the configuration of one .toml file, or the defaults with the tasks of folders."""
    if len(given) == 1 and given[0].lower().endswith(".toml"):
        return configs.check(configs.load_config(Path(given[0])))
    tasks = tuple(_usable(session, scan_all(session, given, progress), progress))
    return RunConfig(data=configs.DataConfig(tasks=tasks))


def one_task(session: Session, folder: str, progress: Progress) -> configs.TaskFolder:
    """Return a folder as one task, as a scan finds it.

    Raises:
        UsageError: it is several tasks, or none.
    """
    tasks = _usable(session, scan_all(session, [folder], progress), progress)
    if len(tasks) > 1:
        names = ", ".join(repr(task.name) for task in tasks)
        raise UsageError(f"{folder} holds {len(tasks)} tasks ({names}). Name the folder of one.")
    return tasks[0]


def _usable(session: Session, report: ScanReport, progress: Progress) -> list[configs.TaskFolder]:
    for problem in (*report.problems, *(p for task in report.tasks for p in task.problems)):
        progress.line(problem.sentence)
    tasks = []
    for task in report.tasks:
        if task.question == "one_class":
            progress.line(f"{task.folder.name!r} is taken as one class.")
            task = session.answer_one_class(task)
        if task.usable:
            tasks.append(task.folder)
    if not tasks:
        raise UsageError("None of the folders can be used as a task.")
    return tasks


def scan_all(session: Session, folders: Sequence[str], progress: Progress) -> ScanReport:
    """Scan folders, showing how far it is."""
    with closing(session.scan(folders)) as items:
        for item in items:
            if isinstance(item, ScanReport):
                progress.close()
                return item
            if isinstance(item, ScanProgress):
                progress.show(Stage(item.text, item.done, item.total))
    raise WorkbenchError("The scan ended without a report.")
