"""What a run would need, asked of a session: refusals first, then the dry steps with the run's own method."""

import typing
from collections.abc import Iterator

from workbench.config import RunConfig
from workbench.events import Note, Stage
from workbench.report import RunEstimate
from workbench.session.checks import must_be_startable
from workbench.session.engine import LOADING, starting

if typing.TYPE_CHECKING:
    from workbench.session.session import Session


def estimate(session: "Session", config: RunConfig) -> Iterator[Stage | Note | RunEstimate]:
    """Yield progress, and last the estimate of a run of `config`; nothing is entered into the log.

    Raises:
        WorkbenchError: such a run could not start, or torch cannot be imported.
    """
    config = session.plug_ins.prepared(config)
    must_be_startable(config)
    yield Stage(LOADING)
    with starting():
        from workbench.core.estimate import estimate as dry_estimate
    yield (yield from dry_estimate(config, session.home, session.plug_ins.learner(config)))
