"""Pushes an export's folder to the Hugging Face Hub, as a data set."""

from pathlib import Path

from programs.errors import UserError


def check(repository: str) -> None:
    """Raises `UserError`, before any work, for a name that the Hub cannot have and for missing credentials."""
    from huggingface_hub import get_token, hf_hub_url
    from huggingface_hub.errors import HFValidationError

    try:
        hf_hub_url(repository, "README.md", repo_type="dataset")
    except HFValidationError as error:
        raise UserError(f"--push-to-hub: {_line(error)}") from None
    if get_token() is None:
        raise UserError("--push-to-hub: not logged in; run hf auth login or set HF_TOKEN")


def push(folder: Path, repository: str, *, public: bool, overwrite: bool) -> str:
    """Makes the repository (private unless `public`) and puts the folder into it in one commit. Returns its address.

    A repository that is there is refused, or, with `overwrite`, its `data/` replaced. Raises `UserError` for refused
    credentials and whatever else the Hub answers; the folder stays.
    """
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi(library_name="synthreasoner")
    kept = f"the export is in {folder}"
    try:
        made = api.create_repo(repository, repo_type="dataset", private=not public, exist_ok=overwrite)
        api.upload_folder(
            repo_id=made.repo_id,
            folder_path=folder,
            repo_type="dataset",
            commit_message="Upload an export of SynthReasoner",
            delete_patterns="data/*",
        )
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status == 409 and not overwrite:
            raise UserError(f"--push-to-hub: {repository} is there already; name another, or --overwrite") from None
        refused = f"refuses the token ({status}); it must be allowed to write"
        said = refused if status in (401, 403) else f"answers {status}: {error.server_message or _line(error)}"
        raise UserError(f"--push-to-hub: the Hub {said}. {kept}") from None
    except (httpx.HTTPError, OSError) as error:
        raise UserError(f"--push-to-hub: the Hub cannot be reached ({_line(error)}); {kept}") from None
    return str(made)


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
