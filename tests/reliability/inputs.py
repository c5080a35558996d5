"""Malformed inputs as hypothesis strategies: bytes cut, flipped and spliced; trees of values with a wrong leaf."""

import copy
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 1, 2**31, 2**53, 2**63, 10**12, 10**30, 1e308, float("nan")]),
)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(exclude_categories=()), max_size=8),  # lone surrogates too
    st.sampled_from([
        "", "..", "../../evil", "/etc/passwd", "\\\\host\\share", "C:\\evil", "nul", "\x00", "'; DROP TABLE run;--",
        "$(touch evil)", "<img src='//host/x'>", "{0}", "%s", "nan", "1e999", "-", "\u202e", "é" * 300,
    ]),
)  # fmt: skip
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn, originals: Sequence[bytes], most: int = 4) -> bytes:
    """Return one of the originals with a few bytes flipped, cut, repeated or replaced."""
    data = bytearray(draw(st.sampled_from(list(originals))))
    for _ in range(draw(st.integers(1, most))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        how = draw(st.sampled_from(["flip", "cut", "drop", "put", "twice", "length"]))
        if how == "flip" and data:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "cut":
            del data[at:]
        elif how == "drop":
            del data[at : at + draw(st.integers(1, 64))]
        elif how == "put":
            data[at:at] = draw(st.binary(max_size=16))
        elif how == "twice":
            data[at:at] = data[at : at + draw(st.integers(1, 64))]
        else:
            data[at : at + 8] = draw(st.sampled_from([10**12, 2**63, 0, 2**31])).to_bytes(
                8, "little"
            )
    return bytes(data)


@st.composite
def edited(draw: st.DrawFn, tree: Any, most: int = 3) -> Any:
    """Return the tree with a few of its values replaced, removed or joined by others."""
    made = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, most))):
        made = _edit(draw, made, draw(st.integers(0, 4)))
    return made


def _edit(draw: st.DrawFn, node: Any, depth: int) -> Any:
    if not isinstance(node, (dict, list)) or not node:
        return draw(JUNK)
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    key = draw(st.sampled_from(keys))
    if depth:
        node[key] = _edit(draw, node[key], depth - 1)
        return node
    how = draw(st.sampled_from(["replace", "remove", "add"]))
    if how == "replace":
        node[key] = draw(JUNK)
    elif how == "remove":
        del node[key]
    elif isinstance(node, dict):
        node[draw(st.text(max_size=8))] = draw(JUNK)
    else:
        node.append(draw(JUNK))
    return node


def nested(depth: int) -> bytes:
    """Return JSON that nests deeper than Python's reader can follow."""
    return b"[" * depth + b"]" * depth


FRAGMENTS = st.sampled_from([
    "acc", "seed", "created", "state", "is", "tag", "name", "train.epochs", "switches.fusion", "task", "note",
    ">", "<", ">=", "<=", ":", "=", "-", '"', "\\", "'", "%", "_", " ", "80", "1e999", "-1", "nan", "²", "٣",
    "9999-12-31", "0001-01-01", "2026-02-30", "starred", "finished", "x" * 3000, "\x00", "\ud800", "🐦", "\n", "*",
])  # fmt: skip
TERMS = st.tuples(
    st.sampled_from(["", "-"]),
    st.sampled_from([
        "acc", "seed", "created", "state", "is", "tag", "name", "tasks", "train.epochs", "switches.fusion", "task",
        "note", "backbone", "profile", "data.max_side", "ACC",
    ]),
    st.sampled_from([">", "<", ">=", "<=", ":", "="]),
    st.one_of(
        st.sampled_from([
            "80", "80%", "1e308", "-1", "0", "5", "9999-12-31", "0001-01-01", "0001", "9998-12", "9999", "2026-02",
            "starred", "baseline", "finished", "x", '"a b"', "\\", "%", "_", "\ud800", "1" * 400,
        ]),
        NUMBERS.map(str), TEXTS,
    ),
).map("".join)  # fmt: skip
FILTERS = st.one_of(
    TERMS,
    st.lists(TERMS, max_size=5).map(" ".join),
    st.lists(FRAGMENTS, max_size=12).map("".join),
    st.text(max_size=40),
    st.integers(50, 2000).map(lambda n: "a " * n),
)
NAMES = st.one_of(
    st.text(st.characters(exclude_characters="/\x00", exclude_categories=("Cs",)), min_size=1, max_size=60),
    st.text(st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF), min_size=1, max_size=4),
    st.sampled_from([
        "-rf", "$(touch evil)", "`x`", "a;b", "'", '"', "a\nb", "%s", "{0}", "con", "nul.txt", "a\\b", " ", ".hidden",
        "<b>x</b>", "'); DROP TABLE run;--", "train", "test", "\u202egnp.exe", "é" * 120, "x" * 255, "~", "#", "[x]",
    ]),
)  # fmt: skip
