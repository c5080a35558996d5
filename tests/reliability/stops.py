"""How soon what trains answers and is gone: stopped, left alone by its owner, killed, given up.

    python -m tests.reliability.stops [--times 4] [--seed 0] [--only stops orphans deaths cancels]

On the sample's backbone with a few pictures of each class, so that a step and a piece take what they take in the
sample. Prints a table; ends with 1 if something did not end as it should.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.engines import PATIENCE, Working, engines, session_of, wait_for
from tests.reliability import in_window
from tests.reliability.moments import COLD, PHASES, Tally, configuration, is_in
from tests.reliability.owned import Owner, is_gone
from workbench.config import to_toml
from workbench.events import Checkpointed, Step
from workbench.session import Session

WITHIN = 0.7  # seconds after a phase has begun


def stops(root: Path, times: int, chance: random.Random, tally: Tally) -> None:
    """Stop runs in every phase, in an engine that was warm but for the first phase."""
    for number in range(times):
        with session_of("process", root / f"cold {number}") as session:
            _stop_one(session, COLD, chance, tally)
    with session_of("process", root / "warm") as session:
        for phase in [phase for phase in PHASES if phase != COLD for _ in range(times)]:
            _stop_one(session, phase, chance, tally)


def _stop_one(session: Session, phase: str, chance: random.Random, tally: Tally) -> None:
    working = Working(session.start(configuration(session)))
    if phase == COLD:
        wait_for(engines, "an engine")
    else:
        working.wait_for(lambda event: is_in(phase, event))
    time.sleep(chance.random() * WITHIN)
    began = time.monotonic()
    working.run.stop()
    working.thread.join(PATIENCE)
    tally.add("stops", phase, time.monotonic() - began)
    if working.run.state != "stopped":
        tally.faults.append(f"stopped while {phase}: {working.run.state}")


def orphans(root: Path, times: int, chance: random.Random, tally: Tally) -> None:
    """Kill owners in every phase, and see what they leave behind."""
    root.mkdir(parents=True)
    file = root / "run.toml"
    with session_of("thread", root / "home") as session:
        file.write_text(to_toml(configuration(session)), "utf-8")
    for phase in [phase for phase in PHASES for _ in range(times)]:
        owner = Owner(root / "home", "process", str(file))
        _wait_for_phase(owner, phase)
        time.sleep(chance.random() * WITHIN)
        family, began = owner.engines(), time.monotonic()
        owner.kill()
        for each in family:
            wait_for(lambda each=each: is_gone(each), "its end")  # type: ignore[misc]
        tally.add("orphans", phase, time.monotonic() - began)
        owner.wait(PATIENCE)
        _look_at_what_is_left(root / "home", owner, phase, tally)


def _wait_for_phase(owner: Owner, phase: str) -> None:
    wait_for(lambda: owner.engine() or owner.ended, "an engine")
    if phase != COLD:
        heard = owner.heard
        wait_for(lambda: owner.ended or any(is_in(phase, each.event) for each in heard), phase)


def _look_at_what_is_left(home: Path, owner: Owner, phase: str, tally: Tally) -> None:
    """The next start must find the run cut off; how many steps of it were for nothing."""
    with closing(Session(home, entry_points=False)) as session:
        events, state = session.events(owner.run), session.details(owner.run).summary.state
        offered = [run.id for run in session.resuming.cut_off()]
    if owner.run not in offered:
        tally.faults.append(f"owner killed while {phase}: the run is {state}")
    done = sum(isinstance(event, Step) for event in events)
    kept = max((event.step for event in events if isinstance(event, Checkpointed)), default=0)
    tally.lost.setdefault(phase, []).append(done - kept)


KINDS: dict[str, Callable[[Path, int, random.Random, Tally], None]] = {
    "stops": stops,
    "orphans": orphans,
    "deaths": in_window.deaths,
    "cancels": in_window.cancels,
}


def main(words: list[str]) -> int:
    """Measure; 1 if anything did not end as it should."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=4, help="of each phase")
    parser.add_argument("--seed", type=int, default=0, help="other moments")
    parser.add_argument("--only", nargs="+", choices=tuple(KINDS), default=tuple(KINDS))
    chosen = parser.parse_args(words)
    chance, tally = random.Random(chosen.seed), Tally()
    with tempfile.TemporaryDirectory(prefix="stops-") as folder:
        for kind in chosen.only:
            KINDS[kind](Path(folder) / kind, chosen.times, chance, tally)
    for fault in tally.faults:
        sys.stdout.write(f"\n--- {fault}\n")
    sys.stdout.write(f"\n{tally.table()}\n")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
