"""A run's adapter and numbers written into a folder; an adapter is kept only once it has been read back."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from workbench import paths
from workbench.errors import CannotWrite, UsageError, WorkbenchError, because
from workbench.session.engine import starting

if TYPE_CHECKING:
    from workbench.session.session import Session


def write(
    session: "Session", run: str, target: Path, *, adapter: bool = True, numbers: bool = True
) -> list[Path]:
    """Write the run's adapter and its numbers below `target`; return the files."""
    details, written = session.details(run), []
    if numbers:
        events = session.events(run)
        written += session.plug_ins.export("numbers", details, events, target)
        written += session.results.export(details.summary.id, events, target)
    if adapter:
        source = paths.run_folder(session.home, details.summary.id)
        written += _write_adapter(source, target / "adapter", session.home)
    return written


def _write_adapter(source: Path, target: Path, home: Path) -> list[Path]:
    """Export beside the target first: a bad copy never takes the place of a good one."""
    with starting():
        from workbench.core.card import export_adapter
    try:
        target.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="check-", dir=target.parent) as beside:
            checked = export_adapter(source, Path(beside), home)
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
