"""The prompts of the project: one file per stage, with the types of its inputs and its output.

A prompt consists of a signature's docstring and the descriptions of its fields. Each signature returns one pydantic model
whose texts and lists are bounded, so that a server can enforce it with a grammar. What the signatures share is in `prompt`;
`stages`, `vocabulary`, `question_type` and `shape` do not need DSPy, since options and documents are read without it.
"""
