"""What the monitor leaves out, said in a note: all, whole gradients, pictures of the probe, epochs."""

from collections.abc import Iterator

from workbench.core.network import Network
from workbench.core.probe import Probed
from workbench.core.readings import MAX_ROWS, kernel_pictures
from workbench.events import Note


def everything() -> Note:
    """Say that nothing is measured."""
    return Note(
        "The NTK monitor is off, because its probe or its budget is 0. A run is measured where both are above 0."
    )


def no_kernel(network: Network) -> Note:
    """Say why there is nothing to measure."""
    return Note(f"The NTK monitor is off: {network.why_no_kernel}.")


def of_gradients(columns: int, memory_gb: float) -> Note:
    """Say that gradients are sketched, though whole ones were asked for."""
    return Note(
        f"Exact gradients do not fit monitor.memory_gb = {memory_gb:g}: they are sketched "
        f"to {columns:,} columns. Allow more memory, or take a smaller probe, to keep them whole."
    )


def of_probes(size: int, asked: int, share: float) -> Note:
    """Say that every task's probe is smaller than was asked for."""
    return Note(
        f"The NTK gap is measured on {size} instead of {asked} pictures of each task, to keep "
        f"the monitor within {share:.0%} of the work. A larger monitor.budget allows more."
    )


def of_epochs(task: int, share: float) -> Note:
    """Say that epochs are passed over from task number `task` on."""
    return Note(
        f"From task {task} on, the NTK gap is not measured after every epoch, to keep "
        f"the monitor within {share:.0%} of the work."
    )


def of_task(task: int, probe: Probed, size: int) -> Iterator[Note]:
    """Say where a task's probe is smaller than `size`, or the kernel smaller than the probe."""
    taken, drawn = kernel_pictures(probe), len(probe.train)
    if drawn < size:
        yield Note(
            f"Task {task} has {drawn} training pictures for a probe of {size}: its kernel "
            "is measured on all of them, and its numbers are rougher than those of other tasks."
        )
    if taken < drawn:
        yield Note(
            f"Task {task}: the kernel is measured on {taken} of {drawn} probe pictures; "
            f"with {len(probe.class_ids)} classes, more would exceed {MAX_ROWS} rows."
        )
