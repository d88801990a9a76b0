//! Does one operation on a device some times, for a counter outside to look at: benches/gpu.py.
//!
//!     cargo run --features cuda --example device_operations -- NAME TIMES
//!
//! Without arguments it lists the names. bf16, at SmolLM2-135M's shapes: 4 rows of 128 tokens.

use anyhow::Context;
use candle_core::{DType, Device, Result, Tensor};
use tezgah::model::files::nf4::Nf4;
use tezgah::model::files::nf4::device::Nf4OnDevice;
use tezgah::model::ops::attention::{self, Heads, Rows, attention};
use tezgah::model::ops::cross_entropy;
use tezgah::model::ops::dropout::{DropoutMask, DropoutStream, add_backward, dropout};
use tezgah::model::ops::low_rank::{self, LowRank};
use tezgah::model::ops::matmul::{add_matmul, matmul};
use tezgah::model::ops::rms_norm::{self, rms_norm};
use tezgah::model::ops::rope::{Angles, Direction, rope};
use tezgah::model::ops::swiglu::{self, swiglu};

const TOKENS: usize = 512;
const OFFSETS: [usize; 5] = [0, 128, 256, 384, 512];
const HIDDEN: usize = 576;
const MLP: usize = 1536;
const RANK: usize = 128;
const VOCABULARY: usize = 49152;
const HEADS: Heads = Heads { query: 9, key_value: 3, width: 64 };

fn matrix(device: &Device, rows: usize, width: usize) -> Result<Tensor> {
    let value = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0;
    let values: Vec<f32> = (0..rows * width).map(value).collect();
    Tensor::from_vec(values, (rows, width), &Device::Cpu)?.to_device(device)?.to_dtype(DType::BF16)
}

/// An operation with its operands, which are on the device before it is done for the first time.
type Operation = Box<dyn Fn() -> Result<()>>;
/// Puts the operands there.
type Prepared = fn(&Device) -> Result<Operation>;

fn operation(run: impl Fn() -> Result<Tensor> + 'static) -> Result<Operation> {
    Ok(Box::new(move || run().map(drop)))
}

/// Those of queries, keys and values.
fn masks() -> [DropoutMask; 3] {
    let stream = DropoutStream { rate: 0.05, seed: 1, micro_batch: 0 };
    [0, 1, 2].map(|module| stream.mask(0, module).expect("the rate is not 0"))
}

#[rustfmt::skip] // an operation a line or two, as a table is read
const OPERATIONS: [(&str, Prepared); 16] = [
    ("rms_norm", |device| {
        let (x, w) = (matrix(device, TOKENS, HIDDEN)?, matrix(device, 1, HIDDEN)?.squeeze(0)?);
        operation(move || rms_norm(&x, &w, 1e-5))
    }),
    ("rms_norm of a sum", |device| {
        let (x, w) = (matrix(device, TOKENS, HIDDEN)?, matrix(device, 1, HIDDEN)?.squeeze(0)?);
        operation(move || Ok(rms_norm::of_sum(x.clone(), &x, &w, 1e-5)?.1))
    }),
    ("rms_norm, backward", |device| {
        let (x, w) = (matrix(device, TOKENS, HIDDEN)?, matrix(device, 1, HIDDEN)?.squeeze(0)?);
        operation(move || rms_norm::add_backward(x.clone(), &x, &w, &x, 1e-5))
    }),
    ("rope", |device| {
        let positions: Vec<usize> = (0..TOKENS).map(|token| token % 128).collect();
        let frequencies: Vec<f64> = (0..32).map(|i| 10_000f64.powf(-(i as f64) / 32.0)).collect();
        let angles = Angles::new(&positions, &frequencies, DType::BF16, device)?;
        let x = matrix(device, TOKENS, HEADS.packed_width())?;
        operation(move || rope(x.clone(), &angles, HEADS.query + HEADS.key_value, Direction::Forward))
    }),
    ("attention", |device| {
        let (qkv, rows) = (matrix(device, TOKENS, HEADS.packed_width())?, Rows::new(&OFFSETS, device)?);
        operation(move || attention(&qkv, &rows, HEADS))
    }),
    ("attention, backward", |device| {
        let (qkv, grad) = (matrix(device, TOKENS, HEADS.packed_width())?, matrix(device, TOKENS, HIDDEN)?);
        let rows = Rows::new(&OFFSETS, device)?;
        operation(move || attention::backward(&qkv, &grad, &rows, HEADS))
    }),
    ("swiglu", |device| {
        let x = matrix(device, TOKENS, 2 * MLP)?;
        operation(move || swiglu(&x))
    }),
    ("swiglu, backward", |device| {
        let (x, grad) = (matrix(device, TOKENS, 2 * MLP)?, matrix(device, TOKENS, MLP)?);
        operation(move || swiglu::backward(x.clone(), &grad))
    }),
    ("product of a projection", |device| {
        let (x, w) = (matrix(device, TOKENS, HIDDEN)?, matrix(device, 2 * MLP, HIDDEN)?);
        operation(move || matmul(&x, &w.t()?))
    }),
    ("LoRA's update of two projections", |device| {
        let (y, hidden) = (matrix(device, TOKENS, 2 * MLP)?, matrix(device, TOKENS, RANK)?);
        let b = matrix(device, MLP, RANK)?;
        operation(move || {
            let term = |first| LowRank { columns: (first, MLP), hidden: hidden.clone(), b: b.clone(), scale: 2.0 };
            low_rank::add(y.clone(), &[term(0), term(MLP)])
        })
    }),
    ("product added", |device| {
        let (c, a, b) = (matrix(device, TOKENS, HIDDEN)?, matrix(device, TOKENS, RANK)?, matrix(device, RANK, HIDDEN)?);
        operation(move || add_matmul(c.clone(), 1.0, &a, &b))
    }),
    ("dropout for three projections", |device| {
        let (x, masks) = (matrix(device, TOKENS, HIDDEN)?, masks());
        operation(move || Ok(dropout(&x, &masks)?.remove(0)))
    }),
    ("dropout for three projections, backward", |device| {
        let (sum, x, masks) = (matrix(device, TOKENS, HIDDEN)?, matrix(device, TOKENS, HIDDEN)?, masks());
        operation(move || add_backward(sum.clone(), masks.iter().map(|_| Ok(x.clone())), &masks))
    }),
    ("NF4 double to f32", |device| {
        let values: Vec<f32> = (0..MLP * HIDDEN).map(|i| (i as f32).sin()).collect();
        let matrix = Nf4OnDevice::new(&Nf4::quantize(&values, (MLP, HIDDEN), true), device)?;
        operation(move || matrix.dequantize())
    }),
    ("cross-entropy of 256 rows", |device| {
        let logits = matrix(device, 256, VOCABULARY)?;
        Ok(Box::new(move || cross_entropy::nll(&logits, &[7; 256]).map(drop)))
    }),
    ("cross-entropy of 256 rows, with gradient", |device| {
        let logits = matrix(device, 256, VOCABULARY)?;
        operation(move || Ok(cross_entropy::with_gradient(logits.clone(), &[7; 256], 1.0)?.1))
    }),
];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, times] = arguments.as_slice() else {
        OPERATIONS.iter().for_each(|(name, _)| println!("{name}"));
        return Ok(());
    };
    let (_, prepare) =
        OPERATIONS.iter().find(|(other, _)| other == name).context("no operation of that name")?;
    let device = tezgah::device::open("cuda")?.device;
    let operation = prepare(&device)?;
    for _ in 0..times.parse::<usize>().context("TIMES is no whole number")? {
        operation()?;
    }
    Ok(device.synchronize()?)
}
