"""Sentences of the tab "Results"."""

from dataclasses import dataclass, replace

from workbench.answers import Forgotten
from workbench.events import Event, Pace, RunStarted, TaskStarted
from workbench.face.language import say
from workbench.face.words import counted, duration


@dataclass(frozen=True)
class Progress:
    """As much of a run's beginning as tells when its first task will be learnt."""

    first_steps: int = 0  # of the first task
    pace: Pace | None = None

    def after(self, event: Event) -> "Progress":
        """Return what is known after another event."""
        if isinstance(event, RunStarted):
            return Progress()
        if isinstance(event, TaskStarted) and event.task == 0:
            return replace(self, first_steps=event.steps)
        return replace(self, pace=event) if isinstance(event, Pace) else self

    def seconds(self) -> float | None:
        """Return the time left to the end of the first task, if it can be told."""
        pace = self.pace
        if pace is None or pace.seconds_left is None or not self.first_steps:
            return None
        left = max(self.first_steps - pace.done, 0)
        return pace.seconds_left * left / max(pace.total - pace.done, 1)


def not_yet(progress: Progress) -> str:
    """Return what is said before the first task is learnt."""
    seconds = progress.seconds()
    if seconds is None:
        return say("Appears after the first task.")
    return say("Appears after the first task (about {time}).").format(time=duration(seconds))


def none_kept(run: str) -> str:
    """Return what is said of a run from before answers were kept."""
    text = say(
        "{run} kept no answers on single pictures: it was trained by an earlier version. "
        "Train it again to see them here; its other numbers are in the other tabs."
    )
    return text.format(run=run)


def worst(wrong: int, pictures: int, after: int) -> str:
    """Return the sentence over the worst mistakes."""
    total = counted(pictures, "test picture", "test pictures")
    if not wrong:
        text = say("All {total} are recognised after task {task}.")
        return text.format(total=total, task=after + 1)
    text = say("{wrong} of {total} are wrong after task {task}; the surest mistakes first.")
    return text.format(wrong=f"{wrong:,}", total=total, task=after + 1)


def mistakes_of(name: str, wrong: int, pictures: int) -> str:
    """Return the title over one class's mistakes."""
    text = say("'{name}': {wrong} of {total} taken for something else")
    return text.format(name=name, wrong=wrong, total=counted(pictures, "picture", "pictures"))


def too_early(after: int) -> str:
    """Return why nothing can be said of forgetting."""
    if after == 0:
        return say("Nothing can be forgotten yet: one task is learnt.")
    return say(
        "The answers after an earlier task were not kept, so what was forgotten is not known."
    )


def lost(after: int) -> str:
    """Return since when a picture is lost."""
    return say("lost after task {task}").format(task=after + 1)


def forgotten(found: Forgotten, after: int) -> str:
    """Return the sentence over the forgotten pictures."""
    number = len(found.rows)
    between = _between(found)
    if not number:
        nothing = say(
            "Nothing was forgotten: every picture recognised after its task is still recognised."
        )
        return say("{nothing} {between}").format(nothing=nothing, between=between).strip()
    text = (
        say("1 picture recognised right after its task is wrong after task {task}.")
        if number == 1
        else say("{number} pictures recognised right after their task are wrong after task {task}.")
    )
    lost = text.format(number=f"{number:,}", task=after + 1)
    kept = say("{kept} still recognised.").format(kept=counted(found.kept, "is", "are"))
    return say("{lost} {kept} {between}").format(lost=lost, kept=kept, between=between).strip()


def _between(found: Forgotten) -> str:
    if not found.recovered:
        return ""
    if found.recovered == 1:
        return say("1 of them was wrong in between.")
    return say("{number} of them were wrong in between.").format(number=f"{found.recovered:,}")
