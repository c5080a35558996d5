"""A list of adapters to choose from: those of runs, and those opened from files."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from workbench.face.editors import CalmComboBox
from workbench.face.words import percent
from workbench.report import RunSummary

UNDER_WAY = ("starting", "running", "paused")


class AdapterBox(CalmComboBox):
    """Its data are ids of runs and paths of files. `nothing` names a first entry that stands for none."""

    def __init__(self, name: str, nothing: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._nothing = nothing
        self._runs: dict[str, RunSummary] = {}
        self._files: list[tuple[str, str]] = []
        self.setAccessibleName(name)
        self.show_runs([])

    def show_runs(self, runs: Sequence[RunSummary]) -> None:
        """Offer every run that has learnt at least one task; the choice stays."""
        chosen = self.currentData()
        self._runs = {run.id: run for run in runs if run.tasks_done > 0}
        self.clear()
        if self._nothing:
            self.addItem(self._nothing, "")
        for run in self._runs.values():
            text = f"{run.name} · {run.backbone} · {percent(run.final_accuracy, 0)}"
            self.addItem(text, run.id)
        for text, path in self._files:
            self.addItem(text, path)
        self.setCurrentIndex(max(0, self.findData(chosen)) if self.count() else -1)

    def add_file(self, text: str, path: str) -> None:
        """Offer an adapter file; one that is offered already stays where it is."""
        if self.findData(path) < 0:
            self._files.append((text, path))
            self.addItem(text, path)

    def chosen(self) -> str:
        """Return the id of a run or the path of a file, or an empty string."""
        return str(self.currentData() or "")

    def run(self) -> RunSummary | None:
        """Return the run chosen, if it is one."""
        return self._runs.get(self.chosen())

    def short_name(self) -> str:
        """Return the name of what is chosen."""
        run = self.run()
        return run.name if run is not None else self.currentText()
