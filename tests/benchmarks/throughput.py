"""How fast a training step is beside a plain formulation of the official one: the same arithmetic, the same batch.

    python -m tests.benchmarks.throughput [--device cuda|cpu] [--reference DIR] [--out FILE.json] [--quick]

On the processor a ViT-Tiny/16, on a GPU a ViT-B/16, at 224 pixels, in the sixth of ten tasks of ten classes,
profile `paper`. Tiers are timed in turn, A B A B, and medians printed; `--reference` adds the official code from
a clone of it. `--quick` takes two blocks and two pictures: it shows that the benchmark runs, not how fast.
"""

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import timm
import torch

from tests.benchmarks import timing
from tests.benchmarks.competitors import CELLS, TIERS, Cell, Competitor, Tier, official
from tests.benchmarks.official import check_reference
from workbench.core.device import choose_device, device_name
from workbench.core.precision import products_in
from workbench.errors import UsageError

COLUMNS: dict[str, Callable[[dict[str, Any]], str]] = {
    "tier": lambda row: row["tier"],
    "images/s": lambda row: f"{row['images_per_s']:.2f}",
    "ms/step": lambda row: f"{row['ms_per_step']:.1f}",
    "SVD": lambda row: f"{row['svd_share']:.2%}",
    "data wait": lambda row: _milliseconds(row["data_wait_ms"]),
    "peak memory": lambda row: f"{row['peak_mb']:.0f} MB",
    "TFLOP/s": lambda row: f"{row['tflop_per_s']:.4g}",
    "of peak": lambda row: f"{row['share_of_peak']:.1%}",
    "x plain": lambda row: _with_range(row["ratios"]),
}
NOTES = """Random weights and pictures of noise, the same for every tier: speed does not depend on content. The pictures are
tensors on the device before the clock starts. Data wait: of a step of ours whose pictures are cut from stored ones
of 256 pixels as a run does it, by the clock, timed apart. SVD: the decomposition timed by itself in the
same rounds, over the step; ours makes it once a task. Peak memory: above what lay there before the step. TFLOP/s: the
tier's own operations, of matmuls, convolutions and attention. x plain: the first row's time over this one's, median, least
and most of the rounds."""


def measure(
    cell: Cell, tiers: Sequence[Tier], device: torch.device, rounds: int, peaks: dict[str, float]
) -> Iterator[dict[str, Any] | str]:
    """Yield a row for each tier, and a sentence for each that cannot run here."""
    batches = cell.batches(device)
    running: dict[Tier, Competitor] = {}
    works: dict[str, Callable[[], object]] = {}
    for tier in tiers:
        try:
            running[tier] = tier.build(cell.learner(device))
            _in_precision(tier, running[tier].train, batches[:1])()
        except (UsageError, torch.OutOfMemoryError) as error:
            running.pop(tier, None)
            yield f"{cell.label}: '{tier.label}' is left out. {error}"
            continue
        works[tier.label] = _in_precision(tier, running[tier].train, batches)
        if running[tier].decompose is not None:
            works[f"{tier.label} SVD"] = _in_precision(tier, running[tier].decompose)
    spent = timing.interleaved(works, rounds, timing.clock_of(device))
    for tier, competitor in running.items():
        one = _in_precision(tier, competitor.train, batches[:1])
        row = {"cell": cell.label, "tier": tier.label, "ms": [1e3 * s / len(batches) for s in spent[tier.label]]}  # fmt: skip
        row["peak_mb"] = timing.peak_bytes(one, device) / 1e6
        row["tflop"] = timing.operations(one) / 1e12
        row["data_wait_ms"] = None
        if competitor.fed:
            waited = _in_precision(tier, cell.waits, device, competitor.train)()
            row["data_wait_ms"] = 1e3 * statistics.median(waited)
        row["svd_ms"] = [1e3 * s for s in spent.get(f"{tier.label} SVD", [0.0])]
        yield _finished(row, cell, peaks[tier.precision], spent, tiers[0].label)


def _in_precision(tier: Tier, work: Any, *arguments: Any) -> Callable[[], Any]:
    def inside() -> Any:
        with products_in(tier.switch):
            return work(*arguments)

    return inside


def _finished(
    row: dict[str, Any], cell: Cell, peak: float, spent: dict[str, list[float]], first: str
) -> dict[str, Any]:
    step = statistics.median(row["ms"])
    row["ms_per_step"], row["images_per_s"] = step, 1e3 * cell.batch / step
    row["svd_share"] = statistics.median(row["svd_ms"]) / step
    row["tflop_per_s"] = 1e3 * row["tflop"] / step
    row["share_of_peak"] = 1e12 * row["tflop_per_s"] / peak
    own = spent[row["tier"]]
    row["ratios"] = [a / b for a, b in zip(spent.get(first, []), own, strict=False)]
    row["ratio_to_plain"] = statistics.median(row["ratios"]) if row["ratios"] else None
    return row


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} ms"


def _with_range(ratios: list[float]) -> str:
    if not ratios:
        return "–"
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def environment(device: torch.device) -> dict[str, Any]:
    """What a reader must know to compare these numbers with others."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    return {
        "when": datetime.now(UTC).isoformat(timespec="minutes"), "torch": torch.__version__,
        "timm": timm.__version__, "python": platform.python_version(), "system": platform.platform(),
        "device": device_name(device), "threads": torch.get_num_threads(), "processors": os.cpu_count(),
        "load": load, "clock": "processor seconds" if alone else "wall",
    }  # fmt: skip


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows of one cell under their headings, aligned."""
    lines = [list(COLUMNS), *([show(row) for show in COLUMNS.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True))
        for line in lines
    )


def report(options: argparse.Namespace, tiers: Sequence[Tier]) -> dict[str, Any]:
    """Measure every cell of the device and print each table as soon as it is there."""
    device = choose_device(options.device)
    found: dict[str, Any] = {"environment": environment(device), "rounds": options.rounds}
    say("\n".join(f"{name}: {value}" for name, value in found["environment"].items()))
    tiers = [tier for tier in tiers if device.type in tier.devices]
    precisions = dict.fromkeys(tier.precision for tier in tiers)
    peaks = found["matmul_peaks"] = {p: timing.matmul_peak(device, p) for p in precisions}
    say("matmul peak: " + ", ".join(f"{p} {v / 1e12:.4g} TFLOP/s" for p, v in peaks.items()))
    found["rows"], found["left_out"] = [], []
    for cell in CELLS[device.type]:
        shown = replace(cell, depth=2, batch=2) if options.quick else cell
        items = list(measure(shown, tiers, device, options.rounds, peaks))
        rows = [item for item in items if isinstance(item, dict)]
        found["left_out"] += (left := [item for item in items if isinstance(item, str)])
        found["rows"] += rows
        say("\n".join(["", shown.label, table(rows), *left]))
    say(f"\n{NOTES}")
    return found


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let torch compute on so many threads inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def main(arguments: Sequence[str]) -> int:
    """Measure what the arguments ask for; a request that cannot be is answered with a sentence and 2."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--reference", metavar="DIR", help="a clone of the official code")
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, help="at least 5 for numbers to quote")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (2 if options.quick else 5)
    try:
        tiers = list(TIERS)
        if options.reference:
            build = partial(official, check_reference(options.reference))
            tiers.append(Tier("official", "strict", ("cpu", "cuda"), build))
        with threads(options.threads):
            found = report(options, tiers)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if options.out:
        options.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
