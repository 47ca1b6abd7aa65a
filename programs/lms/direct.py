"""A DSPy LM that hands asynchronous calls straight to its engine."""

from typing import Any

import dspy
from dspy.lm15 import Config, Message, Request
from dspy.utils.callback import with_callbacks

from programs.lms.place import held_place


class DirectLM(dspy.LM):
    """`dspy.LM` with an engine of our own, whose `acall` goes to the engine without a detour.

    `dspy.LM.acall` hops to a thread and back twice a call, to read files that our messages do not name and to look up
    prices that our engines do not have; at hundreds of calls in flight these hops cost more than the calls. What the
    engine is sent is the same. Where something of DSPy's listens (history, usage tracking, streams), its own way is
    taken, as it is for calls that are not awaited.
    """

    async def acall(self, prompt: str | None = None, *, messages: Any = None, **options: Any) -> list[Any]:
        """One completion for the messages, in a place of its own. Raises the engine's own errors, and what waiting for
        the place raises."""
        settings = dspy.settings
        if prompt is not None or not settings.disable_history or settings.usage_tracker or settings.send_stream:
            async with held_place():
                found: list[Any] = await super().acall(prompt, messages=messages, **options)
            return found
        return await self._direct(messages=messages, **options)  # type: ignore[no-any-return]

    @with_callbacks  # type: ignore[untyped-decorator]
    async def _direct(self, *, messages: Any, **options: Any) -> list[Any]:
        request = request_of(self.model, messages, {**self.kwargs, **options})
        async with held_place():
            response = await self._async_engine_spec.complete(request)
        # Not `message.text`, which is None where a thought stands beside the text.
        return [response.text]


def request_of(model: str, messages: list[dict[str, str]], options: dict[str, Any]) -> Request:
    """The request that DSPy would make of a system message, user messages and options; absent and None options are
    left out. Raises TypeError for an option that it does not know."""
    known = {name: options[name] for name in ("max_tokens", "temperature", "seed") if options.get(name) is not None}
    unknown = {name for name, value in options.items() if value is not None} - {*known, "response_format", "rollout_id"}
    if unknown:
        raise TypeError(f"options that a direct call cannot carry: {', '.join(sorted(unknown))}")
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    spoken = tuple(Message.user(message["content"]) for message in messages if message["role"] == "user")
    return Request(
        model=model,
        system=system or None,
        messages=spoken,
        config=Config(response_format=_flat(options.get("response_format")), **known),
    )


def _flat(response_format: dict[str, Any] | None) -> dict[str, Any] | None:
    """OpenAI's nested form of a schema, as a request carries it."""
    if response_format is None or "json_schema" not in response_format:
        return response_format
    return {"type": "json_schema", **response_format["json_schema"]}
