"""`python -m programs.schema`: the JSON Schema of the document."""

import json

from programs.cli.options import Options, parse, run_cli
from programs.cli.terminal import put
from programs.document_metadata import Document


class SchemaOptions(Options):
    """Print the JSON Schema of the document."""


def main(arguments: list[str] | None = None) -> int:
    """Prints the schema (draft 2020-12) that every document of this version fulfils."""
    parse(SchemaOptions, arguments)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Document.model_json_schema()}
    put(json.dumps(schema, indent=2))
    return 0


if __name__ == "__main__":
    run_cli(main)
