"""Whose thoughts traces hold."""

from typing import Literal

from pydantic import BaseModel, Field


class ThoughtOptions(BaseModel):
    """Options about where thoughts come from."""

    thought: Literal["written", "model", "both"] = Field(
        "written",
        description="written: composed from notes along a drawn shape; model: what the model itself thinks before it "
        "answers the question, where its answer agrees; both: a trace of each",
    )
    tries: int = Field(
        4, ge=1, le=64, description="with --thought model or both: how often a question is asked until an answer agrees"
    )
