"""The one way in which the window starts a run: after every question that comes before it."""

from collections.abc import Callable
from functools import partial

from workbench.config import RunConfig
from workbench.errors import WorkbenchError
from workbench.face.desk import Desk, StartQuestion


def start(desk: Desk, make: Callable[[], RunConfig], *, of_draft: bool = True) -> None:
    """Start the run that `make` returns, once nothing has to be asked first."""

    def begin(config: RunConfig) -> None:
        run = desk.session.start(config)
        desk.begin(run, of_draft=of_draft and config == desk.draft.state.run_config())

    ask_first(desk, make, begin)


def ask_first(
    desk: Desk,
    make: Callable[[], RunConfig],
    begin: Callable[[RunConfig], None],
    answered: tuple[StartQuestion, ...] = (),
) -> None:
    """Let `begin` have what `make` returns, once nothing has to be asked about it.

    An answer calls this again, perhaps much later: by then another run may have begun, what `make`
    returns may be another, and there may be something else to ask.
    """
    if desk.training.state != "idle":
        desk.toast.say(desk.reason())
        return
    try:
        config = make()
        for asks in desk.start_questions:
            go_on = partial(ask_first, desk, make, begin, (*answered, asks))
            if asks not in answered and asks(config, go_on):
                return
        begin(config)
    except WorkbenchError as error:
        desk.strips.show_strip("start", str(error), "error")
