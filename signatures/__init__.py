"""What is asked of a model, and nothing else: one file a stage, with the types that it exchanges.

Every prompt of the project stands here, in a signature's docstring or in the descriptions of its fields.
Each stage's signature takes the numbered `passage` first, then the `question` and who it is `asked_by`, where it is given
them, so that the calls about one passage share the longest possible beginning; each gives one pydantic model, bounded in
every string and list, so that a grammar can enforce it; each takes `feedback`, the reasons why an earlier try failed.
`improve_instruction` is asked of whoever tunes the others.
"""
