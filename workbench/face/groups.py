"""Several runs with one purpose: asked for, followed, and shown together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from workbench import config as configs
from workbench.errors import WorkbenchError
from workbench.events import Note, Stage
from workbench.face.actions import Command, Moment
from workbench.face.background import Background
from workbench.face.curve_lines import bounds_beside
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.group_sheets import (
    BoundsSheet,
    GroupsSheet,
    OrdersSheet,
    SeedsSheet,
    group_sentence,
)
from workbench.face.plan_dialogs import BoundsDialog, OrdersDialog, PlanDialog, SeedsDialog
from workbench.face.queue import QueueFeature
from workbench.session import RunGroup
from workbench.session.plans import Plan
from workbench.session.studying import KIND

if TYPE_CHECKING:
    from workbench.face.curves import PlotBoard


def _ready(moment: Moment) -> bool:
    return moment.draft_ready


class GroupFeature(Feature):
    """Seeds, orders and bounds: dialogs before, sheets after, and the bounds' lines beside the curve."""

    commands = (
        Command("several_seeds", "Run", "Several seeds…", (), _ready, help="Train the draft with several seeds, as one group", apart=True),
        Command("study_orders", "Run", "Task-order study…", (), lambda m: m.draft_ready and m.tasks > 0, help="Train the tasks in several orders, and see how much hangs on it"),
        Command("train_bounds", "Run", "Train bounds for this run…", (), lambda m: m.learnt, help="All tasks at once above, plain fine-tuning below"),
        Command("show_groups", "Run", "Groups of runs…", help="Seeds, orders and bounds with mean and spread"),
    )  # fmt: skip

    study_wanted = Signal(str)  # id of a group that is a comparison of methods

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._queue: QueueFeature = desk.findChildren(QueueFeature)[0]
        self.dialog: PlanDialog | None = None
        self.sheet: GroupsSheet | SeedsSheet | OrdersSheet | BoundsSheet | None = None
        self._work = Background(self, desk.activities)
        self._work.item.connect(self._predicted)
        self._work.failed.connect(self._prediction_failed)
        self._work.ended.connect(self._prediction_over)
        self._work.given_up.connect(self._prediction_given_up)
        self._shown = ""  # id of the run that is drawn
        desk.page.plots.then(self._plots_made)
        desk.page.drawn.connect(self._run_drawn)
        desk.page.cleared.connect(self._run_cleared)
        desk.training.ended.connect(self._run_ended)

    def shut_down(self) -> None:
        """End the prediction, if one is made."""
        self._work.shut_down()

    def several_seeds(self) -> None:
        """Ask which seeds the draft shall be trained with."""
        self._ask(SeedsDialog(self.desk.draft.state.run_config(), self.desk.window))

    def study_orders(self) -> None:
        """Ask how many orders the draft's tasks shall be trained in."""
        self._ask(OrdersDialog(self.desk.draft.state.run_config(), self.desk.window))

    def train_bounds(self) -> None:
        """Say what the bounds of the run shown are, and train them if that is wanted."""
        run = self.desk.shown_run()
        if run is None:
            return
        try:
            config = configs.from_dict(self.desk.session.details(run.id).config)
        except WorkbenchError as error:  # of another version
            self.desk.toast.say(str(error))
            return
        self._ask(BoundsDialog(config, run, self.desk.window))

    def show_groups(self) -> None:
        """List all groups."""
        sheet = GroupsSheet(self.desk.session.groups.all(), self.desk.window)
        sheet.open_wanted.connect(self.show_group)
        self._show(sheet)

    def show_group(self, key: str) -> None:
        """Show what one group has shown."""
        try:
            group = self.desk.session.groups.group(key)
        except WorkbenchError as error:  # removed from the log since it was listed
            self.desk.toast.say(str(error))
            return
        if group.kind == KIND:
            self._close_sheet()
            self.study_wanted.emit(group.id)
        elif group.kind == "orders":
            orders = OrdersSheet(group, self.desk.window)
            orders.use_wanted.connect(self._use_order)
            orders.predict_wanted.connect(self._predict)
            self._show(orders)
        elif group.kind == "bounds":
            self._show_bounds(group)
        else:
            self._show(SeedsSheet(group, self.desk.window))

    def _ask(self, dialog: PlanDialog) -> None:
        self.dialog = dialog
        dialog.chosen.connect(self._plan_chosen)
        dialog.open()

    def _plan_chosen(self, plan: Plan) -> None:
        self._queue.enqueue(plan)

    def _show(self, sheet: GroupsSheet | SeedsSheet | OrdersSheet | BoundsSheet) -> None:
        self.sheet = sheet
        sheet.finished.connect(self._sheet_closed)
        sheet.open()

    def _close_sheet(self) -> None:
        if self.sheet is not None:
            self.sheet.close()

    def _sheet_closed(self) -> None:
        if self.sender() is self.sheet:
            self.sheet = None

    def _show_bounds(self, group: RunGroup) -> None:
        session = self.desk.session
        try:
            run = session.details(group.of_run)
        except WorkbenchError as error:  # it is no longer in the log
            self.desk.toast.say(str(error))
            return
        bounds = {role: session.details(r.id) for role, r in session.groups.bounds(group.of_run).items()}  # fmt: skip
        self._show(BoundsSheet(group, run, bounds, self.desk.window))

    def _use_order(self, names: list[str]) -> None:
        present = self.desk.draft.state.names()
        if sorted(present) != sorted(names) or not self.desk.tasks.model.allowed():
            self.desk.toast.say(self.tr("The list of tasks is not that of the study, so its order was left as it is."))  # fmt: skip
            return
        self.desk.draft.order([present.index(name) for name in names])
        said = self.tr("The tasks are in the order of the study.")
        self.desk.offer_undo(said)

    def _predict(self, key: str) -> None:
        title = self.tr("Predicting the interplay of tasks in each order")
        if not self.shows_busy(self._work):
            self._work.start(partial(self.desk.session.groups.predict, key), title)

    def _predicted(self, item: object) -> None:
        if isinstance(item, Stage) and isinstance(self.sheet, OrdersSheet):
            self.sheet.show_stage(item)
        elif isinstance(item, Note):
            self.desk.toast.say(item.text)
        elif isinstance(item, RunGroup) and isinstance(self.sheet, OrdersSheet):
            self.sheet.close()
            self.show_group(item.id)

    def _prediction_failed(self, sentence: str) -> None:
        self.desk.strips.show_strip("groups", sentence, "error")

    def _prediction_given_up(self) -> None:
        self.desk.toast.say(self.tr("The prediction was given up. Nothing of it is kept."))

    def _prediction_over(self) -> None:
        if isinstance(self.sheet, OrdersSheet):
            self.sheet.show_free()

    def _run_ended(self, _: str) -> None:
        self._learn_bounds()
        run = self.desk.training.run
        known = self.desk.history.model.known(run.id) if run is not None else None
        if known is not None and known.group and self.desk.session.groups.kind(known.group) != KIND:
            self._tell(known.group)

    def _tell(self, group_id: str) -> None:
        try:
            group = self.desk.session.groups.group(group_id)
        except WorkbenchError:  # nothing is left of it
            return
        if not group.waiting and group.finished:
            answers = [(self.tr("Show"), partial(self.show_group, group_id))]
            sentence = group_sentence(self.desk.window, group)
            self.desk.strips.show_strip("group", sentence, "info", answers)

    def _plots_made(self, _board: PlotBoard) -> None:
        self._learn_bounds()

    def _run_drawn(self, run_id: str, _name: str, _events: list[object]) -> None:
        if run_id != self._shown:
            self._shown = run_id
            self._learn_bounds()

    def _run_cleared(self) -> None:
        self._shown = ""
        self._learn_bounds()

    def _learn_bounds(self) -> None:
        board = self.desk.page.plots.part
        if board is not None:
            found = self.desk.session.groups.bounds(self._shown) if self._shown else {}
            board.accuracy.show_levels(bounds_beside(found))
