"""Downloads against a real HTTP server on this computer: whole, cut, resumed, refused, cancelled."""

import hashlib
import re
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.no_hub import no_hub
from workbench.core.hub import (
    Weights,
    checked_sha256,
    fetch,
    hub_urls,
)
from workbench.core.stored import stored_file
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Stage

T = TypeVar("T")
CONTENT = bytes(range(256)) * 12_000  # 3 MB
PIECE = 100_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Plan:
    """What the server does: its file, and how it misbehaves."""

    content: bytes = CONTENT
    etag: str = '"one"'
    cut_after: list[int] = field(default_factory=list)  # bytes sent, one entry a connection
    status: int = 200
    kind: str = "application/octet-stream"
    claims: int = 0  # length claimed beyond the truth
    paths: list[str] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    missing: tuple[str, ...] = ()
    sha256: str = ""  # named by the hub where it sends on to the file
    headers: dict[str, str] = field(default_factory=dict)  # in place of its own
    pause: float = 0.0  # seconds between two pieces: a slow line


class _Handler(BaseHTTPRequestHandler):
    plan: Plan

    def do_GET(self) -> None:
        plan = self.plan
        if plan.sha256 and not self.path.startswith("/cdn/"):
            self.send_response(302)
            self.send_header("X-Linked-ETag", f'"{plan.sha256}"')
            self.send_header("Location", f"/cdn{self.path}")
            self.end_headers()
            return
        plan.paths.append(self.path)
        plan.ranges.append(self.headers["Range"])
        if plan.status != 200 or self.path.endswith(plan.missing or ("\0",)):
            self.send_error(plan.status if plan.status != 200 else 404)
            return
        start, size = 0, len(plan.content)
        found = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        if found and self.headers["If-Range"] == plan.etag:
            start = int(found[1])
        if start >= size:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", plan.kind)
        told = {"Content-Length": str(size - start + plan.claims), "ETag": plan.etag}
        for name, value in (told | plan.headers).items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        end = start + plan.cut_after.pop(0) if plan.cut_after else size
        if not plan.pause:
            self.wfile.write(plan.content[start:end])
            return
        with suppress(ConnectionError):  # whoever asked has enough
            for at in range(start, end, PIECE):
                self.wfile.write(plan.content[at : min(at + PIECE, end)])
                time.sleep(plan.pause)

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def served(plan: Plan) -> Iterator[str]:
    handler = type("Handler", (_Handler,), {"plan": plan})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def finish(work: Generator[Stage, None, T]) -> tuple[T, list[Stage]]:
    stages = []
    while True:
        try:
            stages.append(next(work))
        except StopIteration as end:
            return end.value, stages


@pytest.fixture
def plan() -> Plan:
    return Plan()


@pytest.fixture
def weights(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Iterator[Weights]:
    with served(plan) as base:
        monkeypatch.setenv("HF_ENDPOINT", base + "/")
        yield Weights("vit.tag", hub_urls("timm/vit.tag"))


def test_a_file_is_downloaded_once_with_its_hash_beside_it(
    plan: Plan, weights: Weights, tmp_path: Path
) -> None:
    path, stages = finish(fetch(weights, tmp_path))
    assert path == tmp_path / "weights" / "vit.tag.safetensors"
    assert path.read_bytes() == CONTENT
    assert (path.parent / "vit.tag.safetensors.sha256").read_text().strip() == SHA256
    assert plan.paths == ["/timm/vit.tag/resolve/main/model.safetensors"]
    assert any(stage.total == 4 and stage.done <= 4 for stage in stages)
    assert stored_file("vit.tag", tmp_path) == path
    assert finish(fetch(weights, tmp_path)) == (path, [])
    assert finish(checked_sha256(path))[0] == SHA256
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name, path.name + ".sha256"]


def test_the_second_name_is_tried_when_the_first_is_not_there(
    plan: Plan, weights: Weights, tmp_path: Path
) -> None:
    plan.missing = ("model.safetensors",)
    assert finish(fetch(weights, tmp_path))[0].name == "vit.tag.bin"


def test_a_cut_connection_is_resumed_where_it_broke(
    plan: Plan, weights: Weights, tmp_path: Path
) -> None:
    plan.cut_after = [1_000_000, 500_000]
    path, _ = finish(fetch(weights, tmp_path))
    assert path.read_bytes() == CONTENT
    assert plan.ranges == [None, "bytes=1000000-", "bytes=1500000-"]


def test_a_cancelled_download_goes_on_the_next_time(
    plan: Plan, weights: Weights, tmp_path: Path
) -> None:
    work = fetch(weights, tmp_path)
    next(stage for stage in work if "Downloading" in stage.text)
    work.close()
    part = tmp_path / "weights" / "vit.tag.safetensors.part"
    assert 0 < part.stat().st_size < len(CONTENT)
    assert stored_file("vit.tag", tmp_path) is None
    size = part.stat().st_size
    assert finish(fetch(weights, tmp_path))[0].read_bytes() == CONTENT
    assert plan.ranges == [None, f"bytes={size}-"]


@pytest.mark.parametrize("how", ["refuses", "sends nothing"])
def test_a_download_cut_half_way_for_good_keeps_its_part_says_so_and_goes_on_later(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(cut_after=[1_500_000, *[0] * 9], sha256=SHA256)
    part = tmp_path / "weights" / "vit.tag.safetensors.part"
    with served(plan) as base:
        monkeypatch.setenv("HF_ENDPOINT", base)
        work = fetch(Weights("vit.tag", hub_urls("timm/vit.tag")), tmp_path)
        if how == "refuses":
            next(stage for stage in work if "Downloading" in stage.text and stage.done >= 0)
        else:
            with pytest.raises(WorkbenchError, match=r"broke .* 2 MB are kept; start again"):
                finish(work)
    if how == "refuses":  # the server is gone in the middle of it
        with pytest.raises(
            WorkbenchError, match=r"The connection broke .* MB are kept; start again"
        ):
            finish(work)
    kept = part.stat().st_size
    assert 0 < kept <= 1_500_000
    assert part.read_bytes() == CONTENT[:kept]
    assert stored_file("vit.tag", tmp_path) is None
    again = Plan(sha256=SHA256)
    with served(again) as base:
        monkeypatch.setenv("HF_ENDPOINT", base)
        path, _ = finish(fetch(Weights("vit.tag", hub_urls("timm/vit.tag")), tmp_path))
    assert again.ranges == [f"bytes={kept}-"]
    assert path.read_bytes() == CONTENT
    assert not part.exists()


def test_a_part_that_was_changed_meanwhile_is_found_by_the_hubs_own_hash(
    plan: Plan, weights: Weights, tmp_path: Path
) -> None:
    plan.sha256 = SHA256
    work = fetch(weights, tmp_path)
    next(stage for stage in work if "Downloading" in stage.text)
    work.close()
    part = tmp_path / "weights" / "vit.tag.safetensors.part"
    data = bytearray(part.read_bytes())
    data[100] ^= 1
    part.write_bytes(bytes(data))
    with pytest.raises(WorkbenchError, match=r"came damaged: .* They were deleted; start again\."):
        finish(fetch(weights, tmp_path))
    assert not part.exists()
    assert stored_file("vit.tag", tmp_path) is None
    assert finish(fetch(weights, tmp_path))[0].read_bytes() == CONTENT


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "many"},
        {"Content-Length": "-5"},
        {"Content-Range": "bytes 7-99/100"},
        {"Content-Type": "????"},
        {"ETag": '"\x01"'},
    ],
)
def test_headers_that_make_no_sense_break_nothing(
    headers: dict[str, str], plan: Plan, weights: Weights, tmp_path: Path
) -> None:
    plan.headers, plan.cut_after = headers, [1_000_000]
    said = ""
    try:
        finish(fetch(weights, tmp_path))
    except WorkbenchError as error:
        said = str(error)
    place = stored_file("vit.tag", tmp_path)
    if place is None:
        assert "connection broke" in said
    else:  # where no length is told, the end of what comes is the end of the file
        assert place.read_bytes() in (CONTENT, CONTENT[:1_000_000])


@pytest.mark.parametrize("text", [b"\xff\xfe", "é".encode(), b"a\r\nHost: evil"])
def test_a_damaged_note_of_the_version_begins_anew(
    text: bytes, plan: Plan, weights: Weights, tmp_path: Path
) -> None:
    (tmp_path / "weights").mkdir()
    part = tmp_path / "weights" / "vit.tag.safetensors.part"
    part.write_bytes(CONTENT[:1000])
    part.with_name(part.name + ".version").write_bytes(text)
    assert finish(fetch(weights, tmp_path))[0].read_bytes() == CONTENT
    assert plan.ranges == [None]


def test_a_file_that_changed_meanwhile_is_fetched_anew(
    plan: Plan, weights: Weights, tmp_path: Path
) -> None:
    work = fetch(weights, tmp_path)
    next(stage for stage in work if "Downloading" in stage.text)
    work.close()
    plan.content, plan.etag = CONTENT[::-1], '"two"'
    assert finish(fetch(weights, tmp_path))[0].read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("extra", [b"", b"too much"])
def test_a_part_that_is_whole_or_too_long_ends_well(
    extra: bytes, plan: Plan, weights: Weights, tmp_path: Path
) -> None:
    (tmp_path / "weights").mkdir()
    part = tmp_path / "weights" / "vit.tag.safetensors.part"
    part.write_bytes(CONTENT + extra)
    part.with_name(part.name + ".version").write_text(plan.etag)
    assert finish(fetch(weights, tmp_path))[0].read_bytes() == CONTENT
    assert len(plan.paths) == (2 if extra else 1)


def test_without_a_version_to_ask_for_a_part_is_not_trusted(
    plan: Plan, weights: Weights, tmp_path: Path
) -> None:
    plan.etag, plan.cut_after = "", [1_000_000]
    assert finish(fetch(weights, tmp_path))[0].read_bytes() == CONTENT
    assert plan.ranges == [None, None]


def test_a_file_shorter_than_promised_is_not_kept_as_whole(
    plan: Plan, weights: Weights, tmp_path: Path
) -> None:
    plan.claims, plan.etag = 10, ""
    with pytest.raises(WorkbenchError, match=r"connection broke .* 3 MB are kept"):
        finish(fetch(weights, tmp_path))
    assert stored_file("vit.tag", tmp_path) is None


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (404, "were not found at http"),
        (403, "without an account"),
        (401, "without an account"),
        (503, r"error \(HTTP 503\)"),
    ],
)
def test_refusals_of_the_hub_are_sentences(
    status: int, sentence: str, plan: Plan, weights: Weights, tmp_path: Path
) -> None:
    plan.status = status
    with pytest.raises(WorkbenchError, match=sentence):
        finish(fetch(weights, tmp_path))


def test_a_web_page_is_not_taken_for_weights(plan: Plan, weights: Weights, tmp_path: Path) -> None:
    plan.kind = "text/html; charset=utf-8"
    with pytest.raises(WorkbenchError, match="answered with a web page"):
        finish(fetch(weights, tmp_path))


def test_a_file_larger_than_the_disk_is_not_begun(
    plan: Plan, weights: Weights, tmp_path: Path
) -> None:
    plan.claims = 10**17
    with pytest.raises(WorkbenchError, match=r"need 100,000,000,003 MB more; .* MB are free"):
        finish(fetch(weights, tmp_path))


def test_a_disk_that_fills_up_is_a_sentence(weights: Weights, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "vit.tag.safetensors.part").symlink_to(full)
    with pytest.raises(WorkbenchError, match="No space left on device"):
        finish(fetch(weights, tmp_path))


def test_an_unreachable_hub_says_where_to_put_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreachable = pytest.raises(WorkbenchError, match="the hub cannot be reached")
    with no_hub(monkeypatch), unreachable as caught:
        finish(fetch(Weights("vit.tag", hub_urls("timm/vit.tag")), tmp_path))
    assert f"Put the file into {tmp_path / 'weights'} as 'vit.tag.safetensors'" in str(caught.value)


def test_a_file_changed_after_its_download_is_refused(weights: Weights, tmp_path: Path) -> None:
    path, _ = finish(fetch(weights, tmp_path))
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(WorkbenchError, match="is not the file that was downloaded"):
        finish(checked_sha256(path))


def test_addresses_follow_the_endpoint_and_prefer_the_safe_format(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert hub_urls("timm/x", "open_clip_pytorch_model.bin") == (
        "https://huggingface.co/timm/x/resolve/main/open_clip_model.safetensors",
        "https://huggingface.co/timm/x/resolve/main/open_clip_pytorch_model.bin",
    )
    for odd in ("file:///etc", "http://", "http://[", "http://a b", "https://x\n/evil", "ftp://x"):
        monkeypatch.setenv("HF_ENDPOINT", odd)
        with pytest.raises(UsageError, match="not a web address"):
            hub_urls("timm/x")
