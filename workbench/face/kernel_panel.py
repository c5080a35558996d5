"""The kernel itself at a moment of a run: among the probe's pictures, and the spectrum of every task."""

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from workbench.face import kernel_words as words, known
from workbench.face.kernel_map import KernelMap
from workbench.face.language import say
from workbench.face.moment_panel import MomentPanel, Shown
from workbench.face.plot import LivePlot
from workbench.face.record import RunRecord
from workbench.face.scene import Scene, effective_rank
from workbench.face.series import Series
from workbench.face.theme import Theme
from workbench.measures import MEASURES


class KernelPanel(MomentPanel):
    """The kernel among the probe's pictures."""

    how_told = Signal(str)  # how the kernel was computed, and when

    def __init__(self, parent: QWidget | None = None, theme: Theme | None = None) -> None:
        super().__init__(say("Kernel of the probe"), (), parent, theme)
        self.setToolTip(
            self.tr(
                "Trace kernel K_ij = (1/C) Σ_a J_ia · J_ja among probe pictures, drawn as K_ij / √(K_ii K_jj)\n"
                "unit: 1 · range: −1 to 1, below 0 drawn as 0 · when: with each snapshot of the kernel"
            )
        )

    def refresh(self) -> None:
        record, scene = self._shown.record, self._shown.scene
        snapshot = known.snapshot(record, self._shown.at)
        how = ""
        if scene is None:
            self.tell(None, self._shown.trouble or words.no_snapshot(record))
        else:
            self.tell(kernel_map(record, scene), words.kernel(record, scene, self._shown.at))
            if snapshot is not None:
                when = known.name_of(record, known.moment_of(snapshot))
                how = say("Measured {when}. {method}").format(when=when, method=snapshot.method)
        self.how_told.emit(how)


def kernel_map(record: RunRecord, scene: Scene) -> KernelMap:
    """Return the drawing of a kernel with the run's names of classes and tasks."""
    classes = tuple(record.class_name(block.label) for block in scene.blocks)
    return KernelMap(scene, classes, {task: record.task_label(task) for task in scene.tasks()})


class SpectrumPanel(LivePlot):
    """Every task's eigenvalues by rank, logarithmic; the effective rank stands in its name."""

    told = Signal(str)

    def __init__(self, parent: QWidget | None = None, theme: Theme | None = None) -> None:
        super().__init__(
            say("Spectrum by task"),
            x_label=say("rank of the eigenvalue (logit²)"),
            parent=parent,
            theme=theme,
        )
        self.set_log(True)
        self._shown = Shown()
        self.setToolTip(MEASURES["ntk.effective_rank"].told())

    def show_moment(self, shown: Shown) -> None:
        """Draw the spectra of the last snapshot by then."""
        self._shown = shown
        scene, record = shown.scene, shown.record
        spectra = {} if scene is None else scene.spectra
        colours = self.theme.task_colours(max([len(record.tasks), *(t + 1 for t in spectra)]))
        for task, values in reversed(spectra.items()):  # the first task lies on top
            rank = effective_rank(values)
            label = record.task_label(task)
            if rank:
                label = say("{task}, rank {rank}").format(task=label, rank=words.plain(rank))
            self.set_line(str(task), label, colours[task], width=2, points=True)
            self.set_points(str(task), Series.of(np.arange(1.0, len(values) + 1), values))
        self.keep_lines([str(task) for task in reversed(spectra)])
        if scene is None:
            text = shown.trouble or words.no_snapshot(record)
        else:
            text = words.spectrum(record, scene, shown.at)
        self.set_empty_text(text)
        self.set_summary(text)
        self.told.emit("" if scene is None else text)

    def take_theme(self, theme: Theme) -> None:
        super().take_theme(theme)
        self.show_moment(self._shown)
