"""Numbers as a person reads them: counts with their noun, shares, durations, ages."""

import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from workbench.face.language import say


def counted(number: int, one: str, many: str) -> str:
    """Return the number with its noun: "1 class", "1,240 pictures"."""
    return f"{number:,} {say(one if number == 1 else many)}"


def percent(fraction: float | None, digits: int = 1) -> str:
    """Return a fraction in per cent, or a dash where it was not measured."""
    return "–" if fraction is None else f"{100 * fraction:.{digits}f} %"


def duration(seconds: float) -> str:
    """Return a length of time rounded up to what matters: "40 s", "3 min", "2 h 10 min"."""
    if seconds < 55:
        return f"{max(1, -int(-seconds // 5) * 5)} s"
    minutes = -int(-seconds // 60)
    if minutes < 60:
        return say("{minutes} min").format(minutes=minutes)
    hours, rest = divmod(minutes, 60)
    return (
        say("{hours} h {rest} min").format(hours=hours, rest=rest)
        if rest
        else say("{hours} h").format(hours=hours)
    )


def size_text(megabytes: float) -> str:
    """Return about how large a file is: "88 MB", "1.2 GB"."""
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


def ago(moment: str, now: datetime | None = None) -> str:
    """Return how long ago an ISO 8601 moment was: "just now", "2 min ago", "yesterday", a date."""
    then = datetime.fromisoformat(moment)
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    today = (now or datetime.now(UTC)).astimezone()
    local = then.astimezone()
    seconds = (today - local).total_seconds()
    if seconds < 60:
        return say("just now")
    if seconds < 3600:
        return say("{count} min ago").format(count=int(seconds // 60))
    days = (today.date() - local.date()).days
    if days == 0:
        return say("{count} h ago").format(count=int(seconds // 3600))
    if days == 1:
        return "yesterday"
    return local.strftime("%a %H:%M") if days < 7 else local.strftime("%d %b %Y")


def as_date(moment: str) -> str:
    """Return an ISO 8601 moment for whoever reads it, wherever: "25 Nov 2026, 16:45:46 UTC"."""
    then = datetime.fromisoformat(moment)
    there = then.astimezone(UTC) if then.tzinfo else then
    return there.strftime("%d %b %Y, %H:%M:%S UTC")


def bare_name(number: int, name: str) -> str:
    """Return a task's name without the number that says its place anyway: "1-animals" is "animals"."""
    rest = re.sub(rf"^0*{number}[\s._-]+(?=\S)", "", name)
    return rest or name


def listed(names: list[str], most: int = 3) -> str:
    """Return names in quotes, the surplus counted: "'a', 'b', 'c' and 4 more"."""
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return (
        say("{names} and {count} more").format(names=shown, count=len(names) - most)
        if len(names) > most
        else shown
    )


def joined(parts: Sequence[str]) -> str:
    """Return "a, b and c"."""
    if len(parts) == 1:
        return parts[0]
    return say("{first} and {last}").format(first=", ".join(parts[:-1]), last=parts[-1])


def as_written(text: str) -> str:
    """Return a tip that shows `text` letter by letter: Qt takes one with tags in it for a page."""
    if "<" not in text:
        return text
    return f"<p style='white-space:pre-wrap'>{html.escape(text)}</p>"
