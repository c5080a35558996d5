"""The process that owns a run, as a window does but without one: to be killed by `tests.reliability.kills`.

    python -m tests.reliability.owner HOME process|thread RUN.toml|RUN-ID

Starts the configuration, or resumes the run, and prints a line for the run and one for every event
as soon as it is told: the kind, a tab, the fields as JSON.
"""

import sys
import threading
import time
from pathlib import Path

from tests.engines import session_of
from workbench.config import load_config
from workbench.events import to_json
from workbench.session import Run, Session

POLL_SECONDS = 0.02


def main(home: Path, kind: str, asked: str) -> None:
    """Own the run to its end."""
    with session_of(kind, home) as session:
        run = begun(session, asked)
        say("run", f'{{"id": "{run.id}", "known": {len(session.events(run.id))}}}')
        worker = threading.Thread(target=run.work)
        worker.start()
        while worker.is_alive():
            tell(run)
            time.sleep(POLL_SECONDS)
        worker.join()
        tell(run)


def begun(session: Session, asked: str) -> Run:
    """Start what the file says, or resume the run of this id."""
    if asked.endswith(".toml"):
        return session.start(load_config(Path(asked)))
    return session.resuming.resume(asked)


def tell(run: Run) -> None:
    """Print what is new."""
    for event in run.news():
        say(type(event).__name__, to_json(event))


def say(kind: str, text: str) -> None:
    """Print one line that whoever reads has at once."""
    sys.stdout.write(f"{kind}\t{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
