"""A web server on this machine, which can break off and need not know ranges."""

import re
import ssl
from http.server import BaseHTTPRequestHandler, HTTPServer

from tests.support.service import Service

PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


class WebServer(Service, HTTPServer):
    """Serves `files` by path while the `with` lasts; with a TLS `context`, over https.

    `cut_after_bytes` ends an answer early, `edition` is its ETag, `requests` remembers path and range.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._scheme = "http"
        if context is not None:
            self._scheme = "https"
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.files: dict[str, bytes] = {}
        self.cut_after_bytes: int | None = None
        self.understands_ranges = True
        self.edition = ""
        self.requests: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: WebServer

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.server.requests.append((self.path, wanted))
        data = self.server.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        start = 0
        if self.server.understands_ranges and (found := re.fullmatch(r"bytes=(\d+)-", wanted)):
            start = int(found[1])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if self.server.edition:
            self.send_header("ETag", self.server.edition)
        self.end_headers()
        end = len(data) if self.server.cut_after_bytes is None else start + self.server.cut_after_bytes
        self.wfile.write(data[start:end])

    def log_message(self, *_: object) -> None:
        pass
