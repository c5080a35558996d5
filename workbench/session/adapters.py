"""Adapters from a run or a file: what is known of one, and its answers on new pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import paths
from workbench.errors import UsageError
from workbench.events import Stage
from workbench.report import Guess
from workbench.session.engine import LOADING, starting

if TYPE_CHECKING:
    from workbench.session.session import Session


@dataclass(frozen=True)
class AdapterFacts:
    """What an adapter's card says, and whether the backbone's weights are on this computer."""

    path: str
    backbone: str
    width: int
    classes: int
    tasks: int
    present: bool
    chosen_width: int = 0  # of the backbone that it is compared with; 0: not asked or not known


class Adapters:
    """Reads cards and answers; every method may be called from any thread."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def facts(self, path: str, compared_with: str = "") -> Iterator[Stage | AdapterFacts]:
        """Yield progress, and at last what is known of the adapter file at `path`.

        Raises:
            UsageError: it is no adapter, is damaged, or was made by a newer version.
        """
        yield Stage(LOADING)
        with starting():
            from workbench.core.adapter_file import load_adapter
            from workbench.core.weights import width_of

        _, card = load_adapter(Path(path))
        width = 0
        if compared_with and compared_with != card.backbone:
            width = width_of(compared_with)
        yield AdapterFacts(
            path, card.backbone, card.width, len(card.classes), len(card.tasks),
            self._is_present(card.backbone, str(card.model.get("weights", ""))), width,
        )  # fmt: skip

    def predict(
        self, run_or_adapter: str, pictures: Sequence[str], device: str, *, any_weights: bool
    ) -> Iterator[Stage | Guess]:
        """Classify pictures with a run's adapter (by id or name) or an exported one (by path)."""
        if Path(run_or_adapter).exists():
            source = Path(run_or_adapter)
        else:
            run = self._session.details(run_or_adapter).summary.id
            source = paths.run_folder(self._session.home, run) / "adapter"
            if not source.exists():
                raise UsageError(
                    f"Run {run_or_adapter!r} has no adapter yet: it is saved after the first task."
                )
        return self._answers(source, pictures, device, any_weights)

    def _answers(
        self, source: Path, pictures: Sequence[str], device: str, any_weights: bool
    ) -> Iterator[Stage | Guess]:
        yield Stage(LOADING)
        with starting():
            from workbench.core.predict import predict

        yield from predict(
            source, pictures, self._session.home, device=device, any_weights=any_weights
        )

    def _is_present(self, backbone: str, weights_file: str) -> bool:
        from workbench.core.stored import stored_file

        if weights_file:
            return Path(weights_file).expanduser().is_file()
        if backbone == "sample" or backbone.startswith("random:"):
            return True
        return stored_file(backbone.partition("?")[0], self._session.home) is not None
