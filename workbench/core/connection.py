"""One connection to a hub: the whole file or the rest of it, and the SHA-256 that the hub names on the way."""

import http.client
import re
import urllib.request
from typing import Any

TIMEOUT_SECONDS = 5.0  # without a byte; also the longest wait until a cancel is seen


class Hops(urllib.request.HTTPRedirectHandler):
    """Follows the hub to where a file lies; `sha256` is what the hub says of it, "" if it says nothing."""

    sha256 = ""

    def redirect_request(self, *arguments: Any) -> urllib.request.Request | None:
        """Return the request for the next address."""
        headers = arguments[4]
        self.sha256 = sha256_in(headers) or self.sha256
        return super().redirect_request(*arguments)


def sha256_in(headers: http.client.HTTPMessage) -> str:
    """Return the SHA-256 in the header that the hub puts it in, or an empty string."""
    found = re.fullmatch(r'"?([0-9a-f]{64})"?', headers.get("X-Linked-ETag", ""))
    return found[1] if found else ""


def connect(url: str, size: int, version: str, hops: Hops) -> http.client.HTTPResponse:
    """Ask for the file, or for what comes after `size` bytes if it is still the same `version`."""
    request = urllib.request.Request(url, headers={"User-Agent": "ntkcl-workbench"})
    if size and version:
        request.add_header("Range", f"bytes={size}-")
        request.add_header("If-Range", version)
    opener = urllib.request.build_opener(hops)
    answer: http.client.HTTPResponse = opener.open(request, timeout=TIMEOUT_SECONDS)
    return answer
