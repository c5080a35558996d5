"""Kills by the hundred: of what trains, and of what owns it, at any moment; nothing may be lost by it.

    python -m tests.reliability.kills --kills 200 [--seed 0] [--minutes 60]

Every run is killed again and again, resumed each time, and at last let go to its end, where it must
have said and learnt what a run said and learnt that nobody killed. Prints tables.
"""

import argparse
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.reliability.owned import Owner, is_gone
from tests.trained import folders, quick_config
from workbench import paths
from workbench.config import RunConfig, to_toml, with_values
from workbench.errors import WorkbenchError
from workbench.events import (
    Checkpointed,
    Event,
    Interrupted,
    Pace,
    Paused,
    Resumed,
    Stage,
    Step,
)
from workbench.log.store import UNDER_WAY
from workbench.session import Session

VICTIMS = ("child", "window", "command")  # a command trains in its own process
PHASES = ("starting", "loading", "training", "saving, evaluating", "over")
ACKNOWLEDGED = 0.5  # seconds that an event must have been heard before a kill to count
PATIENCE = 120.0
MOST_KILLS = 8  # of one run
EARLY = 0.3  # share of the kills while it starts and loads
BY_CLOCK_AND_USER = (Checkpointed, Paused, Resumed, Interrupted, Stage, Pace)


@dataclass
class Tally:
    """What became of the kills, faults as sentences that say which."""

    kills: dict[tuple[str, str], int] = field(default_factory=dict)  # by victim and phase
    runs: int = 0
    resumed: int = 0
    corrupt: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    left_running: list[str] = field(default_factory=list)
    not_resumable: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)  # a child's kill that its owner did not hear of
    gone: list[float] = field(
        default_factory=list
    )  # seconds from a window's kill to its child's end
    told: list[float] = field(
        default_factory=list
    )  # seconds from a child's kill to the owner's word

    @property
    def number(self) -> int:
        """How many kills there were."""
        return sum(self.kills.values())

    @property
    def faults(self) -> dict[str, list[str]]:
        """What must not be, by its name."""
        return {
            "corrupt logs": self.corrupt, "lost rows": self.lost, "runs left running": self.left_running,
            "not resumable": self.not_resumable, "different results": self.different,
            "owners not told": self.untold,
        }  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """What an uninterrupted run said and learnt, and how long it took to load and to train."""

    file: Path  # its configuration
    events: list[Event]
    adapter: bytes
    steps: int
    load: float
    train: float


def configuration(root: Path, *, monitored: bool) -> RunConfig:
    """Return two tiny tasks of two epochs; the monitor is given all the time it wants, so that no clock thins it."""
    values = {"monitor.budget": 1.0} if monitored else {"monitor.probe_per_task": 0}
    return with_values(quick_config(folders(root / "pictures"), epochs=2), values)


def reference(root: Path, config: RunConfig) -> Reference:
    """Train the run once, undisturbed."""
    root.mkdir(parents=True, exist_ok=True)
    file = root / "run.toml"
    file.write_text(to_toml(config), "utf-8")
    owner = Owner(root / "home", "process", str(file))
    _until(lambda: owner.trains or owner.ended)
    loaded = time.monotonic()
    owner.wait(PATIENCE)
    assert owner.phase == "over", owner.complaints
    with closing(Session(root / "home", entry_points=False)) as session:
        events = _decided(session.events(owner.run))
    steps = sum(isinstance(event, Step) for event in events)
    train = owner.heard[-1].at - loaded
    adapter = _adapter(root / "home", owner.run)
    return Reference(file, events, adapter, steps, loaded - owner.began, train)


class Trial:
    """One run, killed some times and resumed each time; `whole` is what it must come to."""

    def __init__(
        self,
        home: Path,
        whole: Reference,
        chance: random.Random,
        tally: Tally,
        victims: Sequence[str] = VICTIMS,
    ) -> None:
        self._home, self._whole, self._chance, self._tally = home, whole, chance, tally
        self._victims = victims
        self._run = ""  # its id, once the log knows it
        self._state = ""

    def go(self, kills: int) -> None:
        """Kill the run this many times, unless it ends before; then let it end, and compare."""
        self._tally.runs += 1
        for _ in range(kills):
            self._kill_once(self._victims[self._tally.number % len(self._victims)])
            if self._state == "finished":
                break
        if self._state != "finished":
            owner = self._owner("process")
            owner.wait(PATIENCE)
            self.take_stock(owner)
        self._compare()

    def _owner(self, kind: str) -> Owner:
        self._tally.resumed += bool(self._run)
        return Owner(self._home, kind, self._run or str(self._whole.file))

    def _kill_once(self, victim: str) -> None:
        owner = self._owner("thread" if victim == "command" else "process")
        self._wait_for_the_moment(owner)
        engine = owner.engine()
        if victim == "child":
            _until(lambda: owner.engine() is not None or owner.ended)
            engine = owner.engine()
        if owner.ended or (victim == "child" and engine is None):
            owner.wait(PATIENCE)
            self.take_stock(owner)
            return
        family, phase, at = owner.engines(), owner.phase, time.monotonic()
        if victim == "child" and engine is not None:
            engine.kill()
        else:
            owner.kill()
        if victim == "window":
            _until(lambda: all(is_gone(each) for each in family))
            self._tally.gone.append(time.monotonic() - at)
        owner.wait(PATIENCE)
        self._tally.kills[victim, phase] = self._tally.kills.get((victim, phase), 0) + 1
        if victim == "child":
            self._note_told(owner, at, f"child killed while {phase}")
        self.look_at_the_log(f"{victim} killed while {phase}")
        self.take_stock(owner, at, f"{victim} killed while {phase}")

    def _note_told(self, owner: Owner, at: float, what: str) -> None:
        """Note when the owner was told; a run may have ended just before, whose last word was on its way."""
        if owner.phase != "over":
            last = owner.heard[-1].event if owner.heard else None
            self._tally.untold.append(f"{what}: {owner.run}: {last}")
        self._tally.told += [e.at - at for e in owner.heard if isinstance(e.event, Interrupted)]

    def _wait_for_the_moment(self, owner: Owner) -> None:
        """Wait until a random moment of what the run still has to do."""
        share = self._chance.random()
        if self._chance.random() < EARLY:
            time.sleep(share * self._whole.load)
            return
        _until(lambda: owner.trains or owner.ended)
        left = 1 - owner.known / (len(self._whole.events) or 1)
        time.sleep(share * max(left, 0.05) * self._whole.train)

    def look_at_the_log(self, what: str) -> None:
        """See whether the file is whole, as the kill left it."""
        log = self._home / paths.LOG_NAME
        if not log.exists():
            return
        try:
            with closing(sqlite3.connect(log)) as db:
                (found,) = db.execute("PRAGMA quick_check").fetchone()
        except sqlite3.DatabaseError as error:  # too damaged to be checked
            found = str(error)
        if found != "ok":
            self._tally.corrupt.append(f"{what}: {found}")

    def take_stock(self, owner: Owner, at: float = float("inf"), what: str = "to its end") -> None:
        """Open the log as the next start does, and look for what must not be."""
        with closing(Session(self._home, entry_points=False)) as session:
            alive = [run.name for run in session.runs() if run.state in UNDER_WAY]
            self._tally.left_running += [f"{what}: {name}" for name in alive]
            if owner.run:
                logged = session.events(owner.run)[owner.known :]
                heard = owner.acknowledged(at - ACKNOWLEDGED)
                missing = [event for event in heard if event not in logged]
                if missing or logged[: len(heard)] != heard:
                    self._tally.lost.append(f"{what}: {len(missing)} of {len(heard)}: {missing}")
            newest = next(iter(session.runs()), None)
            self._run = owner.run or self._run or (newest.id if newest else "")
            self._state = session.details(self._run).summary.state if self._run else ""
        if owner.complaints and "Traceback" in owner.complaints:
            self._tally.not_resumable.append(f"{what}: {owner.complaints}")

    def _compare(self) -> None:
        with closing(Session(self._home, entry_points=False)) as session:
            if self._state != "finished":
                reason = session.details(self._run).summary.state_reason
                self._tally.not_resumable.append(f"{self._home}: {self._state}, {reason}")
                return
            said = _decided(session.events(self._run))
        if said != self._whole.events:
            self._tally.different.append(f"{self._home}: {_difference(said, self._whole.events)}")
        if _adapter(self._home, self._run) != self._whole.adapter:
            self._tally.different.append(f"{self._home}: the adapter")


def kill(
    kills: int,
    seed: int,
    root: Path,
    minutes: float = 60.0,
    monitored: Sequence[bool] = (True, False),
    victims: Sequence[str] = VICTIMS,
) -> Tally:
    """Do so many kills, or as many as the minutes allow; runs have the monitor on or off by turns."""
    chance, tally, began = random.Random(seed), Tally(), time.monotonic()
    wholes = [
        reference(root / f"whole {on}", configuration(root / f"whole {on}", monitored=on))
        for on in monitored
    ]
    while tally.number < kills and time.monotonic() - began < 60 * minutes:
        home = root / f"home {tally.runs}"
        some = min(chance.randint(2, MOST_KILLS), kills - tally.number)
        try:
            Trial(home, wholes[tally.runs % len(wholes)], chance, tally, victims).go(some)
        except WorkbenchError as error:
            tally.not_resumable.append(f"{home}: {error}")
        sys.stderr.write(f"{tally.number} kills, {tally.runs} runs\n")
    return tally


def table_of(tally: Tally) -> str:
    """Return the tables of RESULTS.md."""
    lines = [f"| killed | {' | '.join(PHASES)} | all |", "|---" * (len(PHASES) + 2) + "|"]
    for victim in VICTIMS:
        row = [tally.kills.get((victim, phase), 0) for phase in PHASES]
        lines.append(f"| {victim} | {' | '.join(map(str, row))} | {sum(row)} |")
    lines += ["", f"| runs | resumed | {' | '.join(tally.faults)} |", "|---" * 8 + "|"]
    counts = " | ".join(str(len(found)) for found in tally.faults.values())
    lines.append(f"| {tally.runs} | {tally.resumed} | {counts} |")
    lines += ["", "| seconds | times | p50 | p95 | longest |", "|---|---|---|---|---|"]
    lines.append(_times("from a window's kill until its child is gone", tally.gone))
    lines.append(_times("from a child's kill until its owner is told", tally.told))
    return "\n".join(lines)


def _times(what: str, seconds: list[float]) -> str:
    if len(seconds) < 2:
        return f"| {what} | {len(seconds)} | | | {max(seconds, default=0.0):.2f} |"
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    return f"| {what} | {len(seconds)} | {statistics.median(seconds):.2f} | {p95:.2f} | {max(seconds):.2f} |"


def _decided(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, BY_CLOCK_AND_USER)]


def _adapter(home: Path, run: str) -> bytes:
    return (paths.run_folder(home, run) / "adapter" / "adapter.safetensors").read_bytes()


def _difference(one: list[Event], other: list[Event]) -> str:
    pairs = zip(one, other, strict=False)
    first = next((pair for pair in pairs if pair[0] != pair[1]), "one is longer")
    return f"{len(one)} events for {len(other)}; {first}"


def _until(so: Callable[[], object]) -> None:
    began = time.monotonic()
    while not so():
        if time.monotonic() - began > PATIENCE:
            raise TimeoutError(f"not within {PATIENCE} s")
        time.sleep(0.005)


def main(words: list[str]) -> int:
    """Run the long form; 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="other moments")
    parser.add_argument("--victims", nargs="+", choices=VICTIMS, default=VICTIMS)
    parser.add_argument("--minutes", type=float, default=60.0, help="no new run after so many")
    chosen = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        root, victims = Path(folder), tuple(chosen.victims)
        tally = kill(chosen.kills, chosen.seed, root, chosen.minutes, victims=victims)
    for name, found in tally.faults.items():
        for each in found:
            sys.stdout.write(f"\n--- {name}: {each}\n")
    sys.stdout.write(f"\n{table_of(tally)}\n")
    return 1 if any(tally.faults.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
