"""What each drawing of the kernel shows now, in one sentence made from its numbers. Qt-free."""

from collections.abc import Iterable, Sequence

from workbench.events import Measured
from workbench.face import known
from workbench.face.known import Moment, Pair
from workbench.face.record import TOO_FAR, RunRecord
from workbench.face.scene import Movement, Scene, effective_rank

LOST_PARTS = {  # measure: how the sentence and the legend call it
    "lost.competition": "competition",
    "lost.training": "training drift",
    "lost.ema": "EMA step",
    "lost.corrections": "corrections",
}
_OFF = "The NTK monitor is off"
_SECOND = "Appears with the second task."


def why_off(record: RunRecord) -> str:
    """Return the run's own note that nothing is measured, or an empty string."""
    return next((note for note in record.notes if note.startswith(_OFF)), "")


def plain(value: float) -> str:
    """Return a number with the digits that matter: 0.31, 0.024, 6.9, 12, 120."""
    size = abs(value)
    if size >= 10 or (size >= 1 and value.is_integer()):
        return f"{value:,.0f}"
    return f"{value:.2g}" if size < 0.0995 else f"{value:.2f}" if size < 1 else f"{value:.1f}"


def doubt(record: RunRecord, tasks: Iterable[int], at: Moment | None) -> str:
    """Return that these tasks trained too far from linear to believe the kernel, or nothing."""
    wanted = set(tasks)
    far = [
        m
        for m in record.too_far().values()
        if m.task in wanted and m.value is not None and (at is None or known.moment_of(m) <= at)
    ]
    if not far:
        return ""
    said = _joined([f"task {m.task + 1} ({plain(m.value or 0.0)})" for m in far])
    return f" Do not believe it: the linearity index is above {TOO_FAR} for {said}."


def between(record: RunRecord, at: Moment | None) -> str:
    """Return how far the task moved the old ones, and what the kernel said of it."""
    measured = known.latest(record, "ntk.interplay_measured", at)
    if measured is None or measured.value is None:
        return _absent(record, measured, _SECOND)
    task = measured.task
    words = (
        ("ntk.interplay_predicted", "predicted"),
        ("ntk.interplay_replayed", "replayed"),
        ("ntk.interplay_full", "with every block"),
        ("ntk.forecast", "forecast"),
    )
    said = []
    for name, word in words:
        found = known.by_task(record, name, at).get(task)
        if found is not None and found.value is not None:
            said.append(f"{plain(found.value)} {word}")
    kernel = f" The kernel: {', '.join(said)}." if said else ""
    text = f"Task {task + 1} moved the old tasks by {plain(measured.value)} of their own signal.{kernel}"
    return text + doubt(record, {task}, at)


def within(record: RunRecord, at: Moment | None) -> str:
    """Return the gap between a task's training pictures and new ones."""
    predicted = known.latest(record, "ntk.gap_predicted", at)
    if predicted is None or predicted.value is None:
        return _absent(record, predicted, "Appears after the first epoch.")
    task = predicted.task
    held = known.by_task(record, "ntk.gap_held_out", at).get(task)
    measured = f", {plain(held.value)} was measured" if held and held.value is not None else ""
    text = (
        f"Task {task + 1}: the kernel predicts an error {plain(predicted.value)} larger on new "
        f"pictures than on its own{measured}."
    )
    return text + doubt(record, {task}, at)


def pairs(record: RunRecord, name: str, at: Moment | None) -> str:
    """Return which task does most to which earlier one, by the measure of this name."""
    found = known.by_pair(record, name, at)
    numbers = known.values(found)
    if not numbers:
        absent = next(iter(found.values()), None)
        return _absent(record, absent, "Appears when the second task has been learnt.")
    pair = max(numbers, key=lambda key: numbers[key])
    old, new = (index + 1 for index in pair)
    value = plain(numbers[pair])
    beside = _beside(record, name, pair, at)
    text = {
        "ntk.overlap": f"Task {new} disturbs task {old} most: overlap {value}{beside}.",
        "ntk.angle_max": f"Tasks {new} and {old} share most: their closest directions have cosine {value}{beside}.",
        "ntk.disturbance": f"Task {new} moved task {old} most: by {value} of its signal{beside}.",
        "ntk.disturbance_forecast": f"Task {new} was forecast to move task {old} most: by {value} of its signal{beside}.",
        "ntk.disturbance_settled": f"With averaging and corrections, task {new} moved task {old} most: by {value} of its signal{beside}.",
        "ntk.vulnerable_rank": f"What task {new} did to task {old} takes most directions: {value}{beside}.",
    }[name]
    return text + doubt(record, {pair[1]}, at)


_BESIDE = {  # measure: the number it is read beside, and how that is called
    "ntk.overlap": ("ntk.overlap_chance", "chance"),
    "ntk.angle_max": ("ntk.angle_mean", "on average"),
    "ntk.disturbance": ("ntk.disturbance_forecast", "forecast"),
    "ntk.disturbance_forecast": ("ntk.disturbance", "measured"),
    "ntk.disturbance_settled": ("ntk.disturbance", "by training"),
    "ntk.vulnerable_rank": ("ntk.vulnerable_expected", "for a linear head"),
}


def _beside(record: RunRecord, name: str, pair: Pair, at: Moment | None) -> str:
    other, word = _BESIDE[name]
    value = known.values(known.by_pair(record, other, at)).get(pair)
    return "" if value is None else f", {word} {plain(value)}"


def pair_told(record: RunRecord, pair: Pair, at: Moment | None) -> list[str]:
    """Return every number of a pair in words, one a line; its reason where one is absent."""
    old, new = (record.task_label(index) for index in pair)
    lines = [f"Learning {new}, seen from {old}"]
    for name, label in (
        ("ntk.overlap", "overlap"), ("ntk.angle_max", "principal angles, largest cosine"),
        ("ntk.disturbance", "disturbance"), ("ntk.vulnerable_rank", "vulnerable rank"),
    ):  # fmt: skip
        said = known.by_pair(record, name, at).get(pair)
        if said is not None and said.value is not None:
            lines.append(f"{label} {plain(said.value)}{_beside(record, name, pair, at)}")
        elif said is not None:
            lines.append(f"{label} absent: {said.reason}")
    return lines


def kernel(record: RunRecord, scene: Scene, at: Moment | None) -> str:
    """Return how alike the pictures of a class, of a task and of different tasks are."""
    one_class, one_task, across = scene.alike
    said = [
        f"{plain(value)} {where}"
        for value, where in (
            (one_class, "within a class"),
            (one_task, "between classes of a task"),
            (across, "between tasks"),
        )
        if value is not None
    ]
    if not said:
        return "The kernel holds no two pictures to compare."
    text = f"Mean cosine of the pictures' gradients: {_joined(said)}."
    return text + doubt(record, [max(scene.tasks())], at)


def spectrum(record: RunRecord, scene: Scene, at: Moment | None) -> str:
    """Return which task's kernel has most directions, and which has fewest."""
    ranks = {task: effective_rank(values) for task, values in scene.spectra.items()}
    found = {task: rank for task, rank in ranks.items() if rank is not None}
    if not found:
        return "No task's kernel has a positive eigenvalue."
    most, least = max(found, key=lambda t: found[t]), min(found, key=lambda t: found[t])
    size = len(scene.spectra[most])
    text = f"Task {most + 1} uses most directions: effective rank {plain(found[most])} of {size}"
    if most != least:
        text += f"; task {least + 1} fewest: {plain(found[least])} of {len(scene.spectra[least])}"
    return f"{text}.{doubt(record, [max(found)], at)}"


def lost(record: RunRecord, old: int | None, at: Moment | None) -> str:
    """Return how much the old tasks (or one of them) lost, and to what most."""
    found = lost_by_task(record, "lost.total", old, at)
    totals = {task: m.value for task, m in found.items() if m.value is not None}
    if not totals:
        return _absent(record, next(iter(found.values()), None), "Appears after the second task.")
    task = max(totals)
    whom = "the old tasks" if old is None else f"task {old + 1}"
    parts = {}
    for name, word in LOST_PARTS.items():
        said = lost_by_task(record, name, old, at).get(task)
        if said is not None and said.value is not None:
            parts[word] = said.value
    total = totals[task]
    verb = "lost" if total >= 0 else "gained"
    text = f"After task {task + 1}, {whom} {verb} {_points(abs(total))} of accuracy on the probe"
    worst = max(parts, key=lambda word: parts[word], default="")
    if worst and parts[worst] > 0:
        text += f", most to {worst} ({_points(parts[worst])})"
    helped = min(parts, key=lambda word: parts[word], default="")
    if helped and parts[helped] < 0:
        text += f"; {helped} gave back {_points(-parts[helped])}"
    return f"{text}."


def lost_by_task(
    record: RunRecord, name: str, old: int | None, at: Moment | None
) -> dict[int, Measured]:
    """Return a part of what was lost after each task: mean over old tasks, or of the one chosen."""
    if old is None:
        return known.by_task(record, name, at)
    found = known.by_pair(record, name, at)
    return {new: said for (before, new), said in found.items() if before == old}


def drift(record: RunRecord, at: Moment | None, *, since_learnt: bool) -> str:
    """Return whose kernel has come furthest, since the task was learnt or while it trained."""
    if since_learnt:
        moved = {pair[0]: m for pair, m in known.by_pair(record, "ntk.old_drift", at).items()}
        alike = {pair[0]: m for pair, m in known.by_pair(record, "ntk.old_cka", at).items()}
        empty, when = "Appears after the second task.", "since it was learnt"
    else:
        moved = known.by_task(record, "ntk.kernel_drift", at)
        alike = known.by_task(record, "ntk.kernel_cka", at)
        empty, when = "Appears after the first epoch.", "while it was trained"
    numbers = {task: m.value for task, m in moved.items() if m.value is not None}
    if not numbers:
        return _absent(record, next(iter(moved.values()), None), empty)
    task = max(numbers, key=lambda t: numbers[t])
    cka = alike.get(task)
    shape = f", CKA {plain(cka.value)}" if cka is not None and cka.value is not None else ""
    return f"The kernel of task {task + 1} moved most {when}: drift {plain(numbers[task])}{shape}."


def movement(names: Sequence[str], moved: Movement, rank: Measured | None) -> str:
    """Return which old class moved most, which was forecast to, and how far the orders agree."""
    worst = max(range(len(names)), key=lambda index: float(moved.measured[index]))
    said = max(range(len(names)), key=lambda index: float(moved.forecast[index]))
    text = f"Class {names[worst]} moved most: by {plain(float(moved.measured[worst]))} logits"
    text += ", as was forecast" if worst == said else f"; {names[said]} was forecast to"
    order = rank.value if rank is not None else None
    return f"{text}.{'' if order is None else f' The orders agree by ρ = {plain(order)} (1: exactly).'}"


def no_snapshot(record: RunRecord) -> str:
    """Return what will appear where a snapshot is drawn, or that nothing will."""
    return why_off(record) or "Appears with the first look at the kernel, when a task begins."


def _absent(record: RunRecord, said: Measured | None, empty: str) -> str:
    """Return why there is no number: its own reason, the monitor's, or that it is yet to come."""
    if said is not None and said.reason:
        return f"Task {said.task + 1}: {said.reason[0].lower()}{said.reason[1:].rstrip('.')}."
    return why_off(record) or empty


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"
