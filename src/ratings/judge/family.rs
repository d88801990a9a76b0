//! Whether a judge and the judged model are of one family, as far as their names say.
//!
//! A model favours texts like its own (Panickssery et al., 2024), so such a judge is named as one. A name that says nothing, such
//! as an alias of a local server, is of no family.

use std::collections::BTreeSet;

/// How the words of a name begin, and the family that they are of.
const FAMILIES: [(&str, &str); 30] = [
    ("llama", "llama"),
    ("codellama", "llama"),
    ("tinyllama", "llama"),
    ("vicuna", "llama"),
    ("smollm", "smollm"),
    ("qwen", "qwen"),
    ("qwq", "qwen"),
    ("gemma", "gemma"),
    ("gemini", "gemini"),
    ("mistral", "mistral"),
    ("mixtral", "mistral"),
    ("ministral", "mistral"),
    ("magistral", "mistral"),
    ("codestral", "mistral"),
    ("zephyr", "mistral"),
    ("phi", "phi"),
    ("deepseek", "deepseek"),
    ("gpt", "gpt"),
    ("chatgpt", "gpt"),
    ("claude", "claude"),
    ("olmo", "olmo"),
    ("falcon", "falcon"),
    ("granite", "granite"),
    ("yi", "yi"),
    ("command", "command"),
    ("aya", "command"),
    ("glm", "glm"),
    ("chatglm", "glm"),
    ("nemotron", "nemotron"),
    ("kimi", "kimi"),
];

/// Whether one of `judged` names a family that `judge` is of too.
pub(super) fn is_shared(judge: &str, judged: &[&str]) -> bool {
    let judge = families(judge);
    judged.iter().any(|name| !judge.is_disjoint(&families(name)))
}

/// The families of a name; a distilled model may be of two. Of a path or a repository the last part counts: the owner of a
/// repository is no family.
fn families(name: &str) -> BTreeSet<&'static str> {
    let name = name.trim_end_matches(['/', '\\']).split('@').next().unwrap_or_default();
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    let words = last.split(|letter: char| !letter.is_alphanumeric());
    words.filter_map(family).collect()
}

/// A word is of a family where nothing but a version follows its name: `qwen2`, `phi3`, and not `philosophy`.
fn family(word: &str) -> Option<&'static str> {
    let is_version = |rest: &str| rest.is_empty() || rest.starts_with(|letter: char| letter.is_ascii_digit());
    let found = FAMILIES.iter().find(|(start, _)| word.strip_prefix(start).is_some_and(is_version));
    found.map(|(_, family)| *family)
}

#[cfg(test)]
mod tests {
    use super::is_shared;

    #[test]
    fn a_family_is_told_by_the_model_and_not_by_its_owner() {
        let smollm = ["SmolLM2-135M-Instruct", "HuggingFaceTB/SmolLM2-135M-Instruct@main"];
        assert!(is_shared("HuggingFaceTB/SmolLM2-1.7B-Instruct", &smollm));
        assert!(!is_shared("meta-llama/Llama-3.2-1B-Instruct", &smollm));
        let llama = ["Llama-3.2-1B-Instruct", "/srv/qwen/Llama-3.2-1B-Instruct"];
        assert!(is_shared("llama3.1:8b", &llama) && is_shared("TinyLlama-1.1B-Chat-v1.0", &llama));
        assert!(!is_shared("meta-llama/gemma", &llama) && !is_shared("Qwen2.5-7B-Instruct", &llama));
        assert!(is_shared("DeepSeek-R1-Distill-Llama-8B", &llama));
        // No word that only begins alike, and nothing from a name that says nothing.
        assert!(!is_shared("dolphin-philosophy", &["phi-4"]) && !is_shared("judge", &["demo"]));
    }
}
