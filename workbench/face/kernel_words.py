"""What each drawing of the kernel shows now, in one sentence made from its numbers."""

from collections.abc import Iterable, Mapping, Sequence

from workbench.events import Measured
from workbench.face import known
from workbench.face.known import Moment, Pair
from workbench.face.language import say
from workbench.face.record import TOO_FAR, RunRecord
from workbench.face.scene import Movement, Scene, effective_rank
from workbench.face.words import joined

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
    said = [
        say("task {task} ({value})").format(task=m.task + 1, value=plain(m.value or 0.0))
        for m in far
    ]
    text = say("Do not believe it: the linearity index is above {limit} for {tasks}.")
    return " " + text.format(limit=TOO_FAR, tasks=joined(said))


def between(record: RunRecord, at: Moment | None) -> str:
    """Return how far the task moved the old ones, and what the kernel said of it."""
    measured = known.latest(record, "ntk.interplay_measured", at)
    if measured is None or measured.value is None:
        return _absent(record, measured, say(_SECOND))
    task = measured.task
    words = (
        ("ntk.interplay_predicted", say("predicted")),
        ("ntk.interplay_replayed", say("replayed")),
        ("ntk.interplay_full", say("with every block")),
        ("ntk.forecast", say("forecast")),
    )
    said = []
    for name, word in words:
        found = known.by_task(record, name, at).get(task)
        if found is not None and found.value is not None:
            said.append(f"{plain(found.value)} {word}")
    text = say("Task {task} moved the old tasks by {value} of their own signal.")
    text = text.format(task=task + 1, value=plain(measured.value))
    if said:
        text += " " + say("The kernel: {numbers}.").format(numbers=", ".join(said))
    return text + doubt(record, {task}, at)


def within(record: RunRecord, at: Moment | None) -> str:
    """Return the gap between a task's training pictures and new ones."""
    predicted = known.latest(record, "ntk.gap_predicted", at)
    if predicted is None or predicted.value is None:
        return _absent(record, predicted, say("Appears after the first epoch."))
    task = predicted.task
    held = known.by_task(record, "ntk.gap_held_out", at).get(task)
    text = say(
        "Task {task}: the kernel predicts an error {value} larger on new pictures than on its own."
    )
    measured = ""
    if held is not None and held.value is not None:
        text = say(
            "Task {task}: the kernel predicts an error {value} larger on new pictures than on its own, {measured} was measured."
        )
        measured = plain(held.value)
    text = text.format(task=task + 1, value=plain(predicted.value), measured=measured)
    return text + doubt(record, {task}, at)


def pairs(record: RunRecord, name: str, at: Moment | None) -> str:
    """Return which task does most to which earlier one, by the measure of this name."""
    found = known.by_pair(record, name, at)
    numbers = known.values(found)
    if not numbers:
        absent = next(iter(found.values()), None)
        return _absent(record, absent, say("Appears when the second task has been learnt."))
    pair = max(numbers, key=lambda key: numbers[key])
    old, new = (index + 1 for index in pair)
    text = {
        "ntk.overlap": say("Task {new} disturbs task {old} most: overlap {number}."),
        "ntk.angle_max": say(
            "Tasks {new} and {old} share most: their closest directions have cosine {number}."
        ),
        "ntk.disturbance": say("Task {new} moved task {old} most: by {signal}."),
        "ntk.disturbance_forecast": say(
            "Task {new} was forecast to move task {old} most: by {signal}."
        ),
        "ntk.disturbance_settled": say(
            "With averaging and corrections, task {new} moved task {old} most: by {signal}."
        ),
        "ntk.vulnerable_rank": say(
            "What task {new} did to task {old} takes most directions: {number}."
        ),
    }[name]
    value = plain(numbers[pair])
    signal = _beside(record, name, pair, at, say("{share} of its signal").format(share=value))
    number = _beside(record, name, pair, at, value)
    return text.format(new=new, old=old, number=number, signal=signal) + doubt(
        record, {pair[1]}, at
    )


_BESIDE = {  # measure: the number it is read beside, and how that is called
    "ntk.overlap": ("ntk.overlap_chance", "chance"),
    "ntk.angle_max": ("ntk.angle_mean", "on average"),
    "ntk.disturbance": ("ntk.disturbance_forecast", "forecast"),
    "ntk.disturbance_forecast": ("ntk.disturbance", "measured"),
    "ntk.disturbance_settled": ("ntk.disturbance", "by training"),
    "ntk.vulnerable_rank": ("ntk.vulnerable_expected", "for a linear head"),
}


def _beside(record: RunRecord, name: str, pair: Pair, at: Moment | None, number: str) -> str:
    """Return a number with the one that it is read beside, where that is known."""
    other, word = _BESIDE[name]
    value = known.values(known.by_pair(record, other, at)).get(pair)
    if value is None:
        return number
    return say("{number}, {word} {other}").format(number=number, word=say(word), other=plain(value))


def pair_told(record: RunRecord, pair: Pair, at: Moment | None) -> list[str]:
    """Return every number of a pair in words, one a line; its reason where one is absent."""
    old, new = (record.task_label(index) for index in pair)
    lines = [say("Learning {new}, seen from {old}").format(new=new, old=old)]
    for name, label in (
        ("ntk.overlap", say("overlap")), ("ntk.angle_max", say("principal angles, largest cosine")),
        ("ntk.disturbance", say("disturbance")), ("ntk.vulnerable_rank", say("vulnerable rank")),
    ):  # fmt: skip
        said = known.by_pair(record, name, at).get(pair)
        if said is not None and said.value is not None:
            lines.append(f"{label} {_beside(record, name, pair, at, plain(said.value))}")
        elif said is not None:
            lines.append(say("{label} absent: {reason}").format(label=label, reason=said.reason))
    return lines


def kernel(record: RunRecord, scene: Scene, at: Moment | None) -> str:
    """Return how alike the pictures of a class, of a task and of different tasks are."""
    one_class, one_task, across = scene.alike
    said = [
        f"{plain(value)} {where}"
        for value, where in (
            (one_class, say("within a class")),
            (one_task, say("between classes of a task")),
            (across, say("between tasks")),
        )
        if value is not None
    ]
    if not said:
        return say("The kernel holds no two pictures to compare.")
    text = say("Mean cosine of the pictures' gradients: {numbers}.").format(numbers=joined(said))
    return text + doubt(record, [max(scene.tasks())], at)


def spectrum(record: RunRecord, scene: Scene, at: Moment | None) -> str:
    """Return which task's kernel has most directions, and which has fewest."""
    ranks = {task: effective_rank(values) for task, values in scene.spectra.items()}
    found = {task: rank for task, rank in ranks.items() if rank is not None}
    if not found:
        return say("No task's kernel has a positive eigenvalue.")
    most, least = max(found, key=lambda t: found[t]), min(found, key=lambda t: found[t])
    text = say("Task {most} uses most directions: effective rank {high} of {size}.")
    if most != least:
        text = say(
            "Task {most} uses most directions: effective rank {high} of {size}; task {least} fewest: {low} of {other}."
        )
    text = text.format(
        most=most + 1, high=plain(found[most]), size=len(scene.spectra[most]),
        least=least + 1, low=plain(found[least]), other=len(scene.spectra[least]),
    )  # fmt: skip
    return text + doubt(record, [max(found)], at)


def lost(record: RunRecord, old: int | None, at: Moment | None) -> str:
    """Return how much the old tasks (or one of them) lost, and to what most."""
    found = lost_by_task(record, "lost.total", old, at)
    totals = {task: m.value for task, m in found.items() if m.value is not None}
    if not totals:
        return _absent(
            record, next(iter(found.values()), None), say("Appears after the second task.")
        )
    task = max(totals)
    whom = say("the old tasks") if old is None else say("task {old}").format(old=old + 1)
    parts = {}
    for name, word in LOST_PARTS.items():
        said = lost_by_task(record, name, old, at).get(task)
        if said is not None and said.value is not None:
            parts[word] = said.value
    total = totals[task]
    text = say("After task {task}, {whom} lost {points} of accuracy on the probe")
    if total < 0:
        text = say("After task {task}, {whom} gained {points} of accuracy on the probe")
    text = text.format(task=task + 1, whom=whom, points=_points(abs(total)))
    return say("{sentence}.").format(sentence=_with_reasons(text, parts))


def _with_reasons(text: str, parts: Mapping[str, float]) -> str:
    """Return what was lost with the part that took most, and the one that gave most back."""
    worst = max(parts, key=lambda word: parts[word], default="")
    if worst and parts[worst] > 0:
        more = say("{lost}, most to {part} ({points})")
        text = more.format(lost=text, part=say(worst), points=_points(parts[worst]))
    helped = min(parts, key=lambda word: parts[word], default="")
    if helped and parts[helped] < 0:
        more = say("{lost}; {part} gave back {points}")
        text = more.format(lost=text, part=say(helped), points=_points(-parts[helped]))
    return text


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
        empty, when = say("Appears after the second task."), say("since it was learnt")
    else:
        moved = known.by_task(record, "ntk.kernel_drift", at)
        alike = known.by_task(record, "ntk.kernel_cka", at)
        empty, when = say("Appears after the first epoch."), say("while it was trained")
    numbers = {task: m.value for task, m in moved.items() if m.value is not None}
    if not numbers:
        return _absent(record, next(iter(moved.values()), None), empty)
    task = max(numbers, key=lambda t: numbers[t])
    cka = alike.get(task)
    text = say("The kernel of task {task} moved most {when}: drift {drift}.")
    shape = ""
    if cka is not None and cka.value is not None:
        text = say("The kernel of task {task} moved most {when}: drift {drift}, CKA {shape}.")
        shape = plain(cka.value)
    return text.format(task=task + 1, when=when, drift=plain(numbers[task]), shape=shape)


def movement(names: Sequence[str], moved: Movement, rank: Measured | None) -> str:
    """Return which old class moved most, which was forecast to, and how far the orders agree."""
    worst = max(range(len(names)), key=lambda index: float(moved.measured[index]))
    said = max(range(len(names)), key=lambda index: float(moved.forecast[index]))
    if worst == said:
        text = say("Class {moved} moved most: by {value} logits, as was forecast.")
    else:
        text = say("Class {moved} moved most: by {value} logits; {other} was forecast to.")
    value = plain(float(moved.measured[worst]))
    text = text.format(moved=names[worst], value=value, other=names[said])
    if rank is None or rank.value is None:
        return text
    agree = say("The orders agree by ρ = {order} (1: exactly).").format(order=plain(rank.value))
    return f"{text} {agree}"


def no_snapshot(record: RunRecord) -> str:
    """Return what will appear where a snapshot is drawn, or that nothing will."""
    return why_off(record) or say("Appears with the first look at the kernel, when a task begins.")


def _absent(record: RunRecord, said: Measured | None, empty: str) -> str:
    """Return why there is no number: its own reason, the monitor's, or that it is yet to come."""
    if said is not None and said.reason:
        reason = said.reason[0].lower() + said.reason[1:].rstrip(".")
        return say("Task {task}: {reason}.").format(task=said.task + 1, reason=reason)
    return why_off(record) or empty


def _points(share: float) -> str:
    return say("{share:.1f} points").format(share=100 * share)
