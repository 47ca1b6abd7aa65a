"""Papers as they come: one file a format, each a function from a file's bytes to a `Paper`.

A new format is a file here with `read(data: bytes) -> Paper`, which raises `Unreadable` with a reason, and a line in
`programs.inputs.formats.table`.
"""
