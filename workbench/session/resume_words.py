"""What is said of a run that goes on: changed settings, pictures and versions, damaged checkpoints, when it ended."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from workbench import config as configs
from workbench.config import RunConfig
from workbench.report import PictureChanges

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_VERSIONS = ("torch", "torchvision", "timm", "numpy", "Pillow", "workbench")


def change_sentences(before: RunConfig, after: RunConfig, step: int) -> Iterator[str]:
    """Yield what a run goes on with that it did not begin with."""
    old, new = configs.to_dict(before)["train"], configs.to_dict(after)["train"]
    for name, value in new.items():
        if value != old[name]:
            yield f"From step {step:,} on: {name} {value}, before that {old[name]}."


def changed_sentences(found: Sequence[PictureChanges]) -> Iterator[str]:
    """Yield one sentence for each task whose pictures are not as they were."""
    for number, changes in enumerate(found, 1):
        if changes.number:
            one = changes.number == 1
            what = "1 picture" if one else f"{changes.number:,} pictures"
            has = "has" if one else "have"
            yield (
                f"{what} of task {number} {has} changed since this run began. "
                "Resuming would mix two data sets."
            )


def version_sentence(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Return which versions are others now, or an empty string."""
    other = [key for key in _VERSIONS if key in before and before[key] != now.get(key)]
    if not other:
        return ""
    then = ", ".join(f"{key} {before[key]}" for key in other)
    today = ", ".join(now.get(key, "not there") for key in other)
    return f"Made with {then}, now {today}: results may differ in the last digits."


def damaged_sentence(bad: int, step: int | None) -> str:
    """Return what is wrong with the `bad` newest checkpoints; `step` is that of the first whole one."""
    if not bad:
        return ""
    if step is None:
        return "No checkpoint of this run is whole, so it begins again."
    if bad == 1:
        return f"The last checkpoint is damaged; the one before (step {step:,}) is good."
    return f"The last {bad} checkpoints are damaged; the one before (step {step:,}) is good."


def day(when: str, now: datetime) -> str:
    """Return "today", "on Friday" within the last week, else "on 2026-03-03"."""
    said = datetime.fromisoformat(when).astimezone(now.tzinfo)
    days = (now.date() - said.date()).days
    if days == 0:
        return "today"
    if 0 < days < len(_DAYS):
        return f"on {_DAYS[said.weekday()]}"
    return f"on {said.date().isoformat()}"
