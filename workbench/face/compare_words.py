"""What is said of runs side by side: on the page and in its report."""

from workbench.face.language import say
from workbench.session.compare import Comparison


def doubt_of(comparison: Comparison) -> tuple[str, str]:
    """Return why accuracies cannot be compared as they are, and how grave that is; "" where they can."""
    if not comparison.comparable:
        text = say(
            "These runs used different test pictures; their accuracies cannot be compared directly."
        )
        return text, "warning"
    if comparison.split_differs:
        text = say(
            "These runs draw their test part differently; where a folder brings none of its own, "
            "they were tested on different pictures."
        )
        return text, "info"
    return "", ""


def shown_of(shown: int, ticked: int) -> str:
    """Return that not all ticked runs are shown; "" if they are."""
    if ticked <= shown:
        return ""
    text = say("Showing the {shown} newest of {ticked} ticked.")
    return text.format(shown=shown, ticked=ticked)
