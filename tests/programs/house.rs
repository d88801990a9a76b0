//! The order of the rooms: `lib.rs` and every `mod.rs` list their modules from the ground up, and no module uses one
//! that its parent lists below it.
//!
//! What is read are the sources: every `crate::`, `super::` and `self::` path outside comments, strings and
//! `#[cfg(test)]`. A module and the one it lies in may use each other; siblings may not.

use std::collections::BTreeMap;
use std::path::Path;

/// A module's source by its path: `["model", "ops"]`, the crate's root being empty.
type Sources = BTreeMap<Vec<String>, (String, String)>;

#[test]
fn no_arrow_points_up() {
    let mut sources = Sources::new();
    read(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path(), &[], &mut sources);
    assert!(sources.len() > 100, "{} modules are not the whole house", sources.len());
    let arrows = arrows_up(&sources);
    assert!(arrows.is_empty(), "{} arrows point up:\n{}", arrows.len(), arrows.join("\n"));
}

/// The list of rooms on the front page of the documentation is the order that is tested.
#[test]
fn the_documentation_lists_the_rooms_in_their_order() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("lib.rs");
    let rooms = text.lines().filter_map(|line| line.strip_prefix("//! - ")?.split_once(": "));
    let named: Vec<&str> = rooms
        .flat_map(|(names, _)| names.split(", ").map(|name| name.trim_matches(['[', ']', '`'])))
        .collect();
    assert_eq!(named, declared(&text));
}

/// The test itself, on a house of four rooms with one arrow up and one sibling circle.
#[test]
fn an_arrow_that_points_up_is_named_with_its_place() {
    let house = [
        ("", "lib.rs", "pub mod ground;\npub mod roof;\n"),
        (
            "ground",
            "ground.rs",
            "// crate::roof is a comment\nuse crate::{error::Error, roof::{self, Tile}};\n",
        ),
        (
            "roof",
            "roof/mod.rs",
            "mod tile;\nmod gutter;\nuse crate::ground;\nconst NAME: &str = \"crate::roof\";\n",
        ),
        (
            "roof::tile",
            "roof/tile.rs",
            "fn f() {\n    super::gutter::clean();\n}\n#[cfg(test)]\nmod tests { use crate::roof::gutter; }\n",
        ),
        ("roof::gutter", "roof/gutter.rs", "use super::tile::Tile;\nuse crate::ground;\n"),
    ];
    let sources = house.map(|(module, file, text)| {
        let path = module.split("::").filter(|name| !name.is_empty()).map(str::to_string).collect();
        (path, (file.to_string(), text.to_string()))
    });
    assert_eq!(
        arrows_up(&Sources::from(sources)),
        ["ground.rs:2: ground uses roof", "roof/tile.rs:2: roof::tile uses roof::gutter"]
    );
}

/// Every use of a module that stands below the using one in the list of the parent they share.
fn arrows_up(sources: &Sources) -> Vec<String> {
    let order: BTreeMap<&[String], Vec<String>> =
        sources.iter().map(|(module, (_, text))| (module.as_slice(), declared(text))).collect();
    let mut arrows = Vec::new();
    for (module, (file, text)) in sources {
        for (line, target) in references(module, text) {
            let shared = module.iter().zip(&target).take_while(|(own, other)| own == other).count();
            let (Some(own), Some(other)) = (module.get(shared), target.get(shared)) else { continue };
            let list = &order[&module[..shared]];
            let place = |name: &String| list.iter().position(|listed| listed == name);
            if let (Some(here), Some(there)) = (place(own), place(other))
                && there > here
            {
                let named =
                    |name: &String| [&module[..shared], std::slice::from_ref(name)].concat().join("::");
                let arrow = format!("{file}:{line}: {} uses {}", module.join("::"), named(other));
                // One line may name a module twice.
                if !arrows.contains(&arrow) {
                    arrows.push(arrow);
                }
            }
        }
    }
    arrows
}

fn read(folder: &Path, module: &[String], sources: &mut Sources) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let is_own = ["mod", "lib"].contains(&name.as_str());
        let inner = if is_own { module.to_vec() } else { [module, &[name]].concat() };
        if path.is_dir() {
            read(&path, &inner, sources);
        } else {
            let text = std::fs::read_to_string(&path).expect("a source file");
            sources.insert(inner, (path.display().to_string(), text));
        }
    }
}

/// The modules that a file lists, in its order.
fn declared(text: &str) -> Vec<String> {
    let name = |line: &str| Some(line.split_once("mod ")?.1.strip_suffix(';')?.to_string());
    bare(text)
        .lines()
        .filter(|line| line.starts_with("mod ") || line.starts_with("pub"))
        .filter_map(name)
        .collect()
}

/// The absolute paths that a file names, with their lines.
fn references(module: &[String], text: &str) -> Vec<(usize, Vec<String>)> {
    let text = bare(text);
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in text.match_indices(start) {
            let is_whole = !text[..at]
                .ends_with(|letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':');
            if is_whole {
                let line = text[..at].matches('\n').count() + 1;
                let mut paths = Vec::new();
                tree(&text[at..], &mut Vec::new(), &mut paths);
                found.extend(paths.into_iter().map(|path| (line, absolute(module, path))));
            }
        }
    }
    found
}

/// Expands `a::{b, c::d}` at the beginning of `text`; returns what follows it.
fn tree<'a>(text: &'a str, prefix: &mut Vec<String>, paths: &mut Vec<Vec<String>>) -> &'a str {
    let (depth, mut text) = (prefix.len(), text.trim_start());
    loop {
        let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len());
        if end > 0 {
            prefix.push(text[..end].to_string());
        }
        text = &text[end..];
        match text.strip_prefix("::") {
            Some(rest) => text = rest.trim_start(),
            None => break,
        }
        if let Some(mut rest) = text.strip_prefix('{') {
            while !rest.trim_start().is_empty() && !rest.trim_start().starts_with('}') {
                rest = tree(rest, prefix, paths);
                rest = rest[rest.find([',', '}']).unwrap_or(rest.len())..].trim_start_matches(',');
            }
            prefix.truncate(depth);
            return rest.trim_start().strip_prefix('}').unwrap_or_default();
        }
    }
    paths.push(prefix.clone());
    prefix.truncate(depth);
    text
}

fn absolute(module: &[String], path: Vec<String>) -> Vec<String> {
    let mut base: Vec<String> = if path[0] == "crate" { Vec::new() } else { module.to_vec() };
    for name in path {
        match name.as_str() {
            "crate" | "self" => {}
            "super" => _ = base.pop(),
            _ => base.push(name),
        }
    }
    base
}

/// The text without its tests, comments and strings; every line stays in its place.
fn bare(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut bare = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['/', '"', '\'']) {
        bare.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with('"') {
            closing(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else {
            bare.push_str(&rest[..1]);
            rest = &rest[1..];
            continue;
        };
        bare.extend(rest[..end].matches('\n'));
        rest = &rest[end..];
    }
    bare + rest
}

/// Behind the quotation mark that ends the string at the beginning of `text`.
fn closing(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}
