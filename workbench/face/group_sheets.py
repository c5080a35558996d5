"""Groups of runs on sheets: all of them, and what one has shown."""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialogButtonBox,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QWidget,
)

from workbench.events import Stage
from workbench.face.foretold import Sheet
from workbench.face.place import fit
from workbench.face.run_columns import spread_text
from workbench.face.words import percent
from workbench.report import RunDetails, RunSummary
from workbench.session import RunGroup
from workbench.session.groups import FORMULA, MEASURED, Member, rank_correlation
from workbench.session.studying import KIND

_ACTION = QDialogButtonBox.ButtonRole.ActionRole


def group_sentence(widget: QWidget, group: RunGroup) -> str:
    """Return what a group has shown so far in one sentence."""
    if group.kind == "bounds":
        text = widget.tr("{title}: {done} of {total} runs have finished.")
        return text.format(title=group.title, done=len(group.finished), total=group.total)
    final, average, forgetting = (group.spread(field) for field in MEASURED)
    if not final.n:
        return widget.tr("{title}: none of {total} runs has finished yet.").format(title=group.title, total=group.total)  # fmt: skip
    text = widget.tr("{title}: final accuracy {final}, average accuracy {average}, forgetting {forgetting} (n = {n}).")  # fmt: skip
    return text.format(
        title=group.title, final=spread_text(final), average=spread_text(average),
        forgetting=spread_text(forgetting), n=final.n,
    )  # fmt: skip


class GroupsSheet(Sheet):
    """All groups, newest first; one may be opened."""

    open_wanted = Signal(str)  # id of a group

    def __init__(self, groups: Sequence[RunGroup], parent: QWidget) -> None:
        text = parent.tr("Runs that were trained together.") if groups else parent.tr(
            "There is no group yet. Run, Several seeds, Task-order study or Compare methods trains one."
        )  # fmt: skip
        super().__init__(parent.tr("Groups of runs"), text, parent)
        self._ids = [group.id for group in groups]
        headings = [self.tr("Group"), self.tr("Runs"), self.tr("Final accuracy"), self.tr("Average accuracy"), self.tr("Forgetting")]  # fmt: skip
        rows = [[group.title, self._progress(group), *_spreads(group)] for group in groups]  # fmt: skip
        self.grid = self.add_table(self.tr("Newest first") if groups else "", (headings, rows))
        self.grid.setVisible(bool(groups))
        _choose_rows(self.grid)
        self.grid.activated.connect(self._open_index)
        self.open_button = self.buttons.addButton(self.tr("Open"), _ACTION)
        self.open_button.clicked.connect(self._open)
        self.open_button.setEnabled(bool(groups))
        if groups:
            self.grid.selectRow(0)
        self.end_with([FORMULA] if groups else [])
        fit(self, 820, 420 if groups else 160)

    def _progress(self, group: RunGroup) -> str:
        text = self.tr("{done} of {total}")
        return text.format(done=len(group.finished), total=group.total)

    def _open_index(self, index: QModelIndex) -> None:
        self.open_wanted.emit(self._ids[index.row()])

    def _open(self) -> None:
        row = self.grid.currentRow()
        if row >= 0:
            self.open_wanted.emit(self._ids[row])


class SeedsSheet(Sheet):
    """The runs of a group, with mean and deviation below."""

    def __init__(self, group: RunGroup, parent: QWidget) -> None:
        super().__init__(group.title, group_sentence(parent, group), parent)
        headings = [self.tr("Run"), self.tr("Seed"), self.tr("State"), *_measures(self)]
        rows = [
            [each.run.name, str(each.facts.get("seed", "")), each.run.state, *_values(each)]
            for each in group.members
        ]
        spreads = [group.spread(field) for field in MEASURED]
        rows.append([self.tr("Mean"), "", "", *(percent(s.mean) for s in spreads)])
        rows.append([self.tr("Deviation s"), "", "", *(percent(s.deviation) for s in spreads)])
        self.grid = self.add_table(_progress_title(self, group), (headings, rows))
        self.end_with([FORMULA])
        fit(self, 820, 420)


class OrdersSheet(Sheet):
    """Every order with what it led to; one may be used for the draft."""

    use_wanted = Signal(list)  # names of tasks in order
    predict_wanted = Signal(str)  # id of the group

    def __init__(self, group: RunGroup, parent: QWidget) -> None:
        super().__init__(group.title, group_sentence(parent, group), parent)
        self.group = group
        predicted: Mapping[str, float] = group.facts.get("predicted", {})
        headings = [self.tr("Order"), *_measures(self), self.tr("Predicted")]
        rows = [
            [order_text(each), *_values(each), _number(predicted.get(each.run.id))]
            for each in group.members
        ]
        title = _progress_title(self, group)
        self.grid = self.add_table(title, (headings, rows), even=False)
        self.grid.setWordWrap(True)
        self.grid.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        _choose_rows(self.grid)
        if group.members:
            self.grid.selectRow(0)
        self._add_button(self.tr("Use this order"), self._use, bool(group.members))
        self.predict_button = self._add_button(
            self.tr("Predict"), self._predict, bool(group.members)
        )
        self.predict_button.setToolTip(self.tr("Compute the kernel's predicted interplay of each order, and compare"))  # fmt: skip
        self.end_with([*self._readings(predicted), FORMULA])
        fit(self, 900, 520)

    def show_stage(self, stage: Stage) -> None:
        """Say how far the prediction is, on its button."""
        self.predict_button.setEnabled(False)
        self.predict_button.setText(f"{stage.text}…")

    def show_free(self) -> None:
        """Let the prediction be asked for again."""
        self.predict_button.setEnabled(True)
        self.predict_button.setText(self.tr("Predict"))

    def _readings(self, predicted: Mapping[str, float]) -> list[str]:
        known = [each for each in self.group.finished if each.run.final_accuracy is not None]
        if len(known) < 2:
            return []
        ranked = sorted(known, key=lambda each: each.run.final_accuracy or 0.0)
        low, high = ranked[0], ranked[-1]
        text = self.tr("Best: {best}, {high}. Worst: {worst}, {low}. Between them {range} points.")
        gap = 100 * ((high.run.final_accuracy or 0.0) - (low.run.final_accuracy or 0.0))
        sentences = [
            text.format(
                best=order_text(high), high=percent(high.run.final_accuracy),
                worst=order_text(low), low=percent(low.run.final_accuracy), range=f"{gap:.1f}",
            )
        ]  # fmt: skip
        if predicted:
            sentences.append(self._correlation(known, predicted))
        return sentences

    def _correlation(self, known: Sequence[Member], predicted: Mapping[str, float]) -> str:
        both = [
            each for each in known if each.run.id in predicted and each.run.forgetting is not None
        ]
        rho = rank_correlation(
            [predicted[each.run.id] for each in both], [each.run.forgetting or 0.0 for each in both]
        )
        if rho is None:
            return self.tr("Predicted interplay and forgetting: too few orders, or no difference between them, for a correlation.")  # fmt: skip
        text = self.tr("Predicted interplay and forgetting: Spearman's ρ = {rho} over {n} orders. The prediction is made before training, from the fusion's kernel alone.")  # fmt: skip
        return text.format(rho=f"{rho:+.2f}", n=len(both))

    def _add_button(self, text: str, call: Callable[[], object], enabled: bool) -> QPushButton:
        button = self.buttons.addButton(text, _ACTION)
        button.clicked.connect(call)
        button.setEnabled(enabled)
        return button

    def _use(self) -> None:
        row = self.grid.currentRow()
        if 0 <= row < len(self.group.members):
            self.use_wanted.emit(order_names(self.group.members[row]))
            self.accept()

    def _predict(self) -> None:
        self.predict_wanted.emit(self.group.id)


class BoundsSheet(Sheet):
    """A run between its bounds, on all classes and task by task."""

    def __init__(
        self, group: RunGroup, run: RunDetails, bounds: Mapping[str, RunDetails], parent: QWidget
    ) -> None:
        finals = {role: each.summary.final_accuracy for role, each in bounds.items()}
        super().__init__(group.title, _between(parent, run.summary, finals), parent)
        headings = [self.tr("Run"), self.tr("All classes"), *(str(t["name"]) for t in run.tasks)]
        rows = []
        for role, title in self._titles(run.summary).items():
            details = run if role == "run" else bounds.get(role)
            if details is None:
                rows.append([title, *["–"] * (len(headings) - 1)])
                continue
            parts = _parts(details, len(run.tasks))
            rows.append([title, percent(details.summary.final_accuracy), *map(percent, parts)])
        self.grid = self.add_table(_progress_title(self, group), (headings, rows))
        self.end_with([self.tr("Final accuracy with all classes in play, pooled over the test pictures (A_T), and on each task's own. Bounds by custom, not by proof: a run may lie outside.")])  # fmt: skip
        fit(self, 820, 320)

    def _titles(self, run: RunSummary) -> dict[str, str]:
        return {
            "joint": self.tr("All tasks at once"), "run": run.name,
            "plain fine-tuning": self.tr("Plain fine-tuning"),
        }  # fmt: skip


def order_names(member: Member) -> list[str]:
    """Return the tasks' names in the order that a run learnt them."""
    names: Sequence[str] = member.facts["names"]
    return [names[place] for place in member.facts["order"]]


def order_text(member: Member) -> str:
    """Return "a → b → c"."""
    return " → ".join(order_names(member))


def _parts(details: RunDetails, count: int) -> list[float | None]:
    """Return the final accuracy on each task's own test pictures."""
    if details.config.get("data", {}).get("joint"):
        said = {m["task"]: m["value"] for m in details.metrics if m["name"] == "joint_part_accuracy"}  # fmt: skip
        return [said.get(task) for task in range(count)]
    return list(details.accuracy_matrix[-1]) if details.accuracy_matrix else [None] * count


def _between(widget: QWidget, run: RunSummary, finals: Mapping[str, float | None]) -> str:
    low, high, own = finals.get("plain fine-tuning"), finals.get("joint"), run.final_accuracy
    if low is None or high is None or own is None:
        return widget.tr("The bounds of {run} are not both known yet.").format(run=run.name)
    text = widget.tr("{run} reaches {own}; plain fine-tuning {low}, all tasks at once {high}.")
    sentence = text.format(run=run.name, own=percent(own), low=percent(low), high=percent(high))
    if high <= low:
        return sentence
    share = widget.tr("That is {share} of the way from the one to the other.")
    return f"{sentence} {share.format(share=percent((own - low) / (high - low), 0))}"


def _progress_title(widget: QWidget, group: RunGroup) -> str:
    text = widget.tr("{done} of {total} runs have finished")
    return text.format(done=len(group.finished), total=group.total)


def _measures(widget: QWidget) -> list[str]:
    return [widget.tr("Final accuracy"), widget.tr("Average accuracy"), widget.tr("Forgetting")]


def _values(member: Member) -> list[str]:
    return [percent(getattr(member.run, field)) for field in MEASURED]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _spreads(group: RunGroup) -> list[str]:
    """Return mean and deviation of each measure; of bounds, or of several methods, neither says anything."""
    if group.kind in ("bounds", KIND):
        return ["–"] * len(MEASURED)
    return [spread_text(group.spread(field)) for field in MEASURED]


def _choose_rows(grid: QTableWidget) -> None:
    grid.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    grid.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
