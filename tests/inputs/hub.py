"""A server that answers as the Hugging Face Hub does for one repository: a data set's files of JSON lines, one a split, or
with `kind` "" a model's files, to which whoever has the `token` may add."""

import base64
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
    files: dict[str, bytes],
    data_set: str = "lab/dust",
    kind: str = "/datasets",
    token: str = "none",
    trouble: HubTrouble | None = None,
) -> Iterator[str]:
    """Its address, while the block runs. A commit changes `files`."""
    how = trouble or HubTrouble()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            path = self.path.partition("?")[0].removeprefix("/api").removeprefix(f"{kind}/{data_set}")
            name = path.rpartition("/")[2]
            if path == "/whoami-v2":
                self._said({"name": "lab"} if self._may() else {"error": "Invalid user token."})
            elif path.startswith("/tree"):
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

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).splitlines()
            lines = [json.loads(line) for line in sent]
            if self.path == "/api/validate-yaml":
                self._said({"errors": [], "warnings": []})
            elif not self._may():
                self._said({"error": "You may not write here."})
            elif self.path == "/api/repos/create":
                assert (lines[0]["organization"], lines[0]["visibility"]) == (data_set.split("/")[0], "private")
                self._said({"url": f"http://{self.headers['Host']}/{data_set}"})
            elif self.path == f"/api/models/{data_set}/preupload/main":
                told = [{"path": file["path"], "uploadMode": "regular"} for file in lines[0]["files"]]
                self._said({"files": [{**file, "shouldIgnore": False} for file in told]})
            elif self.path == f"/api/models/{data_set}/commit/main":
                added = [line["value"] for line in lines if line["key"] == "file"]
                files.update({file["path"]: base64.b64decode(file["content"]) for file in added})
                self._said({"commitUrl": f"http://{self.headers['Host']}/{data_set}/commit/{SHA}", "commitOid": SHA})
            else:
                self._answer(b"", status=404)

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

        def _may(self) -> bool:
            return self.headers["Authorization"] == f"Bearer {token}"

        def _said(self, body: dict[str, object]) -> None:
            self._answer(json.dumps(body).encode(), status=401 if "error" in body else 200)

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
