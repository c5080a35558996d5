"""A run's settings as tables for a report: every one of them, those that differ from the default marked."""

import json
from collections.abc import Iterator

from workbench.config import FROM_PROFILE, RunConfig, from_dict, settings_of
from workbench.errors import UsageError
from workbench.face import html_page as page
from workbench.face.html_page import Html, tag
from workbench.face.language import say
from workbench.report import RunDetails

_CHANGED = "●"


def settings_tables(details: RunDetails) -> Iterator[Html]:
    """Yield a sentence, then a table for each section."""
    try:
        config = from_dict(details.config)
    except UsageError:  # of another version, whose defaults are not known
        yield tag(
            "p", say("Written by another version, so defaults are not told apart."), class_="muted"
        )
        yield page.facts(
            (name, json.dumps(value, ensure_ascii=False)) for name, value in details.config.items()
        )
        return
    text = say(
        "{mark} differs from the program's default. A profile's choice is shown as it was in force."
    )
    yield tag("p", text.format(mark=_CHANGED), class_="muted")
    sections: dict[str, list[tuple[str, ...]]] = {}
    changed: dict[str, list[int]] = {}
    for key, label, shown, default, differs in _rows(config, details):
        section = key.partition(".")[0]
        rows = sections.setdefault(section, [])
        if differs:
            changed.setdefault(section, []).append(len(rows))
        name = tag("span", label, title=key)
        rows.append((name, shown, default, _CHANGED if differs else ""))
    for section, rows in sections.items():
        head = (section, say("Value"), say("Default"), "")
        yield page.table(head, rows, marked=changed.get(section, ()))


def _rows(config: RunConfig, details: RunDetails) -> Iterator[tuple[str, str, str, str, bool]]:
    """Yield key, label, value, default and whether the two differ, in the order of the settings."""
    defaults = {key: value for key, _, value in settings_of(RunConfig())}
    for key, item, value in settings_of(config):
        if key == "name":
            continue
        default, shown = _said(defaults[key]), _said(value)
        if value == FROM_PROFILE and key.startswith("switches."):
            name = key.partition(".")[2]
            told = details.switches.get(name, "–")
            shown = say("{value} (by the profile)").format(value=told)
        if default == FROM_PROFILE:
            default = say("by the profile")
        label = str(item.metadata.get("label") or key)
        yield key, label, shown, default, value != defaults[key]


def _said(value: object) -> str:
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) or say("(empty)")
