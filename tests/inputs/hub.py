"""A server that answers as the Hugging Face Hub does for one repository: a data set's files of JSON lines, one a split, or
with `kind` "" a model's files."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SHA = "0" * 40


@dataclass
class HubTrouble:
    """What becomes of whoever asks for a file: `status` is the answer, which breaks off once after `breaks` bytes; `ranges`
    are what was asked for."""

    status: int = 200
    breaks: int | None = None
    ranges: list[str | None] = field(default_factory=list)


@contextmanager
def hub(
    files: dict[str, bytes], data_set: str = "lab/dust", kind: str = "/datasets", trouble: HubTrouble | None = None
) -> Iterator[str]:
    """Its address, while the block runs."""
    how = trouble or HubTrouble()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            path = self.path.partition("?")[0].removeprefix("/api").removeprefix(f"{kind}/{data_set}")
            name = path.rpartition("/")[2]
            if path.startswith("/tree"):
                told = [{"type": "file", "path": name, "size": len(data), "oid": SHA} for name, data in files.items()]
                self._answer(json.dumps(told).encode())
            elif path == "" or path.startswith("/revision"):
                about = {"id": data_set, "sha": SHA, "private": False, "tags": [], "downloads": 0}
                self._answer(json.dumps({**about, "siblings": [{"rfilename": name} for name in files]}).encode())
            elif path.startswith("/resolve") and name in files and how.status == 200:
                self._file(files[name])
            else:
                status = how.status if how.status != 200 else 404
                known = path.startswith("/resolve") and status != 401
                code = {"X-Error-Code": "EntryNotFound" if known else "RepoNotFound"}
                self._answer(b"", {"Retry-After": "0"} if status == 429 else code, status)

        do_HEAD = do_GET

        def _file(self, content: bytes) -> None:
            asked = self.headers["Range"]
            start, end = int(re.findall(r"\d+", asked or "0")[0]), len(content)
            headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": SHA}
            headers["Content-Length"] = str(len(content) - start)
            if self.command == "GET":
                how.ranges.append(asked)
                end, how.breaks = how.breaks or end, None
            self._answer(content[start:end], headers, 206 if start else 200)
            self.close_connection = end < len(content)

        def _answer(self, body: bytes, headers: dict[str, str] | None = None, status: int = 200) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
