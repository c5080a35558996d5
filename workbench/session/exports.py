"""A run's adapter and numbers written into a folder; an adapter is kept only once it has been read back."""

from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from workbench import paths
from workbench.errors import CannotWrite, UsageError, WorkbenchError, because
from workbench.events import Stage
from workbench.session.engine import LOADING, starting

if TYPE_CHECKING:
    from workbench.session.session import Session


def write(
    session: "Session", run: str, target: Path, *, adapter: bool = True, numbers: bool = True
) -> Generator[Stage | list[Path], None, None]:
    """Write the run's adapter and its numbers below `target`; the last item is the files.

    Closing it gives up between two stages: a file that is there is whole.
    """
    details, written = session.details(run), []
    if adapter:
        source = paths.run_folder(session.home, details.summary.id)
        written += yield from _write_adapter(source, target / "adapter", session.home)
    if numbers:
        yield Stage("Writing the numbers")
        events = session.events(run)
        written += session.plug_ins.export("numbers", details, events, target)
        yield Stage("Writing the answers on single pictures")
        written += session.results.export(details.summary.id, events, target)
    yield written


def _write_adapter(source: Path, target: Path, home: Path) -> Generator[Stage, None, list[Path]]:
    """Export beside the target first: a bad copy never takes the place of a good one."""
    yield Stage(LOADING)
    with starting():
        from workbench.core.card import export_adapter
    try:
        target.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="check-", dir=target.parent) as beside:
            checked = yield from export_adapter(source, Path(beside), home)
            return [path.replace(target / path.name) for path in checked]
    except OSError as error:
        raise CannotWrite(
            f"Could not write to {target}: {because(error)}. Choose another place."
        ) from error
    except UsageError as error:  # damaged where the run keeps it: no mistake of who asks
        raise WorkbenchError(f"The run's adapter was not exported. {error}") from error
    finally:
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
