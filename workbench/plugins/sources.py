"""Where plug-ins lie: Python files and packages in folders, and installed packages with an entry point."""

import hashlib
import importlib.machinery
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from workbench.errors import UsageError
from workbench.plugins.hooks import PROJECT

PREFIX = f"{PROJECT}_plugin_"  # of the module that a file becomes
_IMPORTED = (".py", ".so", ".pyd")


@dataclass(frozen=True)
class Source:
    """One plug-in before it is run. `digest` is empty for an installed package."""

    name: str  # of the file or folder, or of the entry point
    place: str  # the file's path, or the package's name and version
    digest: str  # SHA-256 of its text, whatever the line ends
    module: str  # its module's name, once it is imported
    bring: Callable[[], Any]
    version: str = ""

    def now(self) -> "Source":
        """Return the source as it lies there now: a file may have changed since it was listed."""
        return replace(self, digest=digest_of(Path(self.place))) if self.digest else self

    @property
    def folder(self) -> Path:
        """The folder that a file lies in."""
        return Path(self.place).parent


def files_in(folders: Iterable[Path]) -> Iterator[Source]:
    """Yield the plug-ins of these folders by name; one whose name came before says so when it is brought."""
    seen: dict[str, Path] = {}
    for folder in folders:
        for path in sorted((*folder.glob("*.py"), *folder.glob("*/__init__.py"))):
            top = path.parent if path.name == "__init__.py" else path
            module, digest = PREFIX + top.stem, digest_of(top)
            first = seen.setdefault(top.stem, top)
            if first is top:
                bring = partial(_import_file, path, module)
                yield Source(top.name, str(top), digest, module, bring)
            else:
                yield Source(str(top), str(top), digest, module, partial(_refuse, first))


def installed() -> Iterator[Source]:
    """Yield installed packages that have an entry point of our group."""
    for point in importlib.metadata.entry_points(group=PROJECT):
        package = point.dist
        place = f"{package.name} {package.version}" if package is not None else point.value
        version = package.version if package is not None else ""
        yield Source(point.name, place, "", point.module, point.load, version)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file's text, or of all files in a folder that can be imported, with their names."""
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix in _IMPORTED)
    total = hashlib.sha256()
    for file in files:
        if path.is_dir():
            total.update(file.relative_to(path).as_posix().encode() + b"\0")
        try:
            total.update(file.read_bytes().replace(b"\r\n", b"\n"))
        except OSError:  # importing it will say why
            total.update(b"unreadable")
    return total.hexdigest()


def _refuse(first: Path) -> Any:
    raise UsageError(f"{first} has the same name and came first. Rename one of them.")


class _FromText(importlib.machinery.SourceFileLoader):
    """Compiles the text that the question was asked about, never what a `__pycache__` beside it holds."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of the module's text as it is now."""
        return self.source_to_code(self.get_data(self.path), self.path)


_LOADERS: tuple[tuple[Any, list[str]], ...] = (
    (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES),
    (_FromText, importlib.machinery.SOURCE_SUFFIXES),
)


class _OwnModules:
    """Finds the modules of a plug-in that is a package: files that its hash covers, and no others."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where a module of a plug-in lies; of all others, nothing."""
        if not name.startswith(PREFIX) or path is None:
            return None
        for folder in path:
            finder = importlib.machinery.FileFinder(folder, *_LOADERS)
            found = finder.find_spec(name)
            if found is not None and found.loader is not None:
                return found
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _import_file(path: Path, name: str) -> Any:
    if _OwnModules not in sys.meta_path:
        sys.meta_path.insert(0, _OwnModules)
    loader = _FromText(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
