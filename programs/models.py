"""Lists, downloads and deletes the built-in models.

python -m programs.models
python -m programs.models --fetch qwen2.5-coder-1.5b
"""

from pydantic import Field, field_validator

from programs.cli.options import Options, parse, run_cli
from programs.cli.terminal import print_result
from programs.lms.weights import BUILT_IN, GIGABYTE, fetch, find, remove


class ModelsOptions(Options):
    """Options of `python -m programs.models`. Without options, it lists the models."""

    fetch: str | None = Field(None, description="download the weights of this model, unless already downloaded")
    remove: str | None = Field(None, description="delete the weights of this model from all caches")

    @field_validator("fetch", "remove")
    @classmethod
    def _check_built_in(cls, value: str | None) -> str | None:
        if value is not None and value not in BUILT_IN:
            raise ValueError(f"the built-in models are {', '.join(BUILT_IN)}")
        return value


def main(arguments: list[str] | None = None) -> int:
    """Lists, downloads or deletes models. Raises `UserError` if the weights are not available."""
    options = parse(ModelsOptions, arguments, __doc__)
    if options.remove is not None:
        deleted = remove(BUILT_IN[options.remove])
        print_result("\n".join(f"deleted {path}" for path in deleted) or f"{options.remove} is not in any cache")
    if options.fetch is not None:
        print_result(str(fetch(BUILT_IN[options.fetch])))
    if options.fetch is None and options.remove is None:
        for weights in BUILT_IN.values():
            print_result(
                f"embedded:{weights.name:<20} {weights.size / GIGABYTE:.2f} GB  {weights.licence}  "
                f"{find(weights) or 'not downloaded'}"
            )
    return 0


if __name__ == "__main__":
    run_cli(main)
