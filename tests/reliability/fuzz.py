"""Malformed inputs by the thousand: none may crash, hang, or write outside the home folder.

    python -m tests.reliability.fuzz --examples 10000 [--seed 0] [--only "bundles"]

Prints a table by kind. Only a WorkbenchError, a sentence for the user, counts as refused; every
other exception is a crash, and is printed with its traceback.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.reliability.kinds import KINDS_OF_INPUT
from tests.reliability.sandbox import Sandbox
from workbench.errors import WorkbenchError

LONGEST = 30  # seconds that one input may take, on a machine that does other things too


class Hang(BaseException):
    """An input took too long. No `except Exception` on its way may keep it."""


@dataclass
class Tally:
    """What became of one kind's inputs."""

    kind: str
    examples: int = 0
    refused: int = 0
    accepted: int = 0
    hangs: list[str] = field(default_factory=list)
    crashes: dict[str, str] = field(default_factory=dict)  # where: the first traceback and input
    crashed: int = 0
    strayed: list[str] = field(default_factory=list)  # written outside
    slowest: float = 0.0
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Whether nothing crashed, hung or strayed."""
        return not (self.crashes or self.hangs or self.strayed)

    def take(self, example: Any, target: Callable[[Any], None]) -> None:
        """Put one input through and note what became of it."""
        began = time.perf_counter()
        self.examples += 1
        try:
            with _limited():
                target(example)
            self.accepted += 1
        except WorkbenchError as error:
            self.refused += 1
            if not str(error).strip():
                self.crashes.setdefault("a refusal without a sentence", repr(example)[:600])
        except Hang:
            self.hangs.append(repr(example)[:300])
        except Exception as error:  # noqa: BLE001  (this is what is looked for)
            self.crashed += 1
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} in {last.filename}:{last.lineno}"
            text = "".join(traceback.format_exception(error)[-6:])
            self.crashes.setdefault(place, f"{text}input: {repr(example)[:600]}")
        self.slowest = max(self.slowest, time.perf_counter() - began)


@contextmanager
def _limited() -> Iterator[None]:
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def ring(*_: Any) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LONGEST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fuzz(kind: str, examples: int, root: Path, start: int = 0) -> Tally:
    """Put that many inputs of one kind through, in a sandbox of its own below `root`."""
    place = Sandbox(root / kind.replace(" ", "-"))
    for folder in (place.home, place.given, place.root / "others" / "photos"):
        folder.mkdir(parents=True)
    (place.root / "others" / "diary.txt").write_text("Dear diary", encoding="utf-8")
    tally, here = Tally(kind), Path.cwd()
    os.chdir(place.root / "others")  # a relative path would be written here
    try:
        inputs, target = KINDS_OF_INPUT[kind][0](place)
        before = _outside(place)

        def one(example: Any) -> None:
            tally.take(example, target)
            if _outside(place) != before and len(tally.strayed) < 5:
                tally.strayed.append(repr(example)[:300])

        began = time.perf_counter()
        rules = settings(
            max_examples=examples, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        rules(seed(start)(given(inputs)(one)))()
        tally.seconds = time.perf_counter() - began
    finally:
        os.chdir(here)
        place.stack.close()
    return tally


def _outside(place: Sandbox) -> list[tuple[str, int, int]]:
    """Return everything in the sandbox but what may change, with size and time."""
    found = [each for each in place.root.iterdir() if each not in (place.home, place.given)]
    found += [each for folder in list(found) for each in folder.rglob("*")]
    return sorted((str(each), each.stat().st_size, each.stat().st_mtime_ns) for each in found)


def table_of(tallies: list[Tally]) -> str:
    """Return the tallies as a table in Markdown."""
    lines = [
        "| inputs | examples | refused with a sentence | accepted | crashes | hangs | written outside | slowest |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {t.kind} | {t.examples:,} | {t.refused:,} | {t.accepted:,} | {t.crashed:,} | {len(t.hangs)} "
        f"| {len(t.strayed)} | {t.slowest:.2f} s |"
        for t in tallies
    ]
    sums = [sum(values) for values in zip(*((t.examples, t.refused, t.accepted, t.crashed, len(t.hangs), len(t.strayed)) for t in tallies), strict=True)]  # fmt: skip
    cells = " | ".join(f"**{value:,}**" for value in sums)
    return "\n".join([*lines, f"| **all** | {cells} | |"])


def main(words: list[str]) -> int:
    """Run the long form; 1 if anything crashed, hung or strayed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--examples", type=int, default=10_000, help="of all kinds together")
    parser.add_argument("--seed", type=int, default=0, help="other inputs")
    parser.add_argument("--only", choices=list(KINDS_OF_INPUT), help="one kind")
    chosen = parser.parse_args(words)
    os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"  # nothing is fetched here
    tallies = []
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for kind, (_, share) in KINDS_OF_INPUT.items():
            if chosen.only in (None, kind):
                number = chosen.examples if chosen.only else max(1, round(chosen.examples * share))
                tallies.append(fuzz(kind, number, Path(folder), chosen.seed))
                sys.stderr.write(f"{kind}: {tallies[-1].seconds:.0f} s\n")
    for tally in tallies:
        for place, text in tally.crashes.items():
            sys.stdout.write(f"\n--- {tally.kind}: {place}\n{text}\n")
        for example in (*tally.hangs, *tally.strayed):
            sys.stdout.write(f"\n--- {tally.kind}: hung, or wrote outside\n{example}\n")
    sys.stdout.write(f"\n{table_of(tallies)}\n")
    return 0 if all(tally.is_clean for tally in tallies) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
