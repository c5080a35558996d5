"""The work behind Try it, for its thread: answers of one or two adapters on the same pictures, and refusals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtGui import QImage

from workbench.errors import WeightsDiffer, WorkbenchError
from workbench.events import Stage
from workbench.face.guess_list import Answer, thumbnail_of
from workbench.report import Guess
from workbench.session import Session
from workbench.session.adapters import AdapterFacts


@dataclass(frozen=True)
class Request:
    """What is asked: pictures and folders, one adapter or two, and on which device."""

    pictures: tuple[str, ...]
    adapter: str
    beside: str = ""  # a second adapter
    names: tuple[str, str] = ("", "")
    device: str = "auto"
    any_weights: bool = False


@dataclass(frozen=True)
class Second:
    """What the second adapter says of a picture that the first has answered."""

    guess: Guess


@dataclass(frozen=True)
class Refused:
    """A sentence, and whether it may be overruled."""

    sentence: str
    may_go_on: bool = False


Item = Stage | Answer | Second | Refused


def answers(session: Session, request: Request) -> Iterator[Item]:
    """Yield stages and answers; thumbnails are decoded here, off the window's thread."""
    try:
        for item in _predicted(session, request, request.adapter):
            if isinstance(item, Guess):
                image = QImage() if item.problem else thumbnail_of(item.path)
                yield Answer(item, image)
            else:
                yield item
        if request.beside:
            for item in _predicted(session, request, request.beside):
                yield Second(item) if isinstance(item, Guess) else item
    except WeightsDiffer as error:
        yield Refused(str(error), may_go_on=True)
    except WorkbenchError as error:
        yield Refused(str(error))


def _predicted(session: Session, request: Request, adapter: str) -> Iterator[Stage | Guess]:
    pictures, device = request.pictures, request.device
    return session.predict(adapter, pictures, device, any_weights=request.any_weights)


def facts(
    session: Session, path: str, chosen_backbone: str
) -> Iterator[Stage | AdapterFacts | Refused]:
    """Yield what is known of an adapter file, or why it cannot be used."""
    try:
        yield from session.adapters.facts(path, chosen_backbone)
    except WorkbenchError as error:
        yield Refused(str(error))


def rows(found: Sequence[Answer], names: tuple[str, str], best: int = 5) -> list[list[object]]:
    """Return the answers as a table: a row for each picture and adapter, the best classes first."""
    heads = [
        f"{what}_{rank}" for rank in range(1, best + 1) for what in ("class", "task", "probability")
    ]
    table: list[list[object]] = [["picture", "adapter", "problem", *heads]]
    for answer in found:
        for guess, name in zip((answer.guess, answer.other), names, strict=True):
            if guess is not None:
                known = zip(guess.classes, guess.tasks, guess.probabilities, strict=True)
                cells = [value for entry in list(known)[:best] for value in entry]
                table.append([guess.path, name, guess.problem, *cells])
    return table
