"""What transformers makes of chat templates: chat.json, for tests/engine/chat.rs.

    pip install transformers jinja2
    python tests/reference/generation/make_chat.py

The first is SmolLM2-Instruct's (Apache 2.0); the others hold what templates of other families use: Python's string methods,
namespaces, slices, loop variables, tests for what is not defined, a date, line statements that take their white space along.
"""
import json
from pathlib import Path

import transformers
from transformers import PreTrainedTokenizerFast

HERE = Path(__file__).resolve().parent
TEMPLATES = {
    "smollm2": "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a "
    "helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + "
    "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "dated": "{{- bos_token }}\n{%- if custom_tools is defined %}\n    {%- set tools = custom_tools %}\n{%- endif %}\n"
    "{%- if not date_string is defined %}\n    {%- set date_string = \"26 Jul 2024\" %}\n{%- endif %}\n"
    "{%- if messages[0]['role'] == 'system' %}\n    {%- set system = messages[0]['content']|trim %}\n    {%- set messages = messages[1:] %}\n"
    "{%- else %}\n    {%- set system = \"\" %}\n{%- endif %}\n"
    "{{- \"<|head|>system<|tail|>\\n\\n\" }}\n{{- \"Today Date: \" + date_string + \"\\n\\n\" }}\n{{- system }}\n{{- \"<|eot|>\" }}\n"
    "{%- for message in messages %}\n    {%- if not (message.role == 'ipython' or 'tool_calls' in message) %}\n"
    "        {{- '<|head|>' + message['role'] + '<|tail|>\\n\\n'+ message['content'] | trim + '<|eot|>' }}\n    {%- endif %}\n{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n    {{- '<|head|>assistant<|tail|>\\n\\n' }}\n{%- endif %}\n",
    "methods": "{% set ns = namespace(count=0) %}\n{% for message in messages %}\n  {% set ns.count = ns.count + 1 %}\n"
    "{{ message.role.upper() }}{{ ': ' if not loop.last else ' (last): ' }}{{ message.content.strip().split('\\n')[0].replace('A1', 'a-one') }}\n"
    "{% endfor %}\n{{ ns.count }}{{ eos_token }}{% if undefined_name %}never{% endif %}\n",
    "refusing": "{% if messages[0]['role'] == 'user' %}{{ raise_exception('System role expected') }}{% endif %}",
}
REQUEST = "  Answer for a learner at level A1.\n\nWrite about 'your' family & home.  "


def main():
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(HERE.parent / "tiny/model/tokenizer.json"))
    tokenizer.bos_token, tokenizer.eos_token = tokenizer.convert_ids_to_tokens([0, 1])
    cases = []
    for name, template in TEMPLATES.items():
        try:
            rendered = tokenizer.apply_chat_template([{"role": "user", "content": REQUEST}], chat_template=template,
                                                     tokenize=False, add_generation_prompt=True)
        except Exception as error:
            rendered = None
            assert "System role expected" in str(error)
        cases.append({"name": name, "template": template, "rendered": rendered})
    result = {"made_with": {"transformers": transformers.__version__}, "bos": tokenizer.bos_token, "eos": tokenizer.eos_token,
              "request": REQUEST, "cases": cases}
    (HERE / "chat.json").write_text(json.dumps(result, indent=1) + "\n")


main()
