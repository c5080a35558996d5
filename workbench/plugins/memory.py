"""What the home folder remembers of plug-ins: which are trusted, which are off, and which was being loaded."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.paths import resource

SETTINGS, MARKER = "plugins.json", "plugins.loading"


class Memory:
    """Trusted contents by SHA-256, names switched off, and the marker of a load under way.

    Files whose SHA-256 stands in resources/plugins.sha256 came with the program and are trusted.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / SETTINGS
        self._marker = home / MARKER
        tree = self._read()
        self._trusted = set(tree.get("trusted", ()))
        self._off = set(tree.get("off", ()))

    def trusts(self, digest: str) -> bool:
        """Whether content of this SHA-256 may be run; "" is an installed package, which may."""
        return not digest or digest in self._trusted or digest in shipped()

    def trust(self, digest: str) -> None:
        """Remember that this content may be run."""
        self._write(self._trusted | {digest}, self._off)

    def is_off(self, name: str) -> bool:
        """Whether the plug-in is switched off."""
        return name in self._off

    def switch(self, name: str, *, on: bool) -> None:
        """Switch a plug-in on or off, from the next start on."""
        self._write(self._trusted, self._off - {name} if on else self._off | {name})

    @contextmanager
    def loading(self, name: str) -> Iterator[None]:
        """Leave a marker while a plug-in's own code is run, which stays if the program dies there."""
        outer = self._marker_text()
        self._put(f"{os.getpid()} {name}")
        try:
            yield
        finally:
            if outer:
                self._put(outer)
            else:
                self._marker.unlink(missing_ok=True)

    def died_in(self) -> str:
        """Return the plug-in that the last start ended in, or an empty string; says it once."""
        pid, _, name = self._marker_text().partition(" ")
        if not name or _runs(pid):
            return ""
        self._marker.unlink(missing_ok=True)
        return name

    def _marker_text(self) -> str:
        try:
            return self._marker.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def _put(self, text: str) -> None:
        with suppress(OSError):  # a full disk must not keep the program from starting
            self._marker.write_text(text, encoding="utf-8")

    def _read(self) -> dict[str, list[str]]:
        try:
            tree = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):  # not there, or damaged: asked again
            return {}
        lists = tree.items() if isinstance(tree, dict) else ()
        return {key: list(map(str, value)) for key, value in lists if isinstance(value, list)}

    def _write(self, trusted: set[str], off: set[str]) -> None:
        tree = {"trusted": sorted(trusted), "off": sorted(off)}
        part = self._file.with_suffix(".part")
        try:
            part.write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")
            os.replace(part, self._file)
        except OSError as error:
            raise WorkbenchError(
                f"{self._file} cannot be written: {error.strerror}. Nothing was changed."
            ) from error
        self._trusted, self._off = trusted, off


def shipped() -> frozenset[str]:
    """Return the SHA-256 of the plug-ins that came with the program."""
    lines = resource("plugins.sha256").read_text(encoding="utf-8").splitlines()
    return frozenset(line.split()[0] for line in lines if line.strip())


def _runs(pid: str) -> bool:
    """Whether another process of this number runs: it may be loading at this very moment."""
    import psutil  # type: ignore[import-untyped]

    return pid.isdigit() and int(pid) != os.getpid() and psutil.pid_exists(int(pid))
