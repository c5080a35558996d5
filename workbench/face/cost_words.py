"""What a run has cost so far, in words: the same in the tab "Results" and in a report."""

from collections.abc import Callable

from workbench.face.language import say
from workbench.face.words import counted, percent
from workbench.session.results import RunCost


def cost_facts(
    cost: RunCost, tasks: int, label: Callable[[int], str]
) -> tuple[tuple[str, str], ...]:
    """Return names and values, in order; `label` names one of the `tasks`."""
    rows = [
        (say("Trained"), _trained(cost)),
        (say("Adapter"), _adapter(cost)),
        *_kept(cost),
        (say("On disk"), _disk(cost)),
        *_memory(cost),
        (say("NTK monitor"), _monitor(cost)),
        (say("Time"), _time(cost)),
    ]
    known = enumerate(cost.seconds[:tasks])
    return (*rows, *((label(task), seconds_text(seconds)) for task, seconds in known))


def _trained(cost: RunCost) -> str:
    if not cost.backbone_parameters:
        text = say("{number} parameters; the backbone's were not recorded")
        return text.format(number=f"{cost.trained_parameters:,}")
    share = cost.trained_parameters / cost.backbone_parameters
    text = say("{number} parameters, {share} of the backbone's {whole}, which stay frozen")
    return text.format(
        number=f"{cost.trained_parameters:,}", share=percent(share),
        whole=f"{cost.backbone_parameters:,}",
    )  # fmt: skip


def _adapter(cost: RunCost) -> str:
    if not cost.adapter_parameters:
        return say("Saved after the first task")
    text = say(
        "{number} numbers in the file: those trained, their slow copies, what answers for each class"
    )
    return text.format(number=f"{cost.adapter_parameters:,}")


def _kept(cost: RunCost) -> tuple[tuple[str, str], ...]:
    if cost.kept_values is None or cost.kept_bytes is None:
        return ()
    text = say("{number} numbers, {size}: the adapter, and what the head needs for more classes")
    return (
        (say("Kept"), text.format(number=f"{cost.kept_values:,}", size=size_of(cost.kept_bytes))),
    )


def _memory(cost: RunCost) -> tuple[tuple[str, str], ...]:
    if cost.peak_bytes is None:
        return ()
    text = say("{size} at the peak, of the GPU where it trained on one, else of the whole program")
    return ((say("Memory"), text.format(size=size_of(cost.peak_bytes))),)


def _disk(cost: RunCost) -> str:
    text = say("{adapter} adapter; {whole} in all, with kernels and answers")
    return text.format(adapter=size_of(cost.adapter_bytes), whole=size_of(cost.run_bytes))


def _monitor(cost: RunCost) -> str:
    if cost.monitor_share is None:
        return say("Its share of the time was not recorded")
    return say("{share} of the time").format(share=percent(cost.monitor_share))


def _time(cost: RunCost) -> str:
    if not cost.seconds:
        return say("Appears after the first task")
    mean = sum(cost.seconds) / len(cost.seconds)
    text = say("{whole} for {count}, {mean} each on average; tests and measurements included")
    tasks = counted(len(cost.seconds), "task", "tasks")
    return text.format(whole=seconds_text(sum(cost.seconds)), count=tasks, mean=seconds_text(mean))


def seconds_text(seconds: float) -> str:
    """Return a length of time as measured: "12.3 s", "4 min 10 s"."""
    if seconds < 90:
        return say("{number} s").format(number=f"{seconds:.1f}")
    minutes, rest = divmod(round(seconds), 60)
    return say("{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)


def size_of(number: int) -> str:
    """Return a size as a person reads it: "812 kB", "2.4 MB"."""
    if number < 1_000_000:
        return f"{number / 1000:.0f} kB"
    if number < 1_000_000_000:
        return f"{number / 1e6:.1f} MB"
    return f"{number / 1e9:.2f} GB"
