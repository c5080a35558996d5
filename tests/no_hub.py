"""A hub that cannot be reached, for tests."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def no_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where the hub is looked for, connections are refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        yield
