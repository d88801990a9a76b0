//! The form that a model was trained in, written for the programs that load it: as a chat template and as Ollama's Modelfile.
//!
//! A row is `BOS? instruction answer EOS` under Alpaca's headings ([`crate::data::encode`]). A chat in that form:
//!
//! - A user's turn is an instruction, as it stands. A row with an input is the turn `instruction\n\n### Input:\ninput`.
//! - Earlier turns stand before it as the rows they would be, each answer closed by its EOS; BOS comes once. No row had two
//!   turns: the model was taught the last of them alone.
//! - A system message stands before the first instruction, with an empty line between: no row had one, and a heading of
//!   its own would be one that the model has never met.
//! - Any other role is refused rather than left out.

use crate::record::PromptTemplate;

/// The chat template, in the Jinja that transformers, vLLM, llama.cpp and text-generation-webui render. `bos` is the token
/// that begins a row, where there is one: these programs tokenize what is rendered without adding another.
///
/// One line without white space between its tags: it renders the same whether or not blocks take their line with them.
pub(crate) fn jinja(bos: Option<u32>) -> String {
    let PromptTemplate { instruction, response, .. } = PromptTemplate::ALPACA;
    let heading = response.trim_start_matches('\n');
    let [instruction, between, heading] =
        [&*instruction, &response[..response.len() - heading.len()], heading].map(literal);
    let begin = if bos.is_some() { "{{ bos_token }}" } else { "" };
    [
        begin,
        "{% if messages[0]['role'] == 'system' %}{% set told = messages[0]['content'] + '\\n\\n' %}",
        "{% set turns = messages[1:] %}{% else %}{% set told = '' %}{% set turns = messages %}{% endif %}",
        "{% for turn in turns %}{% if turn['role'] == 'user' %}{{ ",
        &format!("{instruction} + (told if loop.first else '') + turn['content'] + {between}"),
        " }}{% elif turn['role'] == 'assistant' %}{{ ",
        &format!("{heading} + turn['content'] + eos_token"),
        " }}{% else %}{{ raise_exception('expected system, user or assistant, got ' + turn['role']) }}",
        "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ ",
        &heading,
        " }}{% endif %}",
    ]
    .concat()
}

/// A text as a string of Jinja.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

/// Ollama's Modelfile beside the GGUF file called `gguf`, whose responses end with `eos`.
///
/// The template is the older kind, one turn a time: Ollama repeats it for the turns of a chat, and cuts it at `.Response` for
/// the last. BOS is the GGUF file's to add. Texts are made as this program makes them: the likeliest token, and no penalty
/// for repeated ones, which Ollama has unless told.
pub(crate) fn modelfile(gguf: &str, eos: &str) -> String {
    let PromptTemplate { instruction, response, .. } = PromptTemplate::ALPACA;
    let told = "{{ if .System }}{{ .System }}\n\n{{ end }}";
    let template = format!("{instruction}{told}{{{{ .Prompt }}}}{response}{{{{ .Response }}}}{eos}");
    let parameters =
        format!("PARAMETER temperature 0\nPARAMETER repeat_penalty 1\nPARAMETER stop \"{eos}\"\n");
    format!("# ollama create NAME -f Modelfile\nFROM ./{gguf}\nTEMPLATE \"\"\"{template}\"\"\"\n{parameters}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ollama renders Go's templates, and no test here does: this is what was read by hand.
    #[test]
    fn a_modelfile_holds_the_trained_form() {
        let expected = "# ollama create NAME -f Modelfile\nFROM ./merged.gguf\nTEMPLATE \"\"\"### Instruction:\n\
                        {{ if .System }}{{ .System }}\n\n{{ end }}{{ .Prompt }}\n\n### Response:\n\
                        {{ .Response }}<|end|>\"\"\"\nPARAMETER temperature 0\nPARAMETER repeat_penalty 1\n\
                        PARAMETER stop \"<|end|>\"\n";
        assert_eq!(modelfile("merged.gguf", "<|end|>"), expected);
    }
}
