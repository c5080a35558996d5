"""Every backbone there is to choose: what is known of each, and fetching, checking and deleting weights.

The facts are read from a table that ships with the program, so that nothing heavy is imported for a list.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from workbench.errors import UsageError, WorkbenchError, nearest_name
from workbench.events import Stage
from workbench.paths import resource, weights_folder
from workbench.report import BackboneChoice, BackboneFacts, WeightsFile
from workbench.session.engine import LOADING, starting

TABLE = "vision_transformers.csv"
_RANDOM = "random:"


class Backbones:
    """The backbones of one home folder.

    Args:
        home: where downloaded weights are kept.
        offered: the short list of the settings; its titles and notes are used, its own ones come first.
    """

    def __init__(self, home: Path, offered: Iterable[BackboneChoice]) -> None:
        self._home = home
        self._offered = {choice.name: choice for choice in offered}

    @property
    def folder(self) -> Path:
        """Where downloaded weights are kept."""
        return weights_folder(self._home)

    def all(self) -> tuple[BackboneFacts, ...]:
        """Return every backbone, the short list first, each with its file if it is on this computer."""
        names = dict.fromkeys((*self._offered, *self._table))
        return tuple(self._with_file(self._known(name)) for name in names)

    def short_list(self) -> tuple[BackboneFacts, ...]:
        """Return those that the settings list, each with its file if it is on this computer."""
        return tuple(self._with_file(self._known(name)) for name in self._offered)

    def find(self, name: str) -> BackboneFacts | None:
        """Return what is known of a name, whatever arguments follow it; None if it is not in the table."""
        plain = name.removeprefix(_RANDOM).partition("?")[0]
        if plain in self._offered or plain in self._table:
            return self._with_file(self._known(plain))
        return None

    def tags(self, architecture: str) -> list[str]:
        """Return the full names of an architecture's weights."""
        return [name for name in self._table if name.startswith(f"{architecture}.")]

    def problem(self, name: str, weights_file: str = "") -> str:
        """Return why a name cannot be used as it is, naming the nearest one that can; else ""."""
        if self.find(name) is not None and "." in name.partition("?")[0]:
            return ""
        plain = name.removeprefix(_RANDOM).partition("?")[0]
        if plain in self._offered or (plain in self._architectures and name.startswith(_RANDOM)):
            return ""
        if plain not in self._architectures:
            near = self._nearest(plain)
            return f"{plain!r} is not known." + (f" Did you mean {near}?" if near else "")
        if weights_file:
            return ""
        known = self.tags(plain)
        if not known:
            return f"There are no published weights of {plain!r}. Choose a weights file for it."
        return f"{plain!r} exists with several weights: {', '.join(known)}. Choose one of them."

    def require(self, name: str, weights_file: str = "") -> None:
        """Raise UsageError if a run could not be started with this backbone."""
        problem = self.problem(name, weights_file)
        if problem:
            raise UsageError(problem)

    def place(self, name: str) -> Path:
        """Return where a file of these weights is looked for."""
        return self.folder / f"{name.partition('?')[0]}.safetensors"

    def download(self, name: str) -> Iterator[Stage | WeightsFile]:
        """Fetch weights from the hub, going on where it broke off; the last item is the file.

        Raises:
            WorkbenchError: the hub cannot be reached or refuses, the disk is full, the file is damaged.
        """
        from workbench.core.hub import Weights, checked_sha256, fetch, hub_urls

        facts = self.find(name)
        if facts is None:
            raise UsageError(self.problem(name))
        if not facts.hub:
            raise UsageError(
                f"The weights of {facts.name} cannot be downloaded from here. Choose a weights file."
            )
        path = yield from fetch(Weights(facts.name, hub_urls(facts.hub)), self._home)
        yield WeightsFile(str(path), (yield from checked_sha256(path)))

    def check(self, name: str, path: str) -> Iterator[Stage | WeightsFile]:
        """Read a weights file as training would, without running what it holds; the last item is the file.

        Raises:
            UsageError: it is no weights file, holds more than weights, or does not fit the backbone.
        """
        yield Stage(LOADING)
        with starting():
            from workbench.core.weights import load_weights

        loaded = yield from load_weights(name, path, self._home)
        yield WeightsFile(path, loaded.sha256)

    def delete(self, name: str) -> None:
        """Delete downloaded weights with what belongs to them."""
        from workbench.core.stored import remove

        try:
            remove(name.partition("?")[0], self._home)
        except OSError as error:
            raise WorkbenchError(
                f"The weights of {name} could not be deleted: {error.strerror}."
            ) from error

    @cached_property
    def _table(self) -> dict[str, BackboneFacts]:
        with resource(TABLE).open(encoding="utf-8", newline="") as file:
            return {row["name"]: _facts(row) for row in csv.DictReader(file)}

    @cached_property
    def _architectures(self) -> dict[str, None]:
        """Names without tags, those of the short list first."""
        return dict.fromkeys(
            name.partition(".")[0] for name in (*self._offered, *self._table) if name != "sample"
        )

    def _nearest(self, name: str) -> str:
        """Return the nearest architecture, or, where a tag is given, the nearest weights."""
        if "." not in name:
            return nearest_name(name, self._architectures)
        architecture = name.partition(".")[0]
        known = self.tags(architecture) or (*self._table, *self._offered)
        return nearest_name(name, known)

    def _known(self, name: str) -> BackboneFacts:
        choice = self._offered.get(name)
        facts = self._table.get(name)
        if choice is None:
            assert facts is not None
            return facts
        if facts is None:
            return BackboneFacts(
                name, choice.title, round(choice.parameters_millions * 1e6), choice.image_size,
                0, choice.operations, 0, choice.licence, "", choice.note, True,
                file=str(resource("sample")) if choice.present else "",
            )  # fmt: skip
        return replace(
            facts, title=choice.title, licence=choice.licence, note=choice.note, listed=True
        )

    def _with_file(self, facts: BackboneFacts) -> BackboneFacts:
        from workbench.core.stored import recorded_sha256, stored_file

        path = stored_file(facts.name, self._home)
        if path is None:
            return facts
        return replace(facts, file=str(path), sha256=recorded_sha256(path))


def _facts(row: dict[str, str]) -> BackboneFacts:
    return BackboneFacts(
        row["name"], "", int(row["parameters"]), int(row["image_size"]), int(row["patch_size"]),
        float(row["operations"]), int(row["megabytes"]), row["licence"], row["hub"],
    )  # fmt: skip
