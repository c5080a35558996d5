"""Reports as lines for a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from workbench.report import Guess, RunDetails, RunSummary, ScanReport, TaskReport


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f}"


def runs_text(runs: Sequence[RunSummary]) -> str:
    """Return the table of runs."""
    if not runs:
        return "No runs yet."
    columns = (f"{name:>8}" for name in ("average", "final", "forget", "floor"))
    head = f"{'name':20} {'state':12} {' '.join(columns)}  created"
    return "\n".join((head, *map(_summary_line, runs)))


def _summary_line(s: RunSummary) -> str:
    numbers = (s.average_accuracy, s.final_accuracy, s.forgetting, s.baseline_accuracy)
    return (
        f"{s.name:20.20} {s.state:12} "
        + " ".join(f"{_percent(v):>8}" for v in numbers)
        + f"  {s.created}"
    )


def run_text(details: RunDetails) -> str:
    """Return a run's state, accuracy matrix in percent, and summary."""
    s = details.summary
    lines = (
        [f"{s.name}  {s.state}  {s.id}", s.state_reason]
        if s.state_reason
        else [f"{s.name}  {s.state}  {s.id}"]
    )
    lines.append(
        f"method {s.method}, profile {s.profile}, backbone {s.backbone}, {s.tasks_done} of {s.tasks_total} tasks"
        + (f", on {'the processor' if s.device == 'cpu' else s.device}" if s.device else "")
        + (f", precision {s.precision}" if s.precision else "")
    )
    for number, row in enumerate(details.accuracy_matrix, 1):
        lines.append(
            f"after task {number:2}: "
            + " ".join(f"{_percent(v) if v is not None else '':>6}" for v in row)
        )
    lines.append(
        f"average accuracy {_percent(s.average_accuracy)} %, final {_percent(s.final_accuracy)} %, "
        f"forgetting {_percent(s.forgetting)} %, frozen floor {_percent(s.baseline_accuracy)} %"
    )
    lines += [_forecast_line(forecast) for forecast in details.forecasts]
    return "\n".join(lines)


def _forecast_line(forecast: Mapping[str, Any]) -> str:
    """Return a line for a forecast of the log: of what, and how good it turned out to be."""
    score = forecast["score"]
    line = f"forecast of '{forecast['candidate']['name']}' ({forecast['created']}): "
    if score is None:
        return f"{line}not scored, as no later run has learnt and measured it"
    ranks = (score["task_rank"], score["class_rank"])
    tasks, classes = ("—" if rank is None else f"{rank:.2f}" for rank in ranks)
    return f"{line}scored by {score['run_name']}, rank correlation {tasks} over tasks, {classes} over classes"


def plot_title(details: RunDetails) -> str:
    """Return the line that stands on every exported plot."""
    s = details.summary
    return f"{s.name} · {s.backbone} · {s.profile} · seed {s.seed}"


def guess_text(guess: Guess) -> str:
    """Return a picture's three likeliest classes, or why it could not be read."""
    if guess.problem:
        return guess.problem
    best = ", ".join(
        f"{n} {100 * p:.0f} %"
        for n, p in list(zip(guess.classes, guess.probabilities, strict=True))[:3]
    )
    return f"{guess.path}: {best}"


def task_dict(task: TaskReport) -> dict[str, Any]:
    """Return one object of `scan --json`."""
    return {
        "name": task.folder.name, "path": task.folder.path, "has_split": task.has_split, "usable": task.usable,
        "question": task.question, "classes": [{"name": c.name, "train": c.train, "test": c.test} for c in task.classes],
        "problems": [asdict(problem) for problem in task.problems],
    }  # fmt: skip


def scan_text(report: ScanReport) -> str:
    """Return what a scan found: tasks, classes with counts, problems."""
    lines = [problem.sentence for problem in report.problems]
    for task in report.tasks:
        count = "1 class" if len(task.classes) == 1 else f"{len(task.classes)} classes"
        lines.append(
            f"{task.folder.name}: {count}{'' if task.usable else ' (not usable as it is)'}"
        )
        lines += [f"  {c.name}: {c.train} to learn, {c.test} to test" for c in task.classes]
        lines += [f"  ! {problem.sentence}" for problem in task.problems]
    return "\n".join(lines)


def lines_of(facts: Mapping[str, Any], indent: str = "") -> list[str]:
    """Return nested facts as indented lines."""
    lines = []
    for key, value in facts.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{key}:", *lines_of(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {value}")
    return lines
