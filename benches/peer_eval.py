"""Evaluation speed of transformers on this machine: the peer that our evaluation's tokens/s is divided by.

    pip install torch transformers tokenizers
    python benches/peer_eval.py --model DIR --rows ROWS.json [--rows-scored 48] [--batch 1 --batch 16]

DIR is a model in Hugging Face layout. For each batch size the rows are taken in file order, padded on the right to the
longest of their batch, and scored as our evaluation scores them: one forward, log-softmax in f32, and from the same
log-probabilities the sum over response tokens ("masked") and over every token with a predecessor ("full"). Prints a line
a batch and a warm figure (the first batch left out); only real tokens count, padding does not. The sums are printed so
that one can see that both batch sizes computed the same thing.
"""

import argparse
import json
import resource
import time

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging


def encode(tokenizer, row):
    """(ids, is_response), prompt and response tokenized apart, EOS at the end."""
    prompt = tokenizer(f"### Instruction:\n{row['instruction']}\n\n### Response:\n", add_special_tokens=False).input_ids
    response = tokenizer(row["output"], add_special_tokens=False).input_ids + [tokenizer.eos_token_id]
    return prompt + response, [False] * len(prompt) + [True] * len(response)


@torch.inference_mode()
def score(model, batch):
    """(masked sum, full sum) of -ln p over a batch."""
    longest = max(len(ids) for ids, _ in batch)
    ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in batch])
    real = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in batch])
    response = torch.tensor([keep + [False] * (longest - len(keep)) for _, keep in batch])
    # One row needs no mask, and without it attention takes the faster causal kernel.
    logits = model(input_ids=ids, attention_mask=real if len(batch) > 1 else None, use_cache=False).logits
    nll = torch.nn.functional.cross_entropy(logits[:, :-1].float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    nll = nll.double()
    full, masked = real[:, 1:].bool().flatten(), response[:, 1:].flatten()
    return nll[masked].sum().item(), nll[full].sum().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--rows", required=True)
    parser.add_argument("--rows-scored", type=int, default=48)
    parser.add_argument("--batch", type=int, action="append", help="a batch size; may be given again (default: 1 and 16)")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    logging.disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    with open(arguments.rows, encoding="utf-8") as file:
        encoded = [encode(tokenizer, row) for row in json.load(file)[: arguments.rows_scored]]
    for size in arguments.batch or [1, 16]:
        batches = [encoded[start : start + size] for start in range(0, len(encoded), size)]
        warm_tokens = warm_seconds = masked = full = 0.0
        for index, batch in enumerate(batches):
            start = time.perf_counter()
            sums = score(model, batch)
            seconds, tokens = time.perf_counter() - start, sum(len(ids) for ids, _ in batch)
            masked, full = masked + sums[0], full + sums[1]
            if index:
                warm_tokens, warm_seconds = warm_tokens + tokens, warm_seconds + seconds
            if size > 1:
                print(f"batch {size}: {len(batch)} rows, {tokens} tokens, {seconds:.2f} s, {tokens / seconds:.1f} tok/s", flush=True)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        warm = f"warm {warm_tokens / warm_seconds:.1f} tok/s" if warm_seconds else "one batch only, so no warm figure"
        print(f"batch {size}: {warm}, masked nll {masked:.4f}, full nll {full:.4f}, peak {peak:.2f} GB so far", flush=True)


if __name__ == "__main__":
    main()
