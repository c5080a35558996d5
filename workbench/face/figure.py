"""Figures for paper: drawn anew at their own size in a light theme, never a picture of the window."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from workbench.errors import WorkbenchError
from workbench.events import Event, RunStarted, Snapshot
from workbench.face import known
from workbench.face.canvas import ensure_application
from workbench.face.curve_lines import Beside
from workbench.face.drift_panel import DriftPanel
from workbench.face.kernel_panel import KernelPanel, SpectrumPanel
from workbench.face.language import say
from workbench.face.lost_panel import LostPanel
from workbench.face.matrix import MatrixPanel
from workbench.face.moment_panel import MomentPanel, Shown
from workbench.face.movement_panel import MovementPanel
from workbench.face.pair_panel import PairPanel
from workbench.face.panel import Panel
from workbench.face.plot_file import SIZE, laid_out, plot_of, write_panel
from workbench.face.record import RunRecord
from workbench.face.scene import Scene, scene_of
from workbench.face.theme import DARK, LIGHT, Theme
from workbench.face.views import VIEWS, View

ReadFile = Callable[[str], Mapping[str, NDArray[Any]]]  # path below the run's folder


def export_plots(
    events: Sequence[Event],
    folder: str | Path,
    *,
    title: str,
    formats: Sequence[str] = ("png", "svg", "pdf"),
    theme: str = "light",
    read: ReadFile | None = None,
    beside: Beside | None = None,
) -> list[Path]:
    """Draw a run's plots into `folder` and return the files; plots without a point are left out.

    `title` stands on every figure, say the run's name and profile; the switches' fingerprint
    is added to it. `read` returns the arrays of one of the run's files; without it, or where the
    file is gone or damaged, the kernel's own two figures are left out. `beside` is drawn in the curves,
    too: other runs, and levels such as bounds.
    """
    ensure_application()
    Path(folder).mkdir(parents=True, exist_ok=True)
    title = " · ".join(part for part in (title, switches_of(events)) if part)
    drawn = figures(events, theme=theme, read=read, beside=beside)
    steps = written_figures(
        drawn, Path(folder), title, formats, {"light": LIGHT, "dark": DARK}[theme]
    )
    return list(steps)


def written_figures(
    drawn: Iterable[tuple[str, Panel]],
    folder: Path,
    title: str,
    formats: Sequence[str],
    theme: Theme = LIGHT,
) -> Iterator[Path]:
    """Write panels with `title` below each into `folder`, one file at a time."""
    for key, panel in drawn:
        for form in formats:
            path = folder / f"{key}.{form}"
            write_panel(path, panel, title, theme)
            yield path


def figures(
    events: Sequence[Event],
    *,
    theme: str = "light",
    read: ReadFile | None = None,
    beside: Beside | None = None,
) -> Iterator[tuple[str, Panel]]:
    """Draw what `export_plots` writes, one panel at a time with its key; there is an application already."""
    colours = {"light": LIGHT, "dark": DARK}[theme]
    record = RunRecord()
    record.take(events)
    for key, view in VIEWS.items():
        if _has_points(view, record, colours):
            yield key, plot_of(view, record, colours, beside=beside)
    if record.rows:
        yield "accuracy_matrix", laid_out(MatrixPanel(record=record, theme=colours))
    yield from _of_kernel(record, colours, read)


def switches_of(events: Sequence[Event]) -> str:
    """Return a short fingerprint of the run's switches: equal ones have equal fingerprints."""
    for event in events:
        if isinstance(event, RunStarted):
            text = json.dumps(dict(event.switches), sort_keys=True)
            return say("switches {hash}").format(hash=hashlib.sha256(text.encode()).hexdigest()[:8])
    return ""


def _has_points(view: View, record: RunRecord, theme: Theme) -> bool:
    return any(record.last(line.key) is not None for line in view.lines(record, theme))


def _of_kernel(
    record: RunRecord, theme: Theme, read: ReadFile | None
) -> Iterator[tuple[str, Panel]]:
    """Draw what the tab "NTK" draws of the whole run, as far as there is something to draw."""
    scene = _scene(known.snapshot(record, None), read)
    ended = _scene(known.end_of_task(record, None), read)
    shown = Shown(record, None, scene, ended=ended)
    panels: dict[str, MomentPanel] = {
        "task_overlap": PairPanel(theme=theme),
        "forgetting_parts": LostPanel(theme=theme),
        "kernel_drift_by_task": DriftPanel(theme=theme),
        "movement_of_classes": MovementPanel(theme=theme),
        "kernel_of_probe": KernelPanel(theme=theme),
    }
    panels["kernel_drift_by_task"].choose(True)
    for key, panel in panels.items():
        panel.show_moment(shown)
        panel.hide_choice()
        if panel.drawing is not None:
            yield key, laid_out(panel)
    if shown.scene is not None and shown.scene.spectra:
        spectrum = SpectrumPanel(theme=theme)
        spectrum.show_moment(shown)
        spectrum.lay_out(SIZE)
        yield "kernel_spectrum", spectrum


def _scene(snapshot: Snapshot | None, read: ReadFile | None) -> Scene | None:
    if snapshot is None or read is None:
        return None
    try:
        return scene_of(read(snapshot.path))
    except WorkbenchError:
        return None
