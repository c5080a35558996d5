"""A panel: of the pictures of each task, how many are answered with a class of another task."""

from workbench.plugins import PanelChoice, hookimpl
from workbench.registry import Registry

__version__ = "1.0"


def make_panel():  # noqa: C901  (a class, and Qt only when it is needed)
    """Return the widget; Qt is imported here, when the window needs it, and not with the file."""
    from PySide6.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget

    from workbench.events import Evaluated, RunStarted

    class TaskConfusion(QWidget):
        """One bar a task, from the run's newest row of tests."""

        def __init__(self):
            super().__init__()
            self.names, self.bars, self.labels = [], [], []
            self.column = QVBoxLayout(self)
            self.column.addStretch(1)

        def show_news(self, events):
            """Take the run's next events; the newest row is drawn."""
            for event in events:
                if isinstance(event, RunStarted):
                    self.names = [task.name for task in event.tasks]
                elif isinstance(event, Evaluated):
                    self.show_row(event.task_id)

        def show_row(self, task_id):
            while len(self.bars) < len(task_id):
                self.labels.append(QLabel(self))
                self.bars.append(QProgressBar(self, textVisible=False))
                for widget in (self.labels[-1], self.bars[-1]):
                    self.column.insertWidget(self.column.count() - 1, widget)
            for label, bar, name, right in zip(
                self.labels, self.bars, self.names, task_id, strict=False
            ):
                bar.setValue(round(100 * (1 - right)))
                label.setText(f"{name}: {1 - right:.0%} taken for another task")
                bar.setAccessibleName(label.text())

        def clear(self):
            """Forget the run."""
            for widget in (*self.labels, *self.bars):
                widget.deleteLater()
            self.labels, self.bars = [], []

    return TaskConfusion()


@hookimpl
def register_panels(registry: Registry[PanelChoice]) -> None:
    """Add the tab."""
    registry.add("task-confusion", PanelChoice("task-confusion", "Confusion", make_panel))
