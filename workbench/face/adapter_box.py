"""A list of adapters to choose from: those of runs, and those opened from files."""

from collections.abc import Mapping, Sequence

from PySide6.QtWidgets import QWidget

from workbench.face.editors import CalmComboBox
from workbench.face.words import percent
from workbench.report import LearntRun, RunSummary

UNDER_WAY = ("starting", "running", "paused")


class AdapterBox(CalmComboBox):
    """Its data are ids of runs and paths of files. `nothing` names a first entry that stands for none."""

    def __init__(self, name: str, nothing: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._first = [(nothing, "")] if nothing else []
        self._runs: dict[str, RunSummary | LearntRun] = {}
        self._files: list[tuple[str, str]] = []
        self.setAccessibleName(name)
        for text, data in self._first:
            self.addItem(text, data)

    def show_runs(self, runs: Sequence[RunSummary | LearntRun]) -> None:
        """Offer every run that has learnt at least one task; the choice stays."""
        before, self._runs = self._runs, {run.id: run for run in runs if run.tasks_done > 0}
        if list(before) == list(self._runs):
            self._name_again(before)
            return
        chosen = self.currentData()
        self.clear()
        entries = [(_text_of(run), run.id) for run in self._runs.values()]
        entries = [*self._first, *entries, *self._files]
        self.addItems([text for text, _ in entries])
        for place, (_, data) in enumerate(entries):
            self.setItemData(place, data)
        self.setCurrentIndex(max(0, self.findData(chosen)) if self.count() else -1)

    def _name_again(self, before: Mapping[str, RunSummary | LearntRun]) -> None:
        """Bring the words for each run in step, of the same runs as before."""
        for place, run in enumerate(self._runs.values(), len(self._first)):
            if run != before[run.id]:
                self.setItemText(place, _text_of(run))

    def add_file(self, text: str, path: str) -> None:
        """Offer an adapter file; one that is offered already stays where it is."""
        if self.findData(path) < 0:
            self._files.append((text, path))
            self.addItem(text, path)

    def chosen(self) -> str:
        """Return the id of a run or the path of a file, or an empty string."""
        return str(self.currentData() or "")

    def run(self) -> RunSummary | LearntRun | None:
        """Return the run chosen, if it is one."""
        return self._runs.get(self.chosen())

    def short_name(self) -> str:
        """Return the name of what is chosen."""
        run = self.run()
        return run.name if run is not None else self.currentText()


def _text_of(run: RunSummary | LearntRun) -> str:
    return f"{run.name} · {run.backbone} · {percent(run.final_accuracy, 0)}"
