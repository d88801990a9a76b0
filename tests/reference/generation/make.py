"""What transformers' generate writes after the prompts of the reference runs: greedy.json, for tests/engine/generate.rs.

    pip install torch transformers peft gguf
    python ../shared/reference/gguf_to_hf.py SmolLM2-135M-Instruct.Q4_1.gguf HF    # or any other way to these weights
    python tests/reference/generation/make.py HF

Prompts of different lengths in one batch, padded on the left; f32 on a CPU. `gap` is, for each token, how far the second
logit lies below the first: another program may go another way only where it is as good as none.
"""
import json
import sys
from pathlib import Path

import peft
import torch
import transformers
from peft import PeftModel
from transformers import AutoModelForCausalLM

HERE = Path(__file__).resolve().parent
PROMPT = "### Instruction:\n{instruction}\n\n### Response:\n"


def encode(tokenizer, row, bos):
    return bos + tokenizer.encode(PROMPT.format(**row), add_special_tokens=False).ids


@torch.inference_mode()
def texts(model, prompts, eos, tokens):
    longest = max(map(len, prompts))
    ids = torch.tensor([[eos] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    out = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=tokens, do_sample=False, pad_token_id=eos,
                         eos_token_id=eos, repetition_penalty=1.0, return_dict_in_generate=True, output_logits=True)
    result = []
    for row, prompt in enumerate(prompts):
        new = out.sequences[row, longest:].tolist()
        stopped = eos in new
        new = new[:new.index(eos)] if stopped else new
        # The token that ended it has a gap too.
        tops = [torch.topk(step[row].double(), 2).values for step in out.logits[:len(new) + stopped]]
        gap = [round((top[0] - top[1]).item(), 6) for top in tops]
        result.append({"prompt": prompt, "ids": new, "stopped": stopped, "gap": gap})
    return result


def case(folder, rows, bos, eos, tokens, adapter=None):
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    model.generation_config = transformers.GenerationConfig()
    prompts = [encode(tokenizer, row, bos) for row in rows]
    systems = {"baseline": texts(model, prompts, eos, tokens)}
    if adapter:
        systems["fine_tuned"] = texts(PeftModel.from_pretrained(model, adapter).eval(), prompts, eos, tokens)
    return {"tokens": tokens, "eos": eos, "systems": systems}


def main():
    tiny = HERE.parent / "tiny"
    rows = json.loads((tiny / "eval.json").read_text())
    small = {"instruction": "Say hello.", "input": "", "output": ""}
    large = {"instruction": " ".join(row["instruction"] for row in rows[:3]), "input": "", "output": ""}
    result = {"made_with": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
              "tiny": case(tiny / "model", [*rows[:3], large, *rows[6:8], small], [0], 1, 48, tiny / "adapter_final")}
    if len(sys.argv) > 1:
        rows = json.loads((HERE.parent / "smollm2" / "eval.json").read_text())
        result["smollm2"] = case(Path(sys.argv[1]), [*rows[:5], small], [], 2, 64)
    lines = json.dumps(result, separators=(",", ":")).replace('{"prompt"', '\n{"prompt"')
    (HERE / "greedy.json").write_text(lines + "\n")


main()
