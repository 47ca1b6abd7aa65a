"""Every export format by its name. A new one is a file beside this one and a line here."""

from programs.exports.alpaca import ALPACA
from programs.exports.dpo import DPO
from programs.exports.format import Format
from programs.exports.grpo import GRPO
from programs.exports.kto import KTO
from programs.exports.openai import OPENAI
from programs.exports.prm import PRM
from programs.exports.prompt_completion import PROMPT_COMPLETION
from programs.exports.sft import SFT
from programs.exports.sharegpt import SHAREGPT
from programs.exports.table import TABLE

FORMATS: dict[str, Format] = {
    format.name: format for format in (SFT, PROMPT_COMPLETION, DPO, KTO, PRM, GRPO, SHAREGPT, ALPACA, OPENAI, TABLE)
}
