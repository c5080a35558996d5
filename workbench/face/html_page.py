"""One HTML page that needs nothing but itself: no script, no picture, font or style from elsewhere."""

import html
import re
from collections.abc import Iterable, Sequence

from workbench.face.language import say
from workbench.face.theme import DARK, LIGHT, Theme

# What a page could load or run is forbidden to it, whatever a run's name or notes may hold.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_ID = re.compile(r"""( id="|="url\(#|href="#)""")

_STYLE = """
:root{color-scheme:light dark;--font:system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;%s}
@media (prefers-color-scheme:dark){:root{%s}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:2rem 1.5rem 3rem;background:var(--base);color:var(--text);
font:15px/1.5 var(--font)}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .3rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.2rem 0 .7rem;padding-bottom:.25rem;border-bottom:1px solid var(--border)}
h3{font-size:1rem;margin:1.4rem 0 .5rem}
p{margin:.4rem 0}
h1,td,th,dd,li,p{unicode-bidi:isolate}
.muted,caption,figcaption,small{color:var(--muted)}
.warning{border-left:4px solid var(--warning);padding:.4rem .9rem;margin:.8rem 0;background:var(--raised)}
dl{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.25rem 1.4rem;margin:.6rem 0}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}
.cards{display:flex;flex-wrap:wrap;gap:.7rem;margin:1rem 0}
.card{flex:1 1 9rem;border:1px solid var(--border);border-radius:8px;padding:.6rem .9rem;background:var(--raised)}
.card b{display:block;font-size:1.45rem;font-weight:600;font-variant-numeric:tabular-nums}
.card b.absent{font-size:1rem;font-weight:400;color:var(--muted)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%%;margin:.5rem 0 1rem;font-size:.9rem}
caption{text-align:left;padding:.3rem 0}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--border);text-align:left;vertical-align:top;overflow-wrap:anywhere}
thead th{color:var(--muted);font-weight:600}
tbody th{font-weight:400}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.absent{color:var(--muted);white-space:normal}
.changed th,.changed td{font-weight:600}
.better{color:var(--good)}.worse{color:var(--bad)}
code{font:.85em ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(26rem,1fr));gap:1rem}
figure{margin:0;border:1px solid var(--border);border-radius:8px;overflow:hidden;background:#fff;break-inside:avoid}
figure svg{display:block;width:100%%;height:auto}
figure svg text{font-family:var(--font)}
data{white-space:nowrap}
footer{margin-top:3rem;color:var(--muted);font-size:.85rem}
@media screen and (max-width:30rem){.figures{grid-template-columns:1fr}}
@media print{body{max-width:none;padding:0;font-size:11px}.figures{grid-template-columns:1fr 1fr}
tr,.card{break-inside:avoid}h2,h3{break-after:avoid}.wide{overflow:visible}}
"""


class Html(str):
    """Text that is HTML already; any other text is escaped when it is put into some."""

    __slots__ = ()


def escaped(text: str) -> Html:
    """Return text as HTML that shows it letter by letter; characters that no page may hold are marked."""
    return text if isinstance(text, Html) else Html(html.escape(_UNSEEN.sub("\ufffd", text)))


def joined(parts: Iterable[str]) -> Html:
    """Return parts one after another."""
    return Html("".join(map(escaped, parts)))


def tag(name: str, *inner: str, **attributes: str) -> Html:
    """Return an element; an attribute called `class_` is its class, empty ones are left out."""
    told = (
        f' {key.rstrip("_")}="{escaped(value)}"' for key, value in attributes.items() if value != ""
    )
    return Html(f"<{name}{''.join(told)}>{joined(inner)}</{name}>")


def number(text: str, value: float, class_: str = "") -> Html:
    """Return a number as a person reads it, with all its digits beside for a program."""
    return tag("data", text, value=repr(value), class_=class_)


def section(title: str, *inner: str) -> Html:
    """Return a part of the page under its title; nothing where there is nothing in it."""
    body = joined(inner)
    return tag("section", tag("h2", title), body) if body else Html()


def facts(rows: Iterable[tuple[str, str]]) -> Html:
    """Return names with what is known of each; nothing where there are none."""
    pairs = [part for name, value in rows for part in (tag("dt", name), tag("dd", value))]
    return tag("dl", *pairs) if pairs else Html()


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    caption: str = "",
    numbers: bool = False,
    marked: Iterable[int] = (),
) -> Html:
    """Return a table whose first column names its rows; `marked` are the places of rows that stand out."""
    kind, changed = "number" if numbers else "", set(marked)
    top = joined(
        tag("th", text, scope="col", class_=kind if place else "")
        for place, text in enumerate(head)
    )
    body = joined(
        tag(
            "tr", tag("th", row[0], scope="row"), *(tag("td", cell, class_=kind) for cell in row[1:]),
            class_="changed" if place in changed else "",
        )
        for place, row in enumerate(rows)
    )  # fmt: skip
    said = tag("caption", caption) if caption else Html()
    whole = tag("table", said, tag("thead", tag("tr", top)), tag("tbody", body))
    return tag("div", whole, class_="wide")


def gallery(svgs: Sequence[str]) -> Html:
    """Return drawings side by side; names within each are made its own."""
    drawn = (_ID.sub(rf"\g<1>f{place}-", svg) for place, svg in enumerate(svgs))
    return (
        tag("div", *(tag("figure", Html(svg)) for svg in drawn), class_="figures")
        if svgs
        else Html()
    )


def document(title: str, *body: str) -> str:
    """Return the whole page."""
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    style = _STYLE % (_colours(LIGHT), _colours(DARK))
    return (
        f'<!DOCTYPE html>\n<html lang="{say("en")}">\n<head>\n<meta charset="utf-8">\n{policy}\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{tag('title', title)}\n<style>{style}</style>\n</head>\n<body>\n{joined(body)}\n</body>\n</html>\n"
    )


def _colours(theme: Theme) -> str:
    names = ("base", "raised", "text", "muted", "border", "good", "warning", "bad")
    return "".join(f"--{name}:{getattr(theme, name)};" for name in names)
