"""The status bar's meter: GPU where there is one, processor and memory, once a second while a run trains."""

import shutil
from collections.abc import Callable

from PySide6.QtCore import QObject, QProcess, QTimer, Signal
from PySide6.QtWidgets import QLabel, QMainWindow, QSizePolicy

from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.session.machine import (
    GIB,
    SMI_FORMAT,
    SMI_GPUS,
    SMI_PROGRAMS,
    Gpu,
    Load,
    library_gpus,
    load,
    parse_gpus,
)

BUSY_MS, IDLE_MS = 1000, 4000  # between two readings, while a run trains and otherwise
HOT, NEARLY_FULL = 85, 0.95  # °C and share of the GPU's memory from which the meter warns
_KILL_MS = 2000


class GpuReader(QObject):
    """Asks for the GPUs without ever waiting: a question still open is not asked again."""

    read = Signal(object)  # tuple of Gpu

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._program = shutil.which("nvidia-smi") or ""
        self._library = library_gpus() is not None
        self._gpus = ""
        self._process: QProcess | None = None

    @property
    def present(self) -> bool:
        """Whether there is anything to ask."""
        return self._library or bool(self._program)

    def ask(self) -> None:
        """Ask; `read` brings the answer, if there is one."""
        if self._library:
            self.read.emit(library_gpus() or ())
        elif self._program and self._process is None:
            self._start(SMI_GPUS, self._gpus_told)

    def shut_down(self) -> None:
        """End a question that is still open."""
        process, self._process = self._process, None
        if process is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(_KILL_MS)
            process.deleteLater()

    def _start(self, query: str, then: Callable[[], None]) -> None:
        self._process = QProcess(self)
        self._process.finished.connect(then)
        self._process.errorOccurred.connect(self._failed)
        self._process.start(self._program, [query, SMI_FORMAT])

    def _answer(self) -> str:
        """Return what the program printed; empty if it failed. The question is closed."""
        process, self._process = self._process, None
        if process is None:
            return ""
        process.deleteLater()
        if process.exitCode() != 0:
            return ""
        return process.readAllStandardOutput().toStdString()

    def _gpus_told(self) -> None:
        self._gpus = self._answer()
        if self._gpus:
            self._start(SMI_PROGRAMS, self._programs_told)
        else:
            self.read.emit(())

    def _programs_told(self) -> None:
        self.read.emit(parse_gpus(self._gpus, self._answer()))

    def _failed(self) -> None:
        if (
            self._process is not None
            and self._process.error() == QProcess.ProcessError.FailedToStart
        ):
            self._process.deleteLater()
            self._process = None
            self.read.emit(())


class Meter(Feature):
    """Shows the readings in the status bar, and keeps the last one for who wants to know."""

    changed = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.gpus: tuple[Gpu, ...] = ()
        self.label = QLabel(desk.window)
        self.label.setProperty("muted", "true")
        self.label.setContentsMargins(0, 0, 8, 0)
        self.label.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        longest = self._load_text(Load(100.0, int(888.8 * GIB), 888 * GIB))
        widest = self.label.fontMetrics().horizontalAdvance(longest)
        self.label.setMinimumWidth(widest + 8)  # the bar is not laid out anew for a longer number
        if isinstance(desk.window, QMainWindow):
            desk.window.statusBar().addPermanentWidget(self.label)
        self.reader = GpuReader(self)
        self.reader.read.connect(self._take)
        self._timer = QTimer(self)
        self._timer.setInterval(IDLE_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        desk.training.state_changed.connect(self._change_pace)
        load()  # the first call only begins the count
        self._show(load())
        self.reader.ask()

    def look(self) -> None:
        """Take a reading now."""
        self._show(load())
        self.reader.ask()

    def shut_down(self) -> None:
        """Stop reading."""
        self._timer.stop()
        self.reader.shut_down()

    def _change_pace(self) -> None:
        idle = self.desk.training.state == "idle"
        self._timer.setInterval(IDLE_MS if idle else BUSY_MS)

    def _take(self, gpus: tuple[Gpu, ...]) -> None:
        self.gpus = gpus
        self.changed.emit()

    def _show(self, now: Load) -> None:
        parts = [self._gpu_text(gpu) for gpu in self.gpus[:1]]
        if len(self.gpus) > 1:
            parts.append(self.tr("+{count} GPU").format(count=len(self.gpus) - 1))
        parts.append(self._load_text(now))
        text = "   ".join(parts)
        warns = any(_warns(gpu) for gpu in self.gpus)
        self.label.setText(text)
        self.label.setAccessibleName(text)
        self.label.setToolTip(self._help())
        if self.label.property("level") != ("warning" if warns else ""):
            self.label.setProperty("level", "warning" if warns else "")
            self.label.style().polish(self.label)

    def _load_text(self, now: Load) -> str:
        text = self.tr("CPU {use:.0f} % · {used:.1f} of {total:.0f} GB")
        used, total = now.memory_used / GIB, now.memory_total / GIB
        return text.format(use=now.processor, used=used, total=total)

    def _gpu_text(self, gpu: Gpu) -> str:
        """Return "RTX 4090 9.1/24 GB 97 % 71 °C", without what this GPU does not tell."""
        parts = [gpu.name.removeprefix("NVIDIA ").removeprefix("GeForce ")]
        if gpu.used is not None and gpu.total is not None:
            parts.append(f"{gpu.used / GIB:.1f}/{gpu.total / GIB:.0f} GB")
        if gpu.use is not None:
            parts.append(f"{gpu.use} %")
        if gpu.temperature is not None:
            parts.append(f"{gpu.temperature} °C")
        return " ".join(parts)

    def _help(self) -> str:
        text = self.tr("Use of all cores, and memory in use by all programs")
        if self.gpus:
            text = self.tr("GPU: memory, use, temperature. CPU: use of all cores, memory in use")
        return "\n".join([text, *(self._gpu_text(gpu) for gpu in self.gpus)])


def _warns(gpu: Gpu) -> bool:
    hot = gpu.temperature is not None and gpu.temperature >= HOT
    return hot or bool(gpu.used and gpu.total and gpu.used >= NEARLY_FULL * gpu.total)
