"""Work on the draft's tasks beyond order and names: merge, find a moved folder, a copy while a run trains."""

import dataclasses
import os
from collections import Counter
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from workbench.errors import WorkbenchError
from workbench.face.actions import Command, Moment
from workbench.face.background import Background
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.finding import nearest_folder
from workbench.face.folder_watch import FolderWatch
from workbench.face.question import Question
from workbench.face.words import counted, listed
from workbench.report import ScanProgress, ScanReport, TaskReport


class TaskWork(Feature):
    """Merging, finding, duplicating; what the adder says of a folder that is a task already."""

    commands = (
        Command("merge_tasks", "Edit", "Merge tasks", ("Ctrl+Shift+J",), lambda m: m.tasks_chosen > 1 and m.tasks_free, "tasks", "Learn the chosen tasks as one", after="move_down"),
        Command("find_folder", "Edit", "Find the task's folder…", ("Ctrl+Shift+F",), lambda m: m.task_chosen and m.tasks_free, "tasks", "Say where the chosen task's folder lies now", after="merge_tasks"),
        Command("duplicate_tasks", "Edit", "Duplicate for the next run", (), lambda m: not m.tasks_free, help="Leave the running run its tasks, and change a copy of them", after="find_folder"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.question: Question | None = None
        self._work = Background(self, desk.activities)
        self._work.item.connect(self._take_found)
        self._work.failed.connect(desk.toast.say)
        self._work.ended.connect(self._found_all)
        self._work.given_up.connect(self._tell_given_up)
        desk.tasks.cancel_requested.connect(self._work.cancel)
        self._sought: TaskReport | None = None
        self.watch = FolderWatch(self)
        self.watch.found.connect(self._mark_gone)
        desk.draft.changed.connect(self._watch_folders)
        desk.tasks.model.locked.connect(self._offer_copy)
        desk.tasks.view.find_requested.connect(self._find_for)
        desk.adder.known.connect(self._offer_to_show)
        desk.adder.choose_requested.connect(desk.tasks.add_requested)

    def refine(self, moment: Moment) -> Moment:
        """Add how many tasks are chosen."""
        return dataclasses.replace(moment, tasks_chosen=len(self.desk.tasks.all_chosen()))

    def shut_down(self) -> None:
        """End the threads."""
        self.watch.shut_down()
        self._work.shut_down()

    def merge_tasks(self) -> None:
        """Make the chosen tasks one; ask first about class names that several have."""
        rows = self.desk.tasks.all_chosen()
        if len(rows) < 2 or not self.desk.tasks.model.allowed():
            return
        tasks = [self.desk.draft.state.tasks[row] for row in rows]
        count = Counter(each.name for task in tasks for each in task.classes)
        shared = [name for name, number in count.items() if number > 1]
        if not shared:
            self.merge(rows, ())
            return
        text = self.tr(
            "{names} is in more than one of these tasks. As one task: the same class, or different ones?"
        )
        if len(shared) > 1:
            text = self.tr("{names} are in more than one of these tasks. As one task: the same classes, or different ones?")  # fmt: skip
        answers = [
            (self.tr("Same"), lambda: self.merge(rows, ())),
            (self.tr("Different"), lambda: self.merge(rows, tuple(shared))),
        ]
        self.question = Question(text.format(names=listed(shared)), answers, self.desk.window)
        self.question.open()

    def merge(self, rows: list[int], different: tuple[str, ...]) -> None:
        """Make the tasks in these rows one; names in `different` stay a class of each."""
        draft, session = self.desk.draft, self.desk.session
        tasks = draft.state.tasks
        share = draft.state.settings.data.test_share
        try:
            merged = session.pictures.merge([tasks[row] for row in rows], different, share)
        except WorkbenchError as error:
            self.desk.strips.show_strip("merge", str(error), "error")
            return
        kept = [task for row, task in enumerate(tasks) if row == rows[0] or row not in rows]
        kept[rows[0]] = merged
        draft.arrange(self.tr("Merge tasks"), kept)
        self.desk.tasks.choose(rows[0])
        text = self.tr("{tasks} merged into '{name}'.")
        number = counted(len(rows), "task", "tasks")
        self._say(text.format(tasks=number, name=draft.state.names()[rows[0]]))

    def duplicate_tasks(self) -> None:
        """Free the draft: the run that trains keeps its own configuration."""
        desk = self.desk
        if desk.fixed:
            desk.duplicated = True
            desk.tasks.model.forget_run()
            desk.settings.set_read_only(False)
            desk.changed.emit()

    def find_folder(self) -> None:
        """Ask where the chosen task's folder is."""
        self._find_for(self.desk.tasks.chosen())

    def find_at(self, row: int, path: str) -> None:
        """Look into a folder in which a task's pictures are said to lie now."""
        if self.shows_busy(self._work):
            return
        sought = self.desk.draft.state.tasks[row]
        if sought.folder.also:
            text = self.tr(
                "Task '{name}' is made of several folders. Remove it, and add them again."
            )
            self.desk.toast.say(text.format(name=sought.folder.name))
            return
        self._sought = sought
        self.desk.strips.clear_strip("find")
        share, session = self.desk.draft.state.settings.data.test_share, self.desk.session
        name = listed([Path(path).name])
        title = self.tr("Reading {names}").format(names=name)
        self._work.start(lambda: session.scan([path], test_share=share), title)
        self.desk.tasks.scan_began(name)

    def _find_for(self, row: int) -> None:
        if row < 0 or not self.desk.tasks.model.allowed():
            return
        report = self.desk.draft.state.tasks[row]
        title = self.tr("Where is the folder of task '{name}'?").format(name=report.folder.name)
        near = nearest_folder(report.folder.path)
        path = QFileDialog.getExistingDirectory(self.desk.window, title, near)
        if path:
            self.find_at(row, path)

    def _take_found(self, item: ScanProgress | ScanReport) -> None:
        if self._work.cancelled:
            return
        if isinstance(item, ScanProgress):
            self.desk.tasks.scan_progressed(item)
        elif len(item.tasks) != 1:
            text = self.tr("That folder holds several tasks. Choose the folder of this one.")
            self.desk.toast.say(item.problems[0].sentence if item.problems else text)
        else:
            self._put_in(item.tasks[0])

    def _put_in(self, after: TaskReport) -> None:
        draft, pictures = self.desk.draft, self.desk.session.pictures
        before = self._sought
        if before is None or before not in draft.state.tasks:
            return
        try:
            report = pictures.moved(before, after, draft.state.settings.data.test_share)
        except WorkbenchError as error:
            self.desk.strips.show_strip("find", str(error), "error")
            return
        draft.replace(draft.state.tasks.index(before), (report,))
        self._say(self._verdict(before, after))

    def _verdict(self, before: TaskReport, after: TaskReport) -> str:
        name = before.folder.name
        if not before.hashes:
            text = self.tr("Task '{name}' found. Its pictures were never looked at before.")
            return text.format(name=name)
        number = self.desk.session.pictures.compare(before, after).number
        if not number:
            return self.tr("Task '{name}' found. Same pictures.").format(name=name)
        text = self.tr("Task '{name}' found. {n} pictures differ.")
        if number == 1:
            text = self.tr("Task '{name}' found. 1 picture differs.")
        return text.format(name=name, n=f"{number:,}")

    def _tell_given_up(self) -> None:
        self.desk.toast.say(self.tr("The search was given up. The task stays as it was."))

    def _found_all(self) -> None:
        self._sought = None
        self.desk.tasks.scan_ended()
        self.watch.look()

    def _watch_folders(self) -> None:
        tasks = self.desk.draft.state.tasks
        self.watch.watch(tuple(dict.fromkeys(p for task in tasks for p in task.folder.paths)))

    def _mark_gone(self, gone: set[str]) -> None:
        self.desk.tasks.model.set_gone(gone)
        rows = [
            row
            for row, task in enumerate(self.desk.draft.state.tasks)
            if not gone.isdisjoint(task.folder.paths)
        ]
        if not rows:
            self.desk.strips.clear_strip("gone")
            return
        folder = self.desk.draft.state.tasks[rows[0]].folder
        path = next(path for path in folder.paths if path in gone)
        text = self.tr("The folder of task '{name}' is not there ({path}).")
        answers = [(self.tr("Find it…"), lambda: self._find_for(rows[0]))]
        self.desk.strips.show_strip(
            "gone", text.format(name=folder.name, path=path), "warning", answers
        )

    def _offer_copy(self, sentence: str) -> None:
        self.desk.toast.say(sentence, self.tr("Duplicate"), self.duplicate_tasks)

    def _offer_to_show(self, sentence: str, path: str) -> None:
        tasks = self.desk.draft.state.tasks
        place = os.path.realpath(path)
        rows = [
            row
            for row, task in enumerate(tasks)
            if place in map(os.path.realpath, task.folder.paths)
        ]
        show = (self.tr("Show it"), lambda: self.desk.tasks.choose(rows[0])) if rows else ()
        self.desk.toast.say(sentence, *show)

    def _say(self, sentence: str) -> None:
        self.desk.offer_undo(sentence)
