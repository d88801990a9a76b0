"""Generation speed of transformers on this machine: the peer that benches/generate.rs is divided by.

    pip install torch transformers tokenizers
    python benches/peer_generate.py --model DIR --rows ROWS.json [--prompts 32] [--batch 32] [--tokens 128] [--dtype bf16]

DIR is a model in Hugging Face layout. Greedy, prompts padded on the left; no text may end before its last token, as in
the Rust program. Prints a line with the tokens a second, prompts read included.
"""
import argparse
import json
import resource
import time

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
from transformers.utils import logging


@torch.inference_mode()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--rows", required=True)
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[arguments.dtype]
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=dtype).eval()
    model.generation_config = GenerationConfig()
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    with open(arguments.rows, encoding="utf-8") as file:
        rows = json.load(file)[: arguments.prompts]
    prompts = [tokenizer(f"### Instruction:\n{row['instruction']}\n\n### Response:\n", add_special_tokens=False).input_ids
               for row in rows]
    began, tokens = time.perf_counter(), 0
    for start in range(0, len(prompts), arguments.batch):
        batch = prompts[start : start + arguments.batch]
        longest = max(map(len, batch))
        ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in batch])
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in batch])
        out = model.generate(input_ids=ids, attention_mask=mask, do_sample=False, pad_token_id=0,
                             max_new_tokens=arguments.tokens, min_new_tokens=arguments.tokens)
        tokens += out[:, longest:].numel()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{arguments.dtype}, batch {arguments.batch}: {tokens} tokens, {seconds:.2f} s, {tokens / seconds:.1f} tok/s, peak {peak:.2f} GB")


main()
