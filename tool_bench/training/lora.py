"""Training a few low-rank factors in place of all weights (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tool_bench.errors import UnavailableError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def with_lora(model: SentenceTransformer, rank: int) -> None:
    """Freeze ``model`` and add factors of ``rank`` to every linear layer of its encoder.

    Raises:
        UnavailableError: peft is not installed.
    """
    try:
        from peft import LoraConfig
    except ImportError:
        raise UnavailableError("LoRA needs peft: pip install 'tool-bench[train]'") from None
    model.add_adapter(
        LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.05, target_modules="all-linear")
    )


def without_lora(model: SentenceTransformer) -> None:
    """Add the factors to the weights that they belong to, and remove them."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = {n: x for n, x in model.named_modules() if isinstance(x, BaseTunerLayer)}
    for layer in layers.values():
        layer.merge()
    model.delete_adapter("default")  # else the model would be saved as an adapter
    for name, layer in layers.items():
        parent, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(parent), leaf, layer.get_base_layer())
    for weights in model.parameters():
        weights.requires_grad = True


def freeze_embeddings(model: SentenceTransformer) -> None:
    """Keep the word vectors as they are: half of a small encoder's weights."""
    for name, weights in model.named_parameters():
        if ".word_embeddings." in name:
            weights.requires_grad = False
