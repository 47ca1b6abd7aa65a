"""Tuning: a better instruction for one of the other signatures, asked of whoever writes instructions."""

import dspy


class ImproveInstruction(dspy.Signature):
    """Write a better instruction for one step of a program that a language model runs. You see the instruction it has
    now, its fields, and examples of what it was given, what it replied and what was wrong with that.

    Say what makes a reply good and what to avoid, in general and concretely, so that it helps with other inputs too. Do
    not quote the examples. Write at most 200 words, to the model itself. An earlier proposal must not be repeated: try
    another way."""

    step: str = dspy.InputField(desc="what the step is given and what it replies with")
    current_instruction: str = dspy.InputField(desc="the instruction that it has now")
    examples: str = dspy.InputField(desc="how it did")
    earlier_proposals: list[str] = dspy.InputField(desc="instructions proposed before")
    instruction: str = dspy.OutputField(desc="the new instruction and nothing else")
