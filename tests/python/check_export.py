#!/usr/bin/env python3
"""Is what a run left for other programs what those programs read?

    pip install transformers gguf jinja2
    python tests/python/check_export.py OUT        OUT: an output folder of a run

OUT/merged by transformers' tokenizer:
- `apply_chat_template` on every held-out row gives the ids that the run evaluated: the trained prompt's, tokenized by the
  library `tokenizers` alone, as many as the record counts for that row (full_tokens - masked_tokens + 1).
- Turns and a system message are in the trained form too; a role that has none is refused.
- The base's template, where it had one, is found by the name `base`; generation_config.json ends where a row ends.

OUT/merged.gguf, where it was asked for, by PyPI's gguf: names, shapes, types and metadata, every value against OUT/merged's
through gguf's own quantization, bit for bit; and the tokenizer as OUT/merged/tokenizer.json has it.

One line a subject; the exit code is 1 at the first that is not so.
"""

import json
import sys
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from transformers import AutoTokenizer, GenerationConfig

WITHOUT_INPUT = "### Instruction:\n{instruction}\n\n### Response:\n"
WITH_INPUT = "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n"


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def same(what, expected, got):
    if expected != got:
        print(f"{what}: expected {str(expected)[:400]}, got {str(got)[:400]}", file=sys.stderr)
        sys.exit(1)


def has_input(row):
    return bool(row.get("input", "").strip())


def prompt_of(row):
    return (WITH_INPUT if has_input(row) else WITHOUT_INPUT).format(**row)


def message_of(row):
    """A row as a user writes it: the input under its line, in the same message."""
    content = row["instruction"] + (f"\n\n### Input:\n{row['input']}" if has_input(row) else "")
    return {"role": "user", "content": content}


def begins_with(tokenizer):
    """The ids that the tokenizer's own post-processor puts before a text: none, or one BOS."""
    bare = tokenizer.encode("a", add_special_tokens=False).ids
    dressed = tokenizer.encode("a", add_special_tokens=True).ids
    return dressed[: dressed.index(bare[0])]


def rows_of(out, record):
    """The held-out rows that the record's evaluation is of."""
    kinds = ("test_split", "eval_split")
    paths = [output["path"] for kind in kinds for output in record["outputs"] if output["kind"] == kind]
    return read_json(out / paths[0])


def check_template(out, record):
    folder = out / "merged"
    theirs = AutoTokenizer.from_pretrained(folder)
    ours = Tokenizer.from_file(str(folder / "tokenizer.json"))
    bos = begins_with(ours)

    def ids(messages, **options):
        options = {"add_generation_prompt": True, "return_dict": False, **options}
        return list(theirs.apply_chat_template(messages, tokenize=True, **options))

    rows, measured = rows_of(out, record), record["evaluation"]["rows"]
    same("rows of the record", len(rows), len(measured))
    max_seq_len, checked = record["recipe"]["data"]["max_seq_len"], 0
    for index, (row, counts) in enumerate(zip(rows, measured)):
        expected = bos + ours.encode(prompt_of(row), add_special_tokens=False).ids
        same(f"ids of row {index}", expected, ids([message_of(row)]))
        # Of a row that was cut the record counts what was left of it.
        if counts["full_tokens"] + 1 < max_seq_len:
            same(f"tokens of the prompt of row {index}", counts["full_tokens"] - counts["masked_tokens"] + 1, len(expected))
            checked += 1
    print(f"check_export: the prompts of {len(rows)} rows are transformers' own, {checked} of them counted by the record")

    text = lambda messages, **options: theirs.apply_chat_template(messages, tokenize=False, **options)
    user, eos = (lambda content: {"role": "user", "content": content}), theirs.eos_token
    begin = theirs.decode(bos)
    answer = {"role": "assistant", "content": "B"}
    first = begin + "### Instruction:\nA\n\n### Response:\n"
    same("a turn and its answer", first + "B" + eos, text([user("A"), answer]))
    same("a later turn", f"{first}B{eos}### Instruction:\nC\n\n### Response:\n",
         text([user("A"), answer, user("C")], add_generation_prompt=True))
    system = {"role": "system", "content": "S"}
    same("a system message", f"{begin}### Instruction:\nS\n\nA\n\n### Response:\n",
         text([system, user("A")], add_generation_prompt=True))
    try:
        text([{"role": "tool", "content": "A"}])
    except Exception as error:  # jinja2's TemplateError by whatever name
        same("a refusal", True, "expected system, user or assistant" in str(error))
    else:
        same("the role tool", "a refusal", "a text")
    templates = theirs.chat_template
    if isinstance(templates, dict):
        same("the default template", True, "### Instruction:" in templates["default"])
        same("the base's template by its name", templates["base"], theirs.get_chat_template("base"))
        print(f"check_export: the base's templates are kept: {', '.join(sorted(set(templates) - {'default'}))}")

    generation = GenerationConfig.from_pretrained(folder)
    ends = generation.eos_token_id if isinstance(generation.eos_token_id, list) else [generation.eos_token_id]
    same("the end of a row among the ends of a text", True, theirs.eos_token_id in ends)
    same("what is drawn", (None, None), (generation.temperature, generation.do_sample))
    if bos:
        same("bos_token_id", bos[0], generation.bos_token_id)
    return bos, theirs.eos_token_id, templates["default"] if isinstance(templates, dict) else templates


GGUF_NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}
OUTSIDE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


def gguf_name(name):
    path = name.removesuffix(".weight")
    if path in OUTSIDE:
        return OUTSIDE[path] + ".weight"
    layer, part = path.removeprefix("model.layers.").split(".", 1)
    return f"blk.{layer}.{GGUF_NAMES[part]}.weight"


def tensors_of(path):
    """Each tensor's name, type and bits: numpy has no bf16, so that the bytes are read here."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        start = file.tell()
        for name, info in header.items():
            if name != "__metadata__":
                begin, end = info["data_offsets"]
                file.seek(start + begin)
                bits = np.frombuffer(file.read(end - begin), np.uint32 if info["dtype"] == "F32" else np.uint16)
                yield name, info["dtype"], bits.reshape(info["shape"])


def in_f32(kind, bits):
    match kind:
        case "F32":
            return bits.view(np.float32)
        case "F16":
            return bits.view(np.float16).astype(np.float32)
        case "BF16":
            return (bits.astype(np.uint32) << 16).view(np.float32)


def side_by_side(weights, heads):
    """LlamaModel.permute of llama.cpp's convert_hf_to_gguf.py."""
    rows = weights.shape[0]
    return weights.reshape(heads, 2, rows // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def check_values(reader, folder, config, stored):
    from gguf import GGMLQuantizationType, quants

    tensors = {tensor.name: tensor for tensor in reader.tensors}
    wanted = GGMLQuantizationType[stored]
    count = 0
    for name, kind, bits in tensors_of(folder / "model.safetensors"):
        weights = in_f32(kind, bits)
        tensor = tensors.pop(gguf_name(name))
        same(f"shape of {tensor.name}", list(weights.shape), [int(size) for size in reversed(tensor.shape)])
        if ".q_proj." in name:
            weights = side_by_side(weights, config["num_attention_heads"])
        elif ".k_proj." in name:
            weights = side_by_side(weights, config["num_key_value_heads"])
        kind = wanted if weights.ndim > 1 else GGMLQuantizationType.F32
        if kind == GGMLQuantizationType.Q8_0 and weights.shape[-1] % 32:
            kind = GGMLQuantizationType.F16
        same(f"type of {tensor.name}", kind.name, tensor.tensor_type.name)
        expected = quants.quantize(np.ascontiguousarray(weights), kind)
        same(f"bytes of {tensor.name}", expected.tobytes() == tensor.data.tobytes(), True)
        count += 1
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    scaled = rope.get("rope_type", rope.get("type")) == "llama3"
    if scaled:
        head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
        theta = rope.get("rope_theta") or config["rope_theta"]
        frequencies = theta ** -(np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
        low, high, factor = rope["low_freq_factor"], rope["high_freq_factor"], rope["factor"]
        original = rope["original_max_position_embeddings"]
        waves = 2 * np.pi / frequencies
        smooth = np.clip((original / waves - low) / (high - low), 0, 1)
        expected = 1 / ((1 - smooth) / factor + smooth)
        divisors = tensors.pop("rope_freqs.weight").data
        same("rope_freqs.weight", True, bool(np.allclose(divisors, expected, rtol=1e-5)))
    same("further tensors", [], sorted(tensors))
    print(f"check_export: {count} tensors of merged.gguf are merged's in {stored}, bit for bit{' with scaled rope' if scaled else ''}")


def check_gguf(out, record, bos, eos, template):
    from gguf import GGUFReader

    folder, stored = out / "merged", next(o["dtype"] for o in record["outputs"] if o["kind"] == "gguf")
    config, reader = read_json(folder / "config.json"), GGUFReader(out / "merged.gguf")
    value = lambda key: reader.fields[key].contents()
    head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    rope = config.get("rope_parameters") or {}
    expected = {
        "general.architecture": "llama",
        "general.file_type": {"F16": 1, "Q8_0": 7, "BF16": 32}[stored],
        "llama.block_count": config["num_hidden_layers"],
        "llama.context_length": config["max_position_embeddings"],
        "llama.embedding_length": config["hidden_size"],
        "llama.feed_forward_length": config["intermediate_size"],
        "llama.attention.head_count": config["num_attention_heads"],
        "llama.attention.head_count_kv": config["num_key_value_heads"],
        "llama.attention.key_length": head_dim,
        "llama.rope.dimension_count": head_dim,
        "llama.rope.freq_base": float(np.float32(rope.get("rope_theta") or config["rope_theta"])),
        "llama.attention.layer_norm_rms_epsilon": float(np.float32(config["rms_norm_eps"])),
        "llama.vocab_size": config["vocab_size"],
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.eos_token_id": eos,
        "tokenizer.ggml.add_bos_token": bool(bos),
        "tokenizer.chat_template": template,
    }
    if bos:
        expected["tokenizer.ggml.bos_token_id"] = bos[0]
    for key, wanted in expected.items():
        same(key, wanted, value(key))
    tokenizer = read_json(folder / "tokenizer.json")
    words = dict.fromkeys(range(config["vocab_size"]))
    words.update({id: token for token, id in tokenizer["model"]["vocab"].items()})
    added = {token["id"]: token for token in tokenizer["added_tokens"]}
    words.update({id: token["content"] for id, token in added.items()})
    tokens, types = value("tokenizer.ggml.tokens"), value("tokenizer.ggml.token_type")
    same("tokens", [word or f"[PAD{id}]" for id, word in words.items()], tokens)
    kinds = [(3 if added[id]["special"] else 4) if id in added else 1 if word else 5 for id, word in words.items()]
    same("token types", kinds, types)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    same("merges", merges, value("tokenizer.ggml.merges"))
    print(f"check_export: merged.gguf says {len(expected)} facts and {len(tokens)} tokens as merged does, splitting {value('tokenizer.ggml.pre')}")
    check_values(reader, folder, config, stored)
    modelfile = (out / "Modelfile").read_text(encoding="utf-8")
    same("the Modelfile's first line", True, "\nFROM ./merged.gguf\n" in modelfile and "### Response:\n{{ .Response }}" in modelfile)


def check_adapter(out):
    """Each value of the small adapter is the large one's, rounded to the nearest bf16, ties to even."""
    large, small = [
        {name: (kind, bits) for name, kind, bits in tensors_of(out / folder / "adapter_model.safetensors")}
        for folder in ("adapter", "adapter-bf16")
    ]
    same("tensors of the adapters", sorted(large), sorted(small))
    for name, (kind, bits) in large.items():
        same(f"types of {name}", ("F32", "BF16"), (kind, small[name][0]))
        rounded = ((bits.astype(np.uint64) + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
        same(f"values of {name}", True, bool((rounded == small[name][1]).all()))
    print(f"check_export: {len(large)} tensors of adapter-bf16 are the adapter's, rounded")


def main(out):
    record = read_json(out / "record.json")
    bos, eos, template = check_template(out, record)
    kinds = {output["kind"] for output in record["outputs"]}
    if "gguf" in kinds:
        check_gguf(out, record, bos, eos, template)
    if "adapter_bf16" in kinds:
        check_adapter(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
