"""A real cross-encoder of two small layers, made on the spot from a fixed seed."""

from __future__ import annotations

import string
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WINDOW = 64
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_WORDS = "the a is how do i key keys server gateway proxy vacuum rows dead upstream refused year"


def make(folder: Path, *, labels: int = 1, has_head: bool = True) -> Path:
    """Write a model as its authors publish one: weights, configuration, tokenizer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from transformers import (
            BertConfig,
            BertForSequenceClassification,
            BertModel,
            BertTokenizerFast,
        )
        from transformers.utils import logging

        logging.disable_progress_bar()
        pieces = [*string.ascii_lowercase, *(f"##{letter}" for letter in string.ascii_lowercase)]
        words = list(dict.fromkeys([*_SPECIAL, *_WORDS.split(), *pieces]))
        config = BertConfig(
            vocab_size=len(words),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=WINDOW,
            num_labels=labels,
            # Ten times BERT's own: scores far enough apart to be told from rounding.
            initializer_range=0.2,
        )
        torch.manual_seed(7)
        model = BertForSequenceClassification(config) if has_head else BertModel(config)
        model.save_pretrained(folder)
        vocabulary = {word: number for number, word in enumerate(words)}
        BertTokenizerFast(vocab=vocabulary, model_max_length=WINDOW).save_pretrained(folder)
    return folder


def logits(folder: Path, question: str, texts: Sequence[str]) -> list[float]:
    """Return each pair's logit as transformers alone gives it, one pair a call."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
        with torch.inference_mode():
            read = [
                tokenizer(
                    [(question, text)], truncation=True, max_length=WINDOW, return_tensors="pt"
                )
                for text in texts
            ]
            return [float(model(**one).logits[0, 0]) for one in read]
