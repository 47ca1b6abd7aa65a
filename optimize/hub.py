"""A compiled program as a model's repository on the Hugging Face Hub: program.json, and the report as its card."""

import re
from pathlib import Path

import yaml

from optimize.report import Report, markdown
from programs.errors import UserError
from programs.exports.licences import UNKNOWN, hub_names
from programs.lms.download import TransferFailed, hub
from programs.lms.weights import BUILT_IN, PREFIX
from programs.redaction import redact

# A server's model has the name of its repository where it is served by that, as vLLM does.
_REPOSITORY = re.compile(rf"(?:openai/([^/]+/[^/]+)|{PREFIX}([\w-][^/]*/[^/]+)/[^/]+\.gguf)")


def check_token(repository: str) -> None:
    """Raises `UserError` unless the Hub knows the user's token, before anything is paid for that could not be pushed."""
    try:
        with hub() as endpoint:
            from huggingface_hub import HfApi, get_token

            needed = "a token that may write is needed: set HF_TOKEN, or run hf auth login"
            if get_token() is None:
                raise TransferFailed(needed)
            told = HfApi(endpoint=endpoint).whoami().get("auth", {}).get("accessToken", {})
            if told.get("role") == "read":
                raise TransferFailed(needed)
    except TransferFailed as error:
        raise UserError(f"--push-to-hub {repository}: {error}") from None


def push(report: Report, folder: Path, repository: str) -> str:
    """Puts the program of a folder and its card into a repository, in one commit, and gives its address. A repository that
    is not there is made, a private one. Raises `UserError`, in one line that says how to go on."""
    program, text = folder / "program.json", card(report, repository).encode()
    try:
        with hub() as endpoint:
            from huggingface_hub import CommitOperationAdd, HfApi

            api = HfApi(endpoint=endpoint)
            address = api.create_repo(repository, private=True, exist_ok=True)
            files = [CommitOperationAdd("program.json", program), CommitOperationAdd("README.md", text)]
            api.create_commit(repository, files, commit_message=f"{report.optimizer}, compiled {report.created}")
    except TransferFailed as error:
        raise UserError(
            f"--push-to-hub {repository}: {error}; the compilation is whole in {folder}, and the same command pushes it "
            "again without asking a model"
        ) from None
    return redact(str(address), ())


def card(report: Report, repository: str) -> str:
    """README.md: the report, under the Hub's header, with the licences of the texts that demonstrations come from."""
    shown = any(tuned.demonstrations for tuned in report.predictors.values())
    header = {
        "library_name": "dspy",
        "base_model": base_model(report.model),
        "license": hub_names(report.data["train"].get("licences", [UNKNOWN])) if shown else None,
        "tags": ["dspy", "synthreasoner", report.optimizer],
    }
    known = yaml.safe_dump({name: value for name, value in header.items() if value is not None}, sort_keys=False)
    use = f'from synthreasoner import load_tracer\n\ntracer = load_tracer("hf://{repository}")'
    return f"---\n{known}---\n{markdown(report)}\n## How to use it\n\n```python\n{use}\n```\n"


def base_model(model: str) -> str | None:
    """The Hub's repository of a model, where its name tells."""
    if (built_in := BUILT_IN.get(model.removeprefix(PREFIX))) is not None:
        return built_in.repository
    named = _REPOSITORY.fullmatch(model)
    return named and (named[1] or named[2])
