"""What types the columns of a data set have, as the Hub's card and as Parquet say it.

A kind is "string", "bool", "int64" or "float64"; `[kind]` is a list, `{name: kind}` a struct.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow

Kind = str | list[Any] | dict[str, Any]
Columns = dict[str, Kind]


def features(columns: Columns) -> list[dict[str, Any]]:
    """The columns as `dataset_info.features` of a card holds them (the form of `datasets.Features`)."""
    return [{"name": name, **_feature(kind)} for name, kind in columns.items()]


def _feature(kind: Kind) -> dict[str, Any]:
    if isinstance(kind, dict):
        return {"struct": features(kind)}
    if isinstance(kind, list):
        (item,) = kind
        return {"list": features(item) if isinstance(item, dict) else item}
    return {"dtype": kind}


def arrow_schema(columns: Columns) -> "pyarrow.Schema":
    """The same as an Arrow schema, every field nullable."""
    import pyarrow

    return pyarrow.schema([(name, _arrow(kind)) for name, kind in columns.items()])


def _arrow(kind: Kind) -> Any:
    import pyarrow

    if isinstance(kind, dict):
        return pyarrow.struct([(name, _arrow(part)) for name, part in kind.items()])
    if isinstance(kind, list):
        return pyarrow.list_(_arrow(kind[0]))
    return pyarrow.type_for_alias(kind)
