"""How far PyTorch's own bf16 is from f64 on the reference's rows: bf16.json, the yardstick of tests/engine/reference/pass.rs.

    pip install torch transformers peft
    python tests/reference/tiny/make_bf16.py

The base is cast to bf16; PEFT keeps the adapter in f32, as this project does. Two vectors, and |x - x64| / |x64| of each:

  sums      summed -ln p of rows under both masks, with the initial adapter
  gradient  of the mean response loss over two training rows, all A and B; of several pairs one after the other

Once over few rows, which a GPU in software can do, and once ("all") over all of them: of few rows it is chance by a tenth.
"""
import json
from pathlib import Path

import peft
import torch
import transformers
from peft import PeftModel
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

HERE = Path(__file__).resolve().parent
PROMPT = "### Instruction:\n{instruction}\n\n### Response:\n"
HELD_OUT, TRAIN = (0, 3), (4, 8)  # as in tests/engine/reference/pass.rs


def encode(tokenizer, row):
    prompt = [0] + tokenizer.encode(PROMPT.format(**row), add_special_tokens=False).ids
    response = tokenizer.encode(row["output"], add_special_tokens=False).ids + [1]
    return prompt + response, len(prompt)


def model(dtype):
    base = AutoModelForCausalLM.from_pretrained(HERE / "model", dtype=dtype)
    tuned = PeftModel.from_pretrained(base, HERE / "adapter_init", is_trainable=True)
    return tuned.double() if dtype == torch.float64 else tuned


def nll(logits, ids):
    # As transformers computes its loss: logits widened first.
    wide = torch.float64 if logits.dtype == torch.float64 else torch.float32
    return torch.nn.functional.cross_entropy(logits[:-1].to(wide), torch.tensor(ids[1:]), reduction="none")


def rows_of(tuned, rows):
    values = []
    with torch.no_grad():
        for ids, prompt in rows:
            each = nll(tuned(torch.tensor([ids])).logits[0], ids).double()
            values += [each[prompt - 1:].sum().item(), each.sum().item()]
    return torch.tensor(values, dtype=torch.float64)


def gradient_of(tuned, rows):
    targets = sum(len(ids) - prompt for ids, prompt in rows)
    longest = max(len(ids) for ids, _ in rows)
    padded = torch.tensor([ids + [1] * (longest - len(ids)) for ids, _ in rows])
    mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in rows])
    logits = tuned(padded, attention_mask=mask).logits
    losses = [nll(row[:len(ids)], ids)[prompt - 1:].sum() for row, (ids, prompt) in zip(logits, rows)]
    tuned.zero_grad()
    (sum(losses) / targets).backward()
    return torch.cat([p.grad.flatten().double() for p in tuned.parameters() if p.requires_grad])


def main():
    tokenizer = Tokenizer.from_file(str(HERE / "model/tokenizer.json"))

    def read(name):
        return [encode(tokenizer, row) for row in json.loads((HERE / name).read_text())]

    evaluation, train = read("eval.json"), read("train.json")
    models = [model(dtype) for dtype in (torch.float64, torch.bfloat16)]
    adapters = {p.dtype for p in models[1].parameters() if p.requires_grad}
    assert adapters == {torch.float32}, adapters

    def measured(tuned, held_out, pairs):
        gradients = [gradient_of(tuned, [train[place] for place in pair]) for pair in pairs]
        return {"sums": rows_of(tuned, held_out), "gradient": torch.cat(gradients)}

    def distances(ours, exact):
        return {name: ((ours[name] - exact[name]).norm() / exact[name].norm()).item() for name in exact}

    exact, ours = [measured(tuned, [evaluation[place] for place in HELD_OUT], [TRAIN]) for tuned in models]
    every = (evaluation + train, [(first, first + 1) for first in range(0, len(train), 2)])
    exact_all, ours_all = [measured(tuned, *every) for tuned in models]
    result = {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
        **distances(ours, exact),
        "gradient_norm_f64": exact["gradient"].norm().item(),
        "all": distances(ours_all, exact_all),
    }
    (HERE / "bf16.json").write_text(json.dumps(result, indent=1) + "\n")
    print(result)


main()
