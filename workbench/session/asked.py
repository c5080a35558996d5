"""What a session may be asked to do in another process: each name stands for an iterator of plain values."""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.session.session import Session


def _scored(session: "Session") -> Generator[Any, None, None]:
    yield session.score_forecasts()


ASKED: dict[str, Callable[..., Generator[Any, None, None]]] = {
    "predict": lambda session, *given, **named: session.predict(*given, **named),
    "facts": lambda session, *given: session.adapters.facts(*given),
    "self_test": lambda session: session.self_test(),
    "forecast": lambda session, *given: session.forecast(*given),
    "score_forecasts": _scored,
    "estimate": lambda session, config: session.estimate(config),
    "order": lambda session, *given: session.order(*given),
    "orders": lambda session, key: session.groups.predict(key),
    "weights": lambda session, *given: session.backbones.check(*given),
    "export": lambda session, *given, **what: session.exporting(*given, **what),
}
