//! What this program wrote itself and may find changed: records, profiles of typography, sealed folders.

use super::{Spoilt, cases, damaged, read_calmly};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use tezgah::record::{seal, store};
use tezgah::report::profile::Profile;

fn sound(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn profile() -> Vec<u8> {
    let model = b"[model]\nname = \"Lama\"\nreading = \"lama\"\n".to_vec();
    [sound("templates/profiles/varsayilan.toml"), model].concat()
}

/// A folder as a checkpoint is sealed.
fn sealed() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint-3");
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("course.json"), r#"{"steps":[],"evals":[],"seconds":1.5}"#).unwrap();
    std::fs::write(path.join("optimizer.safetensors"), [7; 99]).unwrap();
    seal::close(&path, "this run", &["course.json", "optimizer.safetensors"]).unwrap();
    (folder, path)
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_spoilt_record_is_read_or_refused(Spoilt { bytes, .. } in prop_oneof![
        damaged(sound("tests/records-schema/0.json")),
        damaged(sound("tests/records-schema/1.json")),
    ]) {
        if let Some(record) = read_calmly(bytes.len(), || store::from_json(&bytes)) {
            let text = store::to_json(&record).expect("a record that was read can be written");
            prop_assert_eq!(store::from_json(text.as_bytes()).expect("and read again"), record);
        }
    }

    #[test]
    fn a_spoilt_profile_is_read_or_refused(Spoilt { bytes, .. } in damaged(profile())) {
        if let Ok(text) = String::from_utf8(bytes) {
            read_calmly(text.len(), || Profile::parse("profil.toml", &text));
        }
    }

    /// A sealed folder opens where every file has its bytes, and is refused with a line where one has not.
    #[test]
    fn a_sealed_folder_with_other_bytes_does_not_open(
        name in prop_oneof![Just("course.json"), Just("optimizer.safetensors"), Just("seal.json")],
        numbers in damaged(vec![0; 99]),
        course in damaged(sealed_course()),
    ) {
        let (_folder, path) = sealed();
        let before = std::fs::read(path.join(name)).unwrap();
        let bytes = if name == "optimizer.safetensors" { numbers.bytes } else { course.bytes };
        std::fs::write(path.join(name), &bytes).unwrap();
        let opened = read_calmly(bytes.len(), || seal::open(&path)).is_some();
        prop_assert!(!opened || bytes == before, "{} opened", name);
    }
}

fn sealed_course() -> Vec<u8> {
    let (_folder, path) = sealed();
    std::fs::read(path.join("course.json")).unwrap()
}
