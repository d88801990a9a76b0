//! Time of each operation at SmolLM2-135M's shapes, the CPU kernel beside the same formula in candle operations.
//!
//!     cargo bench --profile dev --bench ops            all
//!     cargo bench --profile dev --bench ops -- attention

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};
use divan::{Bencher, black_box, counter::ItemsCount};
use tezgah::model::files::nf4::Nf4;
use tezgah::model::ops::attention::{self, Heads, Rows, attention};
use tezgah::model::ops::cross_entropy;
use tezgah::model::ops::dropout::{DropoutStream, dropout};
use tezgah::model::ops::matmul::matmul;
use tezgah::model::ops::rms_norm::{self, rms_norm};
use tezgah::model::ops::rope::{self, Angles, Direction, rope};
use tezgah::model::ops::swiglu::{self, swiglu};

const TOKENS: usize = 2048;
const HIDDEN: usize = 576;
const MLP: usize = 1536;
const VOCABULARY: usize = 49152;
const HEADS: Heads = Heads { query: 9, key_value: 3, width: 64 };

fn main() {
    tezgah::device::open("cpu").expect("the CPU"); // sets the allocator up as a run does
    divan::main();
}

/// Values in [-1, 1) without a pattern that a kernel could profit from.
fn matrix(rows: usize, width: usize) -> Tensor {
    let value = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0;
    let values: Vec<f32> = (0..rows * width).map(value).collect();
    Tensor::from_vec(values, (rows, width), &Device::Cpu).expect("matrix")
}

fn tokens(bencher: Bencher, run: impl Fn() -> candle_core::Result<Tensor> + Sync) {
    bencher.counter(ItemsCount::new(TOKENS)).bench(|| black_box(run().expect("operation")));
}

#[divan::bench_group]
mod norm {
    use super::*;

    #[divan::bench]
    fn kernel(bencher: Bencher) {
        let (x, w) = (matrix(TOKENS, HIDDEN), matrix(1, HIDDEN).squeeze(0).expect("vector"));
        tokens(bencher, || rms_norm(&x, &w, 1e-5));
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        let (x, w) = (matrix(TOKENS, HIDDEN), matrix(1, HIDDEN).squeeze(0).expect("vector"));
        tokens(bencher, || rms_norm::device::rms_norm(&x, &w, 1e-5));
    }
}

#[divan::bench_group]
mod rotation {
    use super::*;

    fn angles() -> Angles {
        let frequencies: Vec<f64> = (0..32).map(|i| 10_000f64.powf(-(i as f64) / 32.0)).collect();
        let positions: Vec<usize> = (0..TOKENS).collect();
        Angles::new(&positions, &frequencies, DType::F32, &Device::Cpu).expect("angles")
    }

    #[divan::bench]
    fn kernel(bencher: Bencher) {
        // In place: every run turns the same matrix further.
        let (x, angles) = (matrix(TOKENS, HEADS.packed_width()), angles());
        tokens(bencher, || rope(x.clone(), &angles, 12, Direction::Forward));
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        let (x, angles) = (matrix(TOKENS, HEADS.packed_width()), angles());
        tokens(bencher, || rope::device::rope(&x, &angles, 12, 1.0));
    }
}

#[divan::bench_group]
mod gated {
    use super::*;

    #[divan::bench]
    fn kernel(bencher: Bencher) {
        let x = matrix(TOKENS, 2 * MLP);
        tokens(bencher, || swiglu(&x));
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        let x = matrix(TOKENS, 2 * MLP);
        tokens(bencher, || swiglu::device::swiglu(&x));
    }
}

/// Rows of so many tokens, 2048 in all.
#[divan::bench_group]
mod attending {
    use super::*;

    fn rows(length: usize) -> Rows {
        let offsets: Vec<usize> = (0..=TOKENS).step_by(length).collect();
        Rows::new(&offsets, &Device::Cpu).expect("rows")
    }

    #[divan::bench(args = [128, 512, 2048])]
    fn kernel(bencher: Bencher, length: usize) {
        let (qkv, rows) = (matrix(TOKENS, HEADS.packed_width()), rows(length));
        tokens(bencher, || attention(&qkv, &rows, HEADS));
    }

    #[divan::bench(args = [128, 512, 2048])]
    fn candle(bencher: Bencher, length: usize) {
        let (qkv, rows) = (matrix(TOKENS, HEADS.packed_width()), rows(length));
        tokens(bencher, || attention::device::attention(&qkv, &rows, HEADS));
    }

    #[divan::bench(args = [128, 512, 2048])]
    fn kernel_backward(bencher: Bencher, length: usize) {
        let (qkv, rows) = (matrix(TOKENS, HEADS.packed_width()), rows(length));
        let grad = matrix(TOKENS, HEADS.query * HEADS.width);
        tokens(bencher, || attention::backward(&qkv, &grad, &rows, HEADS));
    }

    #[divan::bench(args = [128, 512, 2048])]
    fn candle_backward(bencher: Bencher, length: usize) {
        let (qkv, rows) = (matrix(TOKENS, HEADS.packed_width()), rows(length));
        let grad = matrix(TOKENS, HEADS.query * HEADS.width);
        tokens(bencher, || attention::device::backward(&qkv, &grad, &rows, HEADS));
    }
}

/// A chunk of 256 rows.
#[divan::bench_group]
mod loss {
    use super::*;

    fn targets() -> Vec<u32> {
        (0..256).map(|row| row * 191).collect()
    }

    #[divan::bench]
    fn kernel(bencher: Bencher) {
        let (logits, targets) = (matrix(256, VOCABULARY), targets());
        bencher.counter(ItemsCount::new(256usize)).bench(|| cross_entropy::nll(&logits, &targets));
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        let (logits, targets) = (matrix(256, VOCABULARY), targets());
        bencher.counter(ItemsCount::new(256usize)).bench(|| cross_entropy::device::nll(&logits, &targets));
    }
}

#[divan::bench]
fn dropping(bencher: Bencher) {
    let x = matrix(TOKENS, HIDDEN);
    let mask = DropoutStream { rate: 0.05, seed: 1, micro_batch: 0 }.mask(0, 0).expect("the rate is not 0");
    tokens(bencher, || dropout(&x, &[mask]).map(|mut seen| seen.remove(0)));
}

#[divan::bench_group]
mod product {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        let (x, w) = (matrix(TOKENS, HIDDEN), matrix(2 * MLP, HIDDEN));
        tokens(bencher, || matmul(&x, &w.t()?));
    }

    #[divan::bench]
    fn candle(bencher: Bencher) {
        let (x, w) = (matrix(TOKENS, HIDDEN), matrix(2 * MLP, HIDDEN));
        tokens(bencher, || x.matmul(&w.t()?));
    }
}

/// Gate and up of one layer to f32; items are weights.
#[divan::bench_group]
mod dequantizing {
    use super::*;

    const WEIGHTS: usize = 2 * MLP * HIDDEN;

    #[divan::bench(args = [false, true])]
    fn nf4(bencher: Bencher, double: bool) {
        let values = matrix(2 * MLP, HIDDEN).flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("values");
        let matrix = Nf4::quantize(&values, (2 * MLP, HIDDEN), double);
        bencher.counter(ItemsCount::new(WEIGHTS)).bench(|| matrix.dequantize());
    }

    #[divan::bench(args = ["q4_0", "q4_1", "q8_0"])]
    fn candle(bencher: Bencher, name: &str) {
        let dtype = match name {
            "q4_0" => GgmlDType::Q4_0,
            "q4_1" => GgmlDType::Q4_1,
            _ => GgmlDType::Q8_0,
        };
        let matrix = QTensor::quantize(&matrix(2 * MLP, HIDDEN), dtype).expect("quantized");
        bencher.counter(ItemsCount::new(WEIGHTS)).bench(|| matrix.dequantize(&Device::Cpu));
    }
}
