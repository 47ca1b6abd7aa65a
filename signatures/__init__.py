"""What is asked of a model, and nothing else: one file a stage, with the types that it exchanges.

Every prompt of the project stands here, in a signature's docstring or in the descriptions of its fields.
Each stage's signature takes the numbered `passage` first, then the `question` and who it is `asked_by`, where it is given
them, so that the calls about one passage share the longest possible beginning; each gives one pydantic model, whose texts
and lists have bounds (`bounds.py`), so that a grammar can enforce it; each takes `earlier`, an earlier try of its own, and
`feedback`, why that one was not taken.
`improve_instruction` is asked of whoever tunes the others.
"""
