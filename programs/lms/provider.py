"""Models of any other provider that DSPy supports, called by DSPy's own client."""

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import dspy
from dspy.lm15 import Reasoning, Request, Response, Usage
from dspy.utils.exceptions import LMConfigurationError, LMError

from programs.errors import BackendError, CallError
from programs.lms.addresses import BaseUrl, read_base_url
from programs.lms.failures import backend_error
from programs.lms.meter import current_meter
from programs.lms.server import Effort, ListedModel, Server
from programs.lms.wire import reasoning_of, response_of

_PASSED_ON = frozenset({"response_format", "reasoning_effort"})


class Provider(Server):
    """The model `provider/NAME`. DSPy knows the provider's address and format, and takes its credentials from the process's
    environment; retries are ours. Raises UserError if `api_base` is not a URL."""

    name = "dspy"

    def __init__(
        self,
        model: str,
        *,
        api_base: str | None,
        env: Mapping[str, str],  # noqa: ARG002
        reasoning_effort: Effort | None,
        timeout: float,
    ) -> None:
        super().__init__(model, base=read_base_url(api_base) if api_base else BaseUrl(model.partition("/")[0]))
        # Otherwise LiteLLM fetches a price list from the network at the first call.
        os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "true")
        address = {"api_base": api_base} if api_base else {}
        self._lm = dspy.LM(model, num_retries=0, cache=False, timeout=timeout, **address)
        takes_effort = reasoning_effort is not None and "reasoning_effort" in self.supported_params
        self._reasoning = Reasoning(effort=reasoning_effort) if takes_effort else None

    @cached_property
    def supported_params(self) -> frozenset[str]:
        """Without the seed, because DSPy refuses it for a model that, as far as it knows, accepts none."""
        try:
            dspy.LM(self.model, temperature=0.5)
        except LMConfigurationError:
            # DSPy lets OpenAI's reasoning models have neither.
            sampling = frozenset[str]()
        else:
            sampling = frozenset({"max_tokens", "temperature"})
        return sampling | _PASSED_ON.intersection(self._lm.supported_params)

    @property
    def supports_response_schema(self) -> bool:
        return bool(self._lm.supports_response_schema)

    async def list_models(self) -> list[ListedModel]:
        """Raises CallError."""
        raise CallError(f"{self.model} is called by DSPy, which cannot list models")

    async def _answer(self, request: Request, **_: Any) -> Response:
        meter, usage = current_meter(), Usage()
        try:
            sent = replace(request, model=self.model, config=replace(request.config, reasoning=self._reasoning))
            # Otherwise DSPy would record and count the call twice: here, and for the LM that the program called.
            with dspy.context(disable_history=True, usage_tracker=None, callbacks=[]):
                reply = await self._lm.acall(request=sent)
            usage = reply.usage
            said = {"finish_reason": reply.finish_reason, "usage": usage, "model": self.model}
            response = response_of(reply.text or "", reasoning_of(reply), **said)
        except (LMError, BackendError) as error:
            failure = backend_error(error)
            if failure is None:
                raise
            meter.add_fault(failure, usage)
            raise failure from None
        meter.add_answer(response)
        return response
