"""Every sentence of the window can be said in another language: none stands outside `tr` or `say`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

FACE = Path(__file__).resolve().parent.parent / "workbench" / "face"
SAID = {"tr", "say", "translate", "counted"}  # what gives a text its language
TABLES = {"Command", "Column", "View"}  # rows that are said when they are shown
MISTAKES = {"ValueError", "TypeError", "KeyError", "RuntimeError"}  # a programmer's, not a user's
SHOWN = {  # what shows its text as it is: here a single word is a text, too
    "setText", "setToolTip", "setAccessibleName", "setAccessibleDescription", "setWindowTitle", "setTitle",
    "setPlaceholderText", "setStatusTip", "addAction", "addButton", "addItem", "addRow", "addTab", "show_strip",
    "QLabel", "QPushButton", "QAction", "QCheckBox", "QRadioButton", "QGroupBox", "QMenu", "Question", "Line",
    "Entry", "Part", "set_title", "set_summary", "set_empty_text", "add_page",
}  # fmt: skip
TWO_WORDS = re.compile(r"[A-Za-z]{2,}[,.;:]? [(a-z]")
ONE_WORD = re.compile(r"^[A-Z][a-z]+…?$")
BESIDE_A_VALUE = re.compile(
    r"\b(?!(min|kB|MB|GB|px|logit)\b)[A-Za-z]{3,} \x00|\x00 (?!(min|kB|MB|GB|px)\b)[a-z]{2,}"
)
CODE = re.compile(r"[{}<>]|url\(|^--|^[a-z-]+: .*;$")
KEYS = re.compile(r"^(Ctrl|Alt|Shift)\+|^(Del|Home|End|Left|Right|Up|Down|Return|Space)$")
SUBJECTS = re.compile(
    r"^(log disk|log copy|queue problem|queue failed|cut off |plug-in |panel |training |tab )"
)
NOT_SHOWN = {  # modules whose words are no texts of the window
    "app.py": "printed where no window can open",
    "background.py": "types in quotes",
    "last_words.py": "a report for the developers",
    "style.py": "style sheets",
}
NO_TEXT = {
    "plain fine-tuning",
    "not finite",
    "NTK-CL workbench",
    "Title",
}  # a role, a cause, a name, a key


def called(node: ast.expr | None) -> str:
    """Return the last part of the name that is called, if anything is."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def text_of(node: ast.AST) -> str | None:
    """Return a literal's text, each filled-in value as a null; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (p.value if isinstance(p, ast.Constant) else "\x00" for p in node.values)
        return "".join(str(part) for part in parts)
    return None


def passed_over(node: ast.AST, parent: ast.AST) -> bool:
    """Return whether what is below may hold English: docstrings, tables, mistakes, what is said."""
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    table = isinstance(node, (ast.Assign, ast.AnnAssign)) and not isinstance(
        parent, ast.FunctionDef
    )
    table = table and isinstance(parent, (ast.Module, ast.ClassDef))
    mistake = isinstance(node, ast.Raise) and called(node.exc) in MISTAKES
    return (
        docstring
        or table
        or mistake
        or called(node if isinstance(node, ast.expr) else None) in SAID | TABLES
    )


def is_words(text: str, *, shown: bool) -> bool:
    """Return whether a person reads this text as words."""
    if CODE.search(text) or KEYS.search(text) or SUBJECTS.search(text) or text in NO_TEXT:
        return False
    if shown and ONE_WORD.search(text):
        return True
    return bool(TWO_WORDS.search(text) or BESIDE_A_VALUE.search(text))


def unsaid(tree: ast.AST, *, shown: bool = False) -> Iterator[tuple[int, str]]:
    """Yield line and text of what is said in English, whatever the language."""
    for node in ast.iter_child_nodes(tree):
        if passed_over(node, tree):
            continue
        text = text_of(node)
        if text is None:
            yield from unsaid(
                node, shown=called(node if isinstance(node, ast.expr) else None) in SHOWN
            )
        elif is_words(text, shown=shown):
            yield getattr(node, "lineno", 0), text.replace("\x00", "{}")


def glued(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield what adds letters to a said text, or says one that is filled in already: no list can hold it."""
    for node in ast.walk(tree):
        said = isinstance(node, ast.Call) and called(node) in SAID and node.args
        if said and isinstance(node.args[0], (ast.JoinedStr, ast.BinOp)):
            yield node.lineno, ast.unparse(node)
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)):
            continue
        texts = [text_of(side) for side in (node.left, node.right)]
        if any(text and re.search("[A-Za-z]{2,}|^s$", text) for text in texts) and any(
            called(inner) in SAID
            for side in (node.left, node.right)
            for inner in ast.walk(side)
            if isinstance(inner, ast.expr)
        ):
            yield node.lineno, ast.unparse(node)


@pytest.mark.parametrize("find", [unsaid, glued])
def test_no_text_of_the_window_is_tied_to_one_language(find: object) -> None:
    assert callable(find)
    found = [
        f"{path.name}:{line}: {text}"
        for path in sorted(FACE.glob("*.py"))
        if path.name not in NOT_SHOWN
        for line, text in find(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        'def f(label):\n    label.setText("Stop")',
        'def f(label, n):\n    label.setToolTip(f"{n} runs")',
        'def f():\n    return "The disk is full."',
        'def f(error):\n    raise WorkbenchError(f"Could not write {error}.")',
    ],
)
def test_a_text_in_plain_english_is_found(code: str) -> None:
    assert list(unsaid(ast.parse(code)))


def test_a_said_text_a_key_and_a_style_are_no_find() -> None:
    code = 'def f(self):\n    self.setText(self.tr("Stop"))\n    self.x("Ctrl+R", "a { color: red }", "runs.csv")'
    assert not list(unsaid(ast.parse(code)))
    assert list(glued(ast.parse('def f(self, n):\n    return self.tr("run") + "s"')))
    assert list(glued(ast.parse('def f(self, n):\n    return self.tr(f"{n} runs")')))
