//! Dotted paths into a tree of JSON, as settings, records and documents name their values: `training.steps[0].loss`.

use serde_json::Value;

/// The path of the field `name` of what lies at `path`; the root's is empty.
pub(crate) fn child(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}

/// The path of the item in place `index` of the list at `path`.
pub(crate) fn item(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// Shows `visit` every value of `tree` with its path, parents before children and in the order of the fields, and
/// goes into those for which it answers true.
pub(crate) fn walk<'a>(tree: &'a Value, visit: &mut dyn FnMut(&str, &'a Value) -> bool) {
    fn below<'a>(path: &str, node: &'a Value, visit: &mut dyn FnMut(&str, &'a Value) -> bool) {
        if !visit(path, node) {
            return;
        }
        match node {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, field)| below(&child(path, name), field, visit))
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, one)| below(&item(path, index), one, visit));
            }
            _ => {}
        }
    }
    below("", tree, visit);
}

/// The values at the ends of `tree`, by path. A list without objects in it is one value.
pub(crate) fn leaves(tree: &Value) -> Vec<(String, &Value)> {
    let mut leaves = Vec::new();
    walk(tree, &mut |path, value| {
        let is_inner = match value {
            Value::Object(_) => true,
            Value::Array(items) => items.iter().any(Value::is_object),
            _ => false,
        };
        if !is_inner {
            leaves.push((path.to_string(), value));
        }
        is_inner
    });
    leaves
}

/// A path with what two trees have there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sides<T> {
    /// The path.
    pub(crate) path: String,
    /// In the old tree; absent where it has no such path.
    pub(crate) old: Option<T>,
    /// In the new tree.
    pub(crate) new: Option<T>,
}

/// Two lists by path, in the old order; paths of the new one alone come last.
pub(crate) fn paired<T: Clone>(old: &[(String, T)], new: &[(String, T)]) -> Vec<Sides<T>> {
    let find = |side: &[(String, T)], path: &str| {
        side.iter().find(|(other, _)| other == path).map(|(_, value)| value.clone())
    };
    let of_old = old.iter().map(|(path, value)| Sides {
        path: path.clone(),
        old: Some(value.clone()),
        new: find(new, path),
    });
    let of_new = new.iter().filter(|(path, _)| find(old, path).is_none()).map(|(path, value)| Sides {
        path: path.clone(),
        old: None,
        new: Some(value.clone()),
    });
    of_old.chain(of_new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_ends_of_a_tree_have_paths() {
        let tree = json!({ "a": { "b": [1, 2], "c": [{ "d": null }, 3] }, "e": "f" });
        let paths: Vec<String> = leaves(&tree).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["a.b", "a.c[0].d", "a.c[1]", "e"]);
    }
}
