//! NF4 against bitsandbytes: codes, scales and dequantized values of its own kernels, bit for bit.
//!
//! `tests/reference/nf4/make_nf4.py` made the fixtures; its README has the versions.

use crate::support::reference_folder;
use candle_core::{DType, Device, Tensor};
use std::collections::HashMap;
use tezgah::model::files::nf4::{CODEBOOK, DYNAMIC_MAP, DoubleScales, Nf4, Scales, device::Nf4OnDevice};

struct Fixture(HashMap<String, Tensor>);

impl Fixture {
    fn read() -> Self {
        let path = reference_folder().join("nf4/nf4.safetensors");
        Fixture(candle_core::safetensors::load(path, &Device::Cpu).expect("nf4.safetensors"))
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        let tensor = self.0.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        tensor.to_dtype(DType::F32).and_then(|t| t.flatten_all()?.to_vec1()).expect(name)
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        let tensor = self.0.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        tensor.flatten_all().and_then(|t| t.to_vec1()).expect(name)
    }
}

const TENSORS: [&str; 5] = ["plain", "outlier", "tail", "level", "edge"];

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn tables_are_those_of_bitsandbytes() {
    let fixture = Fixture::read();
    assert_eq!(bits(&CODEBOOK), bits(&fixture.floats("codebook")));
    assert_eq!(bits(&DYNAMIC_MAP), bits(&fixture.floats("dynamic_map")));
}

#[test]
fn codes_and_scales_are_those_of_bitsandbytes() {
    let fixture = Fixture::read();
    for name in TENSORS {
        let input = fixture.floats(&format!("{name}.input"));
        let quantized = Nf4::quantize(&input, (1, input.len()), false);
        assert!(quantized.codes() == fixture.bytes(&format!("{name}.codes")), "{name}: codes differ");
        let Scales::Plain(scales) = quantized.scales() else { panic!("plain scales") };
        assert_eq!(bits(scales), bits(&fixture.floats(&format!("{name}.absmax"))), "{name}: scales");
        if fixture.0.contains_key(&format!("{name}.dequantized")) {
            let ours =
                quantized.dequantize().and_then(|t| t.flatten_all()?.to_vec1::<f32>()).expect("values");
            let theirs = fixture.floats(&format!("{name}.dequantized"));
            let differ = ours.iter().zip(&theirs).filter(|(a, b)| a != b).count();
            assert_eq!(differ, 0, "{name}: dequantized values");
        }
    }
}

/// Given bitsandbytes' mean: torch's f32 summation order decides its last bit, ours is summed in f64.
#[test]
fn doubly_quantized_scales_are_those_of_bitsandbytes() {
    let fixture = Fixture::read();
    for name in TENSORS {
        let offset = fixture.floats(&format!("{name}.double.offset"))[0];
        let double = DoubleScales::quantize(&fixture.floats(&format!("{name}.absmax")), offset);
        assert_eq!(double.codes, fixture.bytes(&format!("{name}.double.absmax_codes")), "{name}: codes");
        let nested = fixture.floats(&format!("{name}.double.nested_absmax"));
        assert_eq!(bits(&double.nested), bits(&nested), "{name}: nested scales");

        let input = fixture.floats(&format!("{name}.input"));
        let quantized = Nf4::quantize(&input, (1, input.len()), true);
        let Scales::Double(own) = quantized.scales() else { panic!("double scales") };
        let units = (own.offset.to_bits() as i64 - offset.to_bits() as i64).abs();
        assert!(units <= 1, "{name}: the mean is {units} units in the last place off");
    }
}

/// 4 + 32/64 and 4 + 8/64 + 32/(64 x 256) bits a weight.
#[test]
fn a_weight_takes_the_bits_it_should() {
    let values: Vec<f32> = (0..1i64 << 20).map(|i| ((i * 7919) % 1000) as f32 / 500.0 - 1.0).collect();
    for (double, expected) in [(false, 4.5), (true, 4.0 + 8.0 / 64.0 + 32.0 / 16384.0)] {
        let quantized = Nf4::quantize(&values, (1024, 1024), double);
        let bits = 8.0 * quantized.bytes() as f64 / quantized.elem_count() as f64;
        assert!((bits - expected).abs() < 1e-3, "{bits} bits a weight, expected {expected}");
    }
}

/// The form of a GPU, in candle operations, against the host's: the same bits, a short last block included.
#[test]
fn the_device_form_gives_the_same_weights() {
    for (rows, columns) in [(3, 37), (64, 576), (1, 1)] {
        let values: Vec<f32> =
            (0..rows * columns).map(|i| ((i * 7919) % 1013) as f32 / 300.0 - 1.6).collect();
        for double in [false, true] {
            let host = Nf4::quantize(&values, (rows, columns), double);
            let on_device = Nf4OnDevice::new(&host, &Device::Cpu).and_then(|matrix| matrix.dequantize());
            let flat =
                |tensor: Tensor| tensor.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("values");
            let (ours, theirs) =
                (flat(on_device.expect("device form")), flat(host.dequantize().expect("host form")));
            assert_eq!(bits(&ours), bits(&theirs), "{rows} x {columns}, double {double}");
        }
    }
}
