"""The language of the filter over the table of runs: a row of terms that must all hold.

A term is a word, a "quoted text", or `key`, operator and value such as `state:finished`, `acc>80`
or `created>2026-11-01`; `-` before a term turns it round. Keys are those of `KEYS` and every
setting, such as `train.epochs>5`. Values stay data: they reach the log as bound parameters only.
"""

import math
import re
from dataclasses import dataclass
from datetime import date

from workbench.config import RunConfig, settings_of
from workbench.errors import UsageError, nearest

MOST_TERMS, LONGEST = 100, 10_000  # of one filter; SQLite has limits of its own not far above
STATES = ("starting", "running", "paused", "finished", "stopped", "failed", "interrupted")
FLAGS = ("starred", "imported", "noted", "tagged", "learnt", "baseline")

# kind of value -> operators; ":" is "contains" for text, "equals" for numbers, "on that day" for days
_OPERATORS = {
    "text": (":", "="),
    "word": (":", "="),
    "number": (":", "=", ">", "<", ">=", "<="),
    "day": (":", "=", ">", "<", ">=", "<="),
    "setting": (":", "=", ">", "<", ">=", "<="),
}

# key -> kind of value, an example, what it means
KEYS: dict[str, tuple[str, str, str]] = {
    "state": ("word", "state:finished", "how the run stands"),
    "acc": ("number", "acc>80", "last accuracy on all classes seen, per cent"),
    "mean": ("number", "mean>80", "average accuracy, per cent"),
    "forget": ("number", "forget<5", "forgetting, per cent"),
    "floor": ("number", "floor<60", "accuracy of the frozen backbone, per cent"),
    "tasks": ("number", "tasks>=3", "tasks learnt"),
    "seed": ("number", "seed:0", "seed of the initialisation"),
    "created": ("day", "created>2026-11-01", "day the run began"),
    "name": ("text", "name:baseline", "letters in its name"),
    "tag": ("text", "tag:paper", "one of its tags"),
    "note": ("text", "note:warm", "letters in its note"),
    "backbone": ("text", "backbone:vit", "letters in the backbone's name"),
    "profile": ("text", "profile:paper", "the arithmetic"),
    "device": ("text", "device:cpu", "letters in the GPU's name, or cpu"),
    "method": ("text", "method:ranpac", "how it learns"),
    "precision": ("text", "precision:bf16", "strict, tf32 or bf16, whatever was asked for"),
    "task": ("text", "task:birds", "letters in the name of one of its tasks"),
    "is": ("word", "is:starred", "starred, imported, noted, tagged, learnt, baseline"),
}
SETTINGS = frozenset(key for key, _, _ in settings_of(RunConfig()) if "." in key)

_FIRST_YEAR = 1971  # Windows tells no local time before 1970 in UTC

_TERM = re.compile(r"(?P<key>[A-Za-z_][\w.]*)(?P<operator>>=|<=|:|=|>|<)(?P<value>.*)", re.DOTALL)
_TOKEN = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.|\\\Z)*("|\Z))+', re.DOTALL)


class FilterError(UsageError):
    """A part of a filter that is not understood; `part` is that part."""

    def __init__(self, part: str, more: str) -> None:
        super().__init__(f"'{part}' is not understood. {more}")
        self.part = part


@dataclass(frozen=True)
class Term:
    """One condition. `key` is empty for a plain word, looked for in name, note, tags and backbone."""

    key: str
    operator: str
    value: str
    negated: bool = False

    def __str__(self) -> str:
        sign = "-" if self.negated else ""
        if not self.key:
            return f"{sign}{_quoted(self.value, plain=True)}"
        return f"{sign}{self.key}{self.operator}{_quoted(self.value)}"


@dataclass(frozen=True)
class Query:
    """The terms of a filter; all must hold. No term lets every run through."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))


def parse(text: str) -> Query:
    """Return what a filter asks for.

    Raises:
        FilterError: a part is not understood; the sentence names it and says what to write.
    """
    tokens = [found.group() for found in _TOKEN.finditer(text)] if len(text) <= LONGEST else []
    if len(text) > LONGEST or len(tokens) > MOST_TERMS:
        raise FilterError(
            f"{text[:20]}…", f"A filter has at most {MOST_TERMS} parts and {LONGEST:,} letters."
        )
    return Query(tuple(map(_term, tokens)))


def completions(text: str) -> list[str]:
    """Return how the last word of `text` may go on: keys, then what a key can be."""
    negated, last = _sign(text.rpartition(" ")[2])
    sign = "-" if negated else ""
    key, colon, _ = last.partition(":")
    if colon and key in ("state", "is"):
        found = [f"{key}:{value}" for value in (STATES if key == "state" else FLAGS)]
    else:
        found = [example for _, example, _ in KEYS.values()]
        found += [f"{name}:" for name in sorted(SETTINGS)] if "." in last else []
    return [f"{sign}{each}" for each in found if last and each.startswith(last) and each != last]


def days_of(value: str) -> tuple[date, date]:
    """Return the first day of a date, month or year and the first day after it.

    Raises:
        ValueError: it is none of these, or before what every system's clock can tell.
    """
    parts = [int(part) for part in value.split("-")]
    if not 1 <= len(parts) <= 3 or not re.fullmatch(r"\d{4}(-\d{1,2}){0,2}", value):
        raise ValueError(value)
    first = date(*(parts + [1, 1])[:3])
    if first.year < _FIRST_YEAR:
        raise ValueError(value)
    if len(parts) == 3:
        return first, date.fromordinal(first.toordinal() + 1)
    if len(parts) == 2 and parts[1] < 12:
        return first, date(parts[0], parts[1] + 1, 1)
    return first, date(parts[0] + 1, 1, 1)


def _term(token: str) -> Term:
    negated, rest = _sign(token)
    found = _TERM.fullmatch(rest) if not rest.startswith('"') else None
    if found is None:
        value = _unquoted(rest, token)
        if not value:
            raise FilterError(token, 'Try a word, "quoted text", or acc>80.')
        return Term("", ":", value, negated)
    key, operator = found["key"], found["operator"]
    key = key.lower() if key not in SETTINGS else key
    value = _unquoted(found["value"], token)
    kind, example = _kind(key, token)
    if operator not in _OPERATORS[kind] or not value or found["value"][0] in "<>=:":
        raise FilterError(token, f"Try {_nearest_form(example, key, value)}.")
    _check_value(kind, key, value, token, example)
    return Term(key, operator, value, negated)


def _sign(token: str) -> tuple[bool, str]:
    negated = len(token) > 1 and token.startswith("-")
    return negated, token[1:] if negated else token


def _kind(key: str, token: str) -> tuple[str, str]:
    if key in KEYS:
        kind, example, _ = KEYS[key]
        return kind, example
    if key in SETTINGS:
        return "setting", f"{key}:5"
    hint = nearest(key, [*KEYS, *SETTINGS]).strip()
    raise FilterError(token, f'{hint} Text with a sign in it goes into quotes: "{token}".'.strip())


def _nearest_form(example: str, key: str, value: str) -> str:
    """Return the example, with the number that was meant if there was one."""
    meant = value.lstrip("<>=:")
    sign = example[len(key)] if len(example) > len(key) else ":"
    return f"{key}{sign}{meant}" if _number(meant) is not None else example


def _check_value(kind: str, key: str, value: str, token: str, example: str) -> None:
    if kind == "number" and _number(value) is None:
        raise FilterError(token, f"Try {example}.")
    if kind == "day":
        try:
            days_of(value)
        except ValueError as error:
            raise FilterError(token, f"Try {example}.") from error
    known = {"state": STATES, "is": FLAGS}.get(key)
    if known and value not in known:
        raise FilterError(token, f"Try one of {', '.join(known)}.")


def _number(text: str) -> float | None:
    try:
        value = float(text.rstrip("%"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def number_of(value: str) -> float:
    """Return a checked number of a term."""
    return float(value.rstrip("%"))


def _unquoted(text: str, token: str) -> str:
    if '"' not in text:
        return text
    if not re.fullmatch(r'"(?:[^"\\]|\\.)*"', text, re.DOTALL):
        raise FilterError(token, f'Try "{text.replace(chr(34), "").strip() or "two words"}".')
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def _quoted(value: str, *, plain: bool = False) -> str:
    odd = re.search(r'[\s"]', value) or (
        (value[:1] == "-" or _TERM.fullmatch(value)) if plain else value[:1] in "<>=:"
    )
    if not odd:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
