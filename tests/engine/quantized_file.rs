//! Quantized weights that were kept on disk are those that were written, scheme by scheme.

use candle_core::{DType, Device};
use std::path::Path;
use tezgah::model::files::quantized_file::QuantizedFile;
use tezgah::model::files::source::{BaseModel, ModelSource, open};
use tezgah::model::network::frozen::FrozenSource;
use tezgah::model::network::llama::Llama;
use tezgah::model::network::loading;
use tezgah::recipe::Quantization;

const SCHEMES: [Quantization; 5] =
    [Quantization::Q4_0, Quantization::Q4_1, Quantization::Q8_0, Quantization::Nf4, Quantization::Nf4Double];

fn quantized(base: &BaseModel, scheme: Quantization) -> Llama {
    Llama::load(&base.config, source(base, scheme, None)).expect("model")
}

fn source<'a>(
    base: &'a BaseModel,
    scheme: Quantization,
    quantized: Option<&'a QuantizedFile>,
) -> FrozenSource<'a> {
    FrozenSource {
        weights: &base.weights,
        quantization: scheme,
        quantized,
        dtype: DType::F32,
        device: &Device::Cpu,
    }
}

/// The bits of every projection, dequantized.
fn bits(model: &Llama) -> Vec<Vec<u32>> {
    let flat = |group: &tezgah::model::network::linear::LinearGroup| {
        let dense = group.frozen.dense().expect("weights");
        let values = dense.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("values");
        values.iter().map(|value| value.to_bits()).collect()
    };
    model.groups().map(flat).collect()
}

#[test]
fn what_is_read_is_what_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = open(&ModelSource::Demo).expect("demo");
    for scheme in SCHEMES {
        let path = folder.path().join("quantized").join("weights.safetensors");
        let written = quantized(&base, scheme);
        loading::keep(&path, &written).expect("written");
        let file = QuantizedFile::open(&path, scheme).expect("opened");
        let read = Llama::load(&base.config, source(&base, scheme, Some(&file))).expect("read");
        assert!(bits(&written) == bits(&read), "{scheme:?}");
        assert_eq!(written.weight_bytes(), read.weight_bytes(), "{scheme:?}");
    }
}

#[test]
fn a_file_that_is_cut_or_another_is_not_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = open(&ModelSource::Demo).expect("demo");
    let path = folder.path().join("weights.safetensors");
    assert!(QuantizedFile::open(&path, Quantization::Q4_0).is_err(), "there is none yet");
    loading::keep(&path, &quantized(&base, Quantization::Q8_0)).expect("written");
    let bytes = std::fs::read(&path).expect("bytes");
    // What lies there has q8_0's sizes under q4_0's name.
    let file = QuantizedFile::open(&path, Quantization::Q4_0).expect("opened");
    let Err(error) = Llama::load(&base.config, source(&base, Quantization::Q4_0, Some(&file))) else {
        panic!("blocks of another size were taken")
    };
    let text = error.to_string();
    assert!(text.contains("weights.safetensors") && text.contains("delete the file"), "{text}");
    drop(file);
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("cut");
    assert!(QuantizedFile::open(&path, Quantization::Q8_0).is_err(), "half a file was opened");
}

/// Noise in the weights once gave a run another loss, and no word of it.
#[test]
fn a_file_with_one_other_bit_is_not_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = open(&ModelSource::Demo).expect("demo");
    let path = folder.path().join("weights.safetensors");
    loading::keep(&path, &quantized(&base, Quantization::Nf4Double)).expect("written");
    let bytes = std::fs::read(&path).expect("bytes");
    let head = 8 + u64::from_le_bytes(bytes[..8].try_into().expect("a length")) as usize;
    for place in [head, head + (bytes.len() - head) / 2, bytes.len() - 1] {
        let mut noisy = bytes.clone();
        noisy[place] ^= 1;
        std::fs::write(&path, noisy).expect("written");
        let error =
            QuantizedFile::open(&path, Quantization::Nf4Double).expect_err("a flipped bit").to_string();
        assert!(error.contains("weights.safetensors") && error.contains("damaged"), "{error}");
    }
    // A file of the layout before had no hash.
    let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).expect("tensors");
    candle_core::safetensors::save(&tensors, &path).expect("saved");
    assert!(QuantizedFile::open(&path, Quantization::Nf4Double).is_err(), "a file without a hash");
}

#[test]
fn only_large_quantized_models_are_kept_and_by_their_own_names() {
    let folder = Path::new("reports/quantized");
    let place = |hash: &str, parameters, scheme| QuantizedFile::place(folder, hash, parameters, scheme);
    let (hash, other) = ("0123456789abcdef0123", "1123456789abcdef0123");
    let large = 1_235_814_400;
    let path = place(hash, large, Quantization::Nf4Double).expect("kept");
    assert!(path.starts_with("reports/quantized"), "{}", path.display());
    assert_ne!(place(other, large, Quantization::Nf4Double), Some(path.clone()));
    assert_ne!(place(hash, large, Quantization::Nf4), Some(path));
    assert_eq!(place(hash, large, Quantization::None), None);
    assert_eq!(place(hash, large, Quantization::AsIs), None);
    assert_eq!(place(hash, 2_000_000, Quantization::Nf4), None);
}
