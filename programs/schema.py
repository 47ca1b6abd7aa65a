"""`python -m programs.schema`: the JSON Schema of the document."""

import json

from programs.options import run_cli
from programs.records import Document


def main() -> int:
    """Prints the schema (draft 2020-12) that every document of this version fulfils."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Document.model_json_schema()}
    print(json.dumps(schema, indent=2))
    return 0


if __name__ == "__main__":
    run_cli(main)
