"""Several runs without a window: seeds and orders as a group, and the queue."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict, replace

from workbench.cli.at_once import must_be_possible, train_at_once
from workbench.cli.commands import print_out, say, work
from workbench.config import RunConfig, to_dict
from workbench.errors import UsageError
from workbench.log.numbers import summary_dict
from workbench.session import QueuedRun, RunGroup, Session
from workbench.session.groups import FORMULA, MEASURED
from workbench.session.plans import Plan, orders_plan, seeds_plan
from workbench.session.spread import Spread


def group(session: Session, config: RunConfig, options: argparse.Namespace) -> int:
    """Train the runs of a group and print what they say together."""
    must_be_possible(options.at_once)
    key = session.queue.add_group(_plan(config, options))
    code = train_waiting(session, key, options.at_once)
    found = session.groups.group(key)
    print_out(_document(found), options.json, "\n".join(_lines(found)))
    return code


def queue(session: Session, options: argparse.Namespace) -> int:
    """List what waits, or train it."""
    must_be_possible(options.at_once)
    code = train_waiting(session, "", options.at_once) if options.go else 0
    found = session.queue.runs()
    print_out([_waiting(run) for run in found], options.json, _text(found))
    return code


def _plan(config: RunConfig, options: argparse.Namespace) -> Plan:
    if options.seeds and options.orders:
        raise UsageError("--seeds and --orders do not go together: one group varies one thing.")
    if options.orders:
        return orders_plan(config, options.orders)
    parts = [part.strip() for part in options.seeds.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(
            f"--seeds {options.seeds!r}: expected how many, as in 3, or the seeds themselves, as in 1,5,9."
        )
    return seeds_plan(config, range(int(parts[0])) if len(parts) == 1 else list(map(int, parts)))


def train_waiting(session: Session, group: str, at_once: int = 1) -> int:
    """Train what waits (of a group), one after another or several at once; a stop leaves the rest in the queue."""
    try:
        code = _trained(session, group) if at_once == 1 else train_at_once(session, group, at_once)
    except KeyboardInterrupt:
        _say_left(session)
        raise
    if code == 3:
        _say_left(session)
    return code


def _trained(session: Session, group: str) -> int:
    code = 0
    while True:
        run, problems = session.queue.start_next(group)
        for problem in problems:
            say(problem)
            code = 1
        if run is None:
            return code
        say(f"{run.name} trains; {session.queue.waiting()} more wait.")
        state = work(run)
        if state == "stopped":
            return 3
        code = code if state == "finished" else 1


def _say_left(session: Session) -> None:
    left = session.queue.waiting()
    if left:
        say(
            f"{left} {'run waits' if left == 1 else 'runs wait'} in the queue; 'queue --go' goes on."
        )


def _document(found: RunGroup) -> dict[str, object]:
    return {
        "id": found.id, "kind": found.kind, "title": found.title, "total": found.total, "formula": FORMULA,
        "runs": [{**summary_dict(each.run), "member": dict(each.facts)} for each in found.members],
        "spread": {field: asdict(found.spread(field)) for field in MEASURED},
    }  # fmt: skip


def _lines(found: RunGroup) -> Iterator[str]:
    yield f"{found.title}: {len(found.finished)} of {found.total} runs have finished"
    yield ""
    yield f"{'run':28} {'state':12} {'final':>14} {'average':>14} {'forgetting':>14}"
    for each in found.members:
        values = (_percent(getattr(each.run, field)) for field in MEASURED)
        yield f"{each.run.name:28.28} {each.run.state:12} {' '.join(f'{value:>14}' for value in values)}"
    spreads = (_spread(found.spread(field)) for field in MEASURED)
    yield f"{'mean ± s':41} {' '.join(f'{value:>14}' for value in spreads)}"
    yield ""
    yield FORMULA


def _spread(spread: Spread) -> str:
    if spread.mean is None or spread.deviation is None:
        return _percent(spread.mean)
    return f"{100 * spread.mean:.1f} ± {100 * spread.deviation:.1f} %"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f} %"


def _waiting(run: QueuedRun) -> dict[str, object]:
    plain = asdict(replace(run, config=RunConfig()))
    return {**plain, "name": run.name, "config": to_dict(run.config)}


def _text(found: list[QueuedRun]) -> str:
    lines = [
        f"{place:3}  {run.name:28}  {run.reason or '; '.join(run.differs)}".rstrip()
        for place, run in enumerate(found, 1)
    ]
    return "\n".join(lines) or "Nothing waits in the queue."
