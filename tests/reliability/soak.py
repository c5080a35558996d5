"""Hours of use in one window: runs queued back to back with live plots, and a person who looks at everything.

    python -m tests.reliability.soak --minutes 30 [--rounds N] [--csv FILE]

After each round, with nothing under way, memory, handles, threads, children and widgets of the
window and of its engine process are noted. Prints how they grew once the first rounds are left
out, and what there is more of; 1 if anything grew that should not.
"""

import argparse
import os
import sys
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from tests.reliability.growth import more_of, table_of

if TYPE_CHECKING:
    from tests.reliability.sampled import Sample
    from tests.reliability.used import Soak

MOST_KINDS = 60  # told of


def main(words: list[str]) -> int:
    """Run it, and print the tables; 1 if anything grew that should not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=10**6, help="no more than so many")
    parser.add_argument("--csv", type=Path, help="write every sample into this file")
    chosen = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        used = _used(Path(folder), chosen.minutes, chosen.rounds)
    growths = used.growths()
    runs = ", ".join(f"{count} {state}" for state, count in sorted(used.states.items()))
    minutes = used.samples[-1].seconds / 60
    sys.stdout.write(f"\n{len(used.samples)} rounds in {minutes:.1f} minutes, runs: {runs}\n\n")
    sys.stdout.write(f"{table_of(growths)}\n\n")
    if len(used.kinds) > 1:
        more = more_of(*used.kinds)[:MOST_KINDS]
        sys.stdout.write(f"More at the end than after the first rounds: {', '.join(more)}\n")
    if chosen.csv:
        _write(chosen.csv, used.samples)
    return 1 if any(each.at_fault for each in growths) else 0


def _used(folder: Path, minutes: float, rounds: int) -> "Soak":
    """Open the window, use it and close it. The engine process imports this module too, and must not get Qt by it."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import qInstallMessageHandler

    from tests.reliability.used import soak
    from workbench.face.app import application
    from workbench.face.theme import apply_theme

    qInstallMessageHandler(_told)
    apply_theme(application(), "light")
    used = soak(folder / "home", folder / "pictures", minutes, rounds)
    used.close()
    return used


def _told(_: object, __: object, text: str) -> None:
    """Pass on what Qt says, but for what the offscreen platform says of every popup."""
    if "This plugin does not support" not in text:
        sys.stderr.write(f"{text}\n")


def _write(file: Path, samples: "list[Sample]") -> None:
    names = [each.name for each in fields(samples[0])]
    lines = [",".join(names)]
    lines += [",".join(f"{getattr(each, name):.3f}" for name in names) for each in samples]
    file.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
