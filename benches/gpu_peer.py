"""The Python stack's training steps on a card, as ours are measured beside it by `.ci/gpu-check --beside`.

    python benches/gpu_peer.py prepare FOLDER [--config benches/llama_3_2_1b.json] [--steps 4]
    python benches/gpu_peer.py train FOLDER --peer peft|peft-checkpointing|bitsandbytes|unsloth [--steps 4] [--out FILE]

`prepare` writes a model of that shape with seeded random weights in bf16, an adapter of r 128 whose B is not 0, and the first
rows of data/a1.json: both sides begin with the same numbers. `train` makes the steps and writes them as JSON; a peer whose
package does not load is named there with the reason, and that is no fault. The base is bf16 for PEFT alone, NF4 double for
bitsandbytes and Unsloth.
"""
import argparse
import json
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ("peft", "peft-checkpointing", "bitsandbytes", "unsloth")
ROWS, MICRO_BATCHES, RANK, LENGTH = 16, 4, 128, 2048
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def adapter_config(dropout):
    from peft import LoraConfig

    return LoraConfig(r=RANK, lora_alpha=2 * RANK, lora_dropout=dropout, bias="none", target_modules=TARGETS,
                      task_type="CAUSAL_LM")


def prepare(arguments):
    import torch
    from peft import get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = Path(arguments.folder)
    config = LlamaConfig(**json.loads(Path(arguments.config).read_text()))
    torch.manual_seed(1)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):  # a billion numbers take a processor a minute
        model = LlamaForCausalLM(config)
    torch.set_default_dtype(torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.uniform_(-0.03, 0.03)
    model.save_pretrained(folder / "model", max_shard_size="40GB")
    # As it was given: transformers renames fields from one version to the next.
    (folder / "model/config.json").write_text(Path(arguments.config).read_text())
    (folder / "model/tokenizer.json").write_bytes((ROOT / "data/demo/tokenizer.json").read_bytes())
    model = get_peft_model(model, adapter_config(0.0))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.data = parameter.float().uniform_(-0.01, 0.01)
    model.save_pretrained(folder / "adapter")
    rows = json.loads((ROOT / "data/a1.json").read_text())
    count = ROWS * MICRO_BATCHES * arguments.steps
    (folder / "train.json").write_text(json.dumps(rows[:count]))
    (folder / "eval.json").write_text(json.dumps(rows[count:count + ROWS]))


def load(peer, folder, dropout):
    """A model with the adapter, ready to be trained."""
    import torch

    if peer == "unsloth":
        from unsloth import FastLanguageModel  # it patches transformers, so that it comes first

        base, _ = FastLanguageModel.from_pretrained(str(folder / "model"), max_seq_length=LENGTH, dtype=torch.bfloat16,
                                                    load_in_4bit=True)
        model = FastLanguageModel.get_peft_model(base, r=RANK, lora_alpha=2 * RANK, lora_dropout=dropout, bias="none",
                                                 target_modules=TARGETS, use_gradient_checkpointing=False)
        return model.train()
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    settings = {"dtype": torch.bfloat16, "attn_implementation": "sdpa", "device_map": {"": 0}}
    if peer == "bitsandbytes":
        from transformers import BitsAndBytesConfig

        settings["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16)
    base = AutoModelForCausalLM.from_pretrained(folder / "model", **settings)
    if peer == "peft-checkpointing":
        base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        base.enable_input_require_grads()
    model = PeftModel.from_pretrained(base, folder / "adapter", is_trainable=True)
    for module in model.modules():
        if isinstance(getattr(module, "lora_dropout", None), torch.nn.ModuleDict):
            for key in module.lora_dropout:
                module.lora_dropout[key] = torch.nn.Dropout(dropout) if dropout else torch.nn.Identity()
    return model.train()


def encode(tokenizer, row, end):
    prompt = tokenizer.encode(f"### Instruction:\n{row['instruction']}\n\n### Response:\n", add_special_tokens=False).ids
    response = tokenizer.encode(row["output"], add_special_tokens=False).ids + [end]
    ids = (prompt + response)[:LENGTH]
    return ids, ([-100] * len(prompt) + response)[:LENGTH]


def batch(rows):
    import torch

    longest = -(-max(len(ids) for ids, _ in rows) // 8) * 8
    pad = lambda values, with_: torch.tensor([[*one, *[with_] * (longest - len(one))] for one in values]).cuda()
    ids, labels = zip(*rows)
    return pad(ids, 0), pad(labels, -100), pad([[1] * len(one) for one in ids], 0)


def loss_of(model, rows, targets):
    """-ln p of the window's targets, divided by their number."""
    import torch

    ids, labels, mask = batch(rows)
    with torch.autocast("cuda", dtype=torch.bfloat16):  # as the Trainer's bf16: A and B are f32, their products are not
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]
    wanted = labels[:, 1:]
    chosen = wanted != -100  # the softmax of the others would only cost the peer time and memory
    return torch.nn.functional.cross_entropy(logits[chosen].float(), wanted[chosen], reduction="sum") / targets


def train(arguments):
    import torch
    from tokenizers import Tokenizer

    folder = Path(arguments.folder)
    model = load(arguments.peer, folder, arguments.dropout)
    end = json.loads((folder / "model/config.json").read_text())["eos_token_id"]
    tokenizer = Tokenizer.from_file(str(folder / "model/tokenizer.json"))
    rows = [encode(tokenizer, row, end) for row in json.loads((folder / "train.json").read_text())]
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=0.0, weight_decay=0.01, fused=True)
    torch.manual_seed(3407)
    torch.cuda.reset_peak_memory_stats()
    steps, window = [], ROWS * MICRO_BATCHES
    for step in range(arguments.steps):
        torch.cuda.synchronize()
        start = time.perf_counter()
        of_step = rows[step * window:][:window]
        targets = sum(label != -100 for _, labels in of_step for label in labels[1:])
        loss = 0.0
        for first in range(0, window, ROWS):
            part = loss_of(model, of_step[first:first + ROWS], targets)
            part.backward()
            loss += part.detach()
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.param_groups[0]["lr"] = 2e-4 * step / 100  # a linear warmup of 100 steps, from 0
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss, norm = float(loss), float(norm)  # waits for the card
        steps.append({"loss": loss, "grad_norm": norm, "tokens": sum(len(ids) for ids, _ in of_step),
                      "seconds": time.perf_counter() - start})
    return {"steps": steps, "peak_memory_bytes": torch.cuda.max_memory_allocated(), "torch": torch.__version__}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("prepare", "train"))
    parser.add_argument("folder")
    parser.add_argument("--config", default=ROOT / "benches/llama_3_2_1b.json")
    parser.add_argument("--peer", choices=PEERS, default="peft")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--out")
    arguments = parser.parse_args()
    if arguments.what == "prepare":
        return prepare(arguments)
    try:
        measured = train(arguments)
    except ImportError as absent:
        measured = {"absent": str(absent)}
    except Exception as fault:  # a peer that runs out of memory or refuses a model is a result too
        measured = {"failed": f"{type(fault).__name__}: {fault}"[:300]}
    text = json.dumps({"peer": arguments.peer, "dropout": arguments.dropout, **measured}, indent=1)
    Path(arguments.out).write_text(text + "\n") if arguments.out else print(text)


main()
