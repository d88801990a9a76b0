"""Does what a tezgah run wrote mean the same to PEFT and to transformers?

    pip install torch transformers peft safetensors tokenizers
    python tests/python/check_adapter.py BASE OUT ROWS.json

BASE   the base model in Hugging Face layout (for a GGUF: its dequantized weights in that layout)
OUT    a run's folder: record.json, adapter/ and merged/, and adapter-bf16/ where it was asked for
ROWS   the evaluation rows, for example OUT/split/training_data_a1_eval.json

Loads OUT/adapter with PEFT beside BASE, then OUT/merged with transformers alone, scores ROWS with each and compares the
token-weighted masked and full loss with record.json's `evaluation.fine_tuned`. One line a comparison; the exit code is
1 if a loss differs by more than its tolerance or a token count differs at all, 2 if something cannot be read.

Everything is computed in f32 from the stored weights, softmax in f64. Where the merged weights are stored in 16 bits
their rounding alone moves the loss, hence the wider tolerance for those; the line says which was used.
"""

import argparse
import json
import os
import sys

import torch
from peft import PeftModel
from safetensors import safe_open
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM
from transformers.utils import logging

WITHOUT_INPUT = "### Instruction:\n{instruction}\n\n### Response:\n"
WITH_INPUT = "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n"
F32_TOLERANCE = 1e-4
SIXTEEN_BIT_TOLERANCE = 1e-3


def read_json(path):
    with open(path, encoding="utf-8-sig") as file:
        return json.load(file)


def read_rows(path):
    """Alpaca rows from a JSON array or from JSON lines."""
    with open(path, encoding="utf-8-sig") as file:
        text = file.read()
    return json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in text.splitlines() if line.strip()]


def bos_of(tokenizer):
    """The ids that the tokenizer's own post-processor puts before a text: none, or one BOS."""
    bare = tokenizer.encode("a", add_special_tokens=False).ids
    dressed = tokenizer.encode("a", add_special_tokens=True).ids
    return dressed[: dressed.index(bare[0])]


def eos_of(folder, tokenizer):
    """tokenizer_config.json's eos_token where that file names one, else the first eos_token_id of config.json."""
    path = os.path.join(folder, "tokenizer_config.json")
    token = read_json(path).get("eos_token") if os.path.exists(path) else None
    if token is not None:
        return tokenizer.token_to_id(token["content"] if isinstance(token, dict) else token)
    eos = read_json(os.path.join(folder, "config.json"))["eos_token_id"]
    return eos[0] if isinstance(eos, list) else eos


def encode(tokenizer, row, bos, eos, max_seq_len):
    """(ids, is_response): the prompt and the response tokenized apart, so that their border is exact."""
    template = WITH_INPUT if row.get("input") else WITHOUT_INPUT
    prompt = bos + tokenizer.encode(template.format(**row), add_special_tokens=False).ids
    response = tokenizer.encode(row["output"], add_special_tokens=False).ids + [eos]
    is_response = [False] * len(prompt) + [True] * len(response)
    return (prompt + response)[:max_seq_len], is_response[:max_seq_len]


@torch.no_grad()
def score(model, encoded):
    """Sums of -ln p and their counts over response tokens ("masked") and over every token with a predecessor ("full")."""
    model.eval()
    sums = {"masked": [0.0, 0], "full": [0.0, 0]}
    for ids, is_response in encoded:
        logits = model(torch.tensor([ids])).logits[0, :-1].double()
        nll = -torch.log_softmax(logits, dim=-1).gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
        for name, keep in (("masked", torch.tensor(is_response[1:])), ("full", torch.ones(len(nll), dtype=torch.bool))):
            sums[name][0] += nll[keep].sum().item()
            sums[name][1] += int(keep.sum())
    return sums


def stored_dtypes(folder):
    """The safetensors element types in a model folder, for example {"BF16"}."""
    dtypes = set()
    for name in sorted(os.listdir(folder)):
        if name.endswith(".safetensors"):
            with safe_open(os.path.join(folder, name), "pt") as file:
                dtypes |= {file.get_slice(key).get_dtype() for key in file.keys()}
    return dtypes


def compare(what, sums, expected, tolerance):
    """Prints a line for each mask; True if both agree with the record."""
    agrees = True
    for name in ("masked", "full"):
        nll, tokens = sums[name]
        loss, recorded = nll / tokens, expected[name]
        # The record's own division is checked too: its loss must be its nll over its tokens.
        differences = [abs(loss - recorded["loss"]) / recorded["loss"], abs(nll - recorded["nll"]) / recorded["nll"]]
        same = tokens == recorded["tokens"] and max(differences) <= tolerance
        agrees &= same
        print(f"{what} {name}: {loss:.8f} over {tokens} tokens, record {recorded['loss']:.8f} over {recorded['tokens']}, "
              f"relative difference {max(differences):.2e} (at most {tolerance:.0e}): {'ok' if same else 'DIFFERS'}")
    return agrees


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base")
    parser.add_argument("out")
    parser.add_argument("rows")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--skip-merged", action="store_true", help="check the adapter alone")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    logging.disable_progress_bar()

    record = read_json(os.path.join(arguments.out, "record.json"))
    expected = record["evaluation"]["fine_tuned"]
    max_seq_len = record.get("recipe", {}).get("data", {}).get("max_seq_len", 2048)
    quantization = record.get("model", {}).get("quantization", "none")
    if quantization not in (None, "none", "as_is"):
        print(f"note: the run's base was quantized ({quantization}); BASE must hold those weights dequantized to agree")

    rows = read_rows(arguments.rows)
    tokenizer = Tokenizer.from_file(os.path.join(arguments.base, "tokenizer.json"))
    bos, eos = bos_of(tokenizer), eos_of(arguments.base, tokenizer)
    encoded = [encode(tokenizer, row, bos, eos, max_seq_len) for row in rows]
    encoded = [(ids, is_response) for ids, is_response in encoded if len(ids) > 1]
    print(f"{len(rows)} rows, BOS {bos}, EOS {eos}, max_seq_len {max_seq_len}")

    base = AutoModelForCausalLM.from_pretrained(arguments.base, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, os.path.join(arguments.out, "adapter"))
    agrees = compare("adapter", score(model, encoded), expected, F32_TOLERANCE)
    smaller = os.path.join(arguments.out, "adapter-bf16")
    if os.path.isdir(smaller):
        base = AutoModelForCausalLM.from_pretrained(arguments.base, dtype=torch.float32)
        model = PeftModel.from_pretrained(base, smaller)
        agrees &= compare("adapter-bf16", score(model, encoded), expected, SIXTEEN_BIT_TOLERANCE)
    if not arguments.skip_merged:
        folder = os.path.join(arguments.out, "merged")
        dtypes = stored_dtypes(folder)
        tolerance = F32_TOLERANCE if dtypes == {"F32"} else SIXTEEN_BIT_TOLERANCE
        merged_tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        # A merged folder is used alone: its own tokenizer must give the ids that the run was trained on.
        merged_bos, merged_eos = bos_of(merged_tokenizer), eos_of(folder, merged_tokenizer)
        again = [encode(merged_tokenizer, row, merged_bos, merged_eos, max_seq_len) for row in rows]
        if [e for e in again if len(e[0]) > 1] != encoded:
            print("merged: its tokenizer encodes the rows otherwise than the base's: DIFFERS")
            agrees = False
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        agrees &= compare(f"merged ({'+'.join(sorted(dtypes))})", score(model, encoded), expected, tolerance)
    return 0 if agrees else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, KeyError, ValueError) as error:
        print(f"check_adapter: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)
