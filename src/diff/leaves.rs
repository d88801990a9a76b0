//! A piece of the record as a flat list: dotted path and value.

use serde::Serialize;
use serde_json::Value;

/// Paths and values below `node`, in the record's order. A list without objects in it is one value.
pub(super) fn leaves(node: &impl Serialize) -> Vec<(String, Value)> {
    let tree = serde_json::to_value(node).expect("a record is plain numbers, names and lists");
    let mut leaves = Vec::new();
    walk(String::new(), tree, &mut leaves);
    leaves
}

fn walk(path: String, node: Value, leaves: &mut Vec<(String, Value)>) {
    match node {
        Value::Object(fields) => {
            for (name, field) in fields {
                walk(if path.is_empty() { name } else { format!("{path}.{name}") }, field, leaves);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.into_iter().enumerate() {
                walk(format!("{path}[{index}]"), item, leaves);
            }
        }
        value => leaves.push((path, value)),
    }
}

/// A path with what the two sides have there.
pub(super) struct Pair<T> {
    pub(super) path: String,
    pub(super) old: Option<T>,
    pub(super) new: Option<T>,
}

/// Both sides by path, in the old order; paths of the new side alone come last.
pub(super) fn paired<T: Clone>(old: &[(String, T)], new: &[(String, T)]) -> Vec<Pair<T>> {
    let find = |side: &[(String, T)], path: &str| {
        side.iter().find(|(other, _)| other == path).map(|(_, value)| value.clone())
    };
    let mut pairs: Vec<Pair<T>> = old
        .iter()
        .map(|(path, value)| Pair { path: path.clone(), old: Some(value.clone()), new: find(new, path) })
        .collect();
    pairs.extend(new.iter().filter(|(path, _)| find(old, path).is_none()).map(|(path, value)| Pair {
        path: path.clone(),
        old: None,
        new: Some(value.clone()),
    }));
    pairs
}
