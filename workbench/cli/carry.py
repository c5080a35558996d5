"""Commands that carry a run away from this computer, or bring one from another."""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

from workbench.cli.commands import print_out, say
from workbench.cli.text import plot_title
from workbench.errors import WorkbenchError, because
from workbench.report import RunDetails
from workbench.session import Session


def export(session: Session, options: argparse.Namespace) -> int:
    """Write adapter, plots and numbers; these three if nothing is named."""
    details = session.details(options.run)
    if options.exporter:
        events = session.events(details.summary.id)
        files = session.plug_ins.export(options.exporter, details, events, Path(options.to))
        print_out(None, False, "\n".join(map(str, files)))
        return 0
    everything = not (options.adapter or options.plots or options.csv or options.report)
    learnt = details.summary.tasks_done > 0
    if everything and not learnt:
        say("The run has no adapter yet, so only plots and numbers are written.")
    written = session.export(
        details.summary.id,
        options.to,
        adapter=options.adapter or (everything and learnt),
        numbers=everything or options.csv,
    )
    if everything or options.plots:
        written += _export_plots(session, details, Path(options.to) / "plots")
    if options.report:
        written.append(_export_report(session, details, Path(options.to)))
    print_out(None, False, "\n".join(map(str, written)))
    return 0


def bundle(session: Session, options: argparse.Namespace) -> int:
    """Write a run as one file."""
    print_out(None, False, str(session.bundle(options.run, options.file)))
    return 0


def open_bundle(session: Session, options: argparse.Namespace) -> int:
    """Take a bundled run into the log."""
    run = session.details(session.open_bundle(options.file)).summary
    print_out(None, False, f"{run.name} ({run.id}) was taken into the log.")
    return 0


def _export_plots(session: Session, details: RunDetails, folder: Path) -> list[Path]:
    _draw_without_screen(session)
    _made("The plots", folder)
    from workbench.face.canvas import ensure_application
    from workbench.face.curve_lines import Beside, bounds_beside
    from workbench.face.figure import export_plots

    events, title = session.events(details.summary.id), plot_title(details)
    application = ensure_application()  # lives as long as its name, so until the last plot is drawn
    read = partial(session.arrays, details.summary.id)
    beside = Beside(levels=bounds_beside(session.groups.bounds(details.summary.id)))
    files = export_plots(events, folder, title=title, read=read, beside=beside)
    application.processEvents()
    return files


def _export_report(session: Session, details: RunDetails, folder: Path) -> Path:
    _draw_without_screen(session)
    _made("The report", folder)
    from workbench.face.canvas import ensure_application
    from workbench.face.run_report import facts_of, run_figures, run_page
    from workbench.face.whole import write_text

    application = ensure_application()
    facts = facts_of(session, details.summary.id)
    path = write_text(folder / "report.html", run_page(facts, list(run_figures(session, facts))))
    application.processEvents()
    return path


def _draw_without_screen(session: Session) -> None:
    """Make ready to draw without a screen, so that it works on a server, what plug-ins measure included."""
    from workbench.face import app

    app.require_qt()
    if sys.platform.startswith("linux"):  # elsewhere Qt needs the system for its fonts
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from workbench.face.views import add_view_of

    for extra in session.plug_ins.loaded.measures:
        add_view_of(extra.measure)


def _made(what: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkbenchError(
            f"{what} could not be written to {folder}: {because(error)}. Choose another place."
        ) from error
