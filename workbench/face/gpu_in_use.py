"""Before a run starts on a GPU: other programs may hold most of its memory. Ask, or wait until they let go."""

from collections.abc import Callable

from workbench.config import RunConfig
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.meter import Meter
from workbench.face.question import Question
from workbench.session.machine import GIB, Gpu

TOO_MUCH = 0.5  # share of the GPU's memory in other hands from which training may fail


class GpuInUse(Feature):
    """Asks once a start; while it waits, the meter's next readings decide."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.question: Question | None = None
        self._start: Callable[[], None] | None = None
        self._meter = next(child for child in desk.children() if isinstance(child, Meter))
        self._meter.changed.connect(self._look_again)
        desk.start_questions.append(self.asks)
        desk.training.state_changed.connect(self._forget)

    def asks(self, config: RunConfig, start: Callable[[], None]) -> bool:
        """Ask whether to start all the same, if the GPU is in use; return whether it is."""
        gpu = self._meter.gpus[0] if self._meter.gpus else None
        self._forget()
        if gpu is None or config.train.device == "cpu" or not _in_use(gpu):
            return False
        if self.desk.training.run is not None and not gpu.knows_own:
            return False  # an earlier run's memory may still be held here and look like another's
        self._start = start
        answers = ((self.tr("Start anyway"), self._start_anyway), (self.tr("Wait"), self._wait))
        self.question = Question(self.sentence(gpu), answers, self.desk.window)
        self.question.finished.connect(self._answered)
        self.question.setProperty("page", "engine")
        self.question.open()
        return True

    def sentence(self, gpu: Gpu) -> str:
        """Return how much is in other hands, in whose most, and what that may mean."""
        used, total = gpu.used_by_others / GIB, (gpu.total or 0) / GIB
        largest = gpu.largest_other
        if largest is None:
            text = self.tr(
                "{used:.1f} of {total:.0f} GB are used by other programs. Training may fail."
            )
            return text.format(used=used, total=total)
        text = self.tr(
            "{used:.1f} of {total:.0f} GB are used by other programs ({name} {held:.1f} GB). "
            "Training may fail."
        )
        held = (largest.used or 0) / GIB
        return text.format(used=used, total=total, name=largest.name, held=held)

    def _start_anyway(self) -> None:
        start = self._start
        self._forget()
        if start is not None and self.desk.training.state == "idle":
            start()

    def _wait(self) -> None:
        text = self.tr("The run starts as soon as other programs have let go of the GPU.")
        answers = (
            (self.tr("Start anyway"), self._start_anyway),
            (self.tr("Do not start"), self._forget),
        )
        self.desk.strips.show_strip("gpu", text, "info", answers)

    def _look_again(self) -> None:
        waiting = "gpu" in self.desk.strips.texts() and self._start is not None
        if waiting and not (self._meter.gpus and _in_use(self._meter.gpus[0])):
            self._start_anyway()

    def _answered(self) -> None:
        self.question = None

    def _forget(self) -> None:
        self._start = None
        self.desk.strips.clear_strip("gpu")


def _in_use(gpu: Gpu) -> bool:
    return bool(gpu.total) and gpu.used_by_others > TOO_MUCH * (gpu.total or 0)
