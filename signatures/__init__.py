"""What is asked of a model, and nothing else: one file a stage, with the types that it exchanges.

Every prompt of the project stands here, in a signature's docstring or in the descriptions of its fields. Each stage's
signature gives one pydantic model, whose texts and lists have bounds, so that a grammar can enforce it. What signatures
share is in `prompt`; `vocabulary` and `shape` need no DSPy, since documents are read without it.
"""
