//! Each CPU kernel, in f32 and in bf16, against its device form in f64: two programs for one formula. Rows of 1, 3, 64, 65
//! and 130 tokens, so that blocks and vector widths end everywhere; widths that are no multiple of a register.
//!
//! `TEZGAH_TEST_DEVICE=cuda` puts a card's operations in the kernels' place: `.ci/gpu-host` and `.ci/gpu-check` do.

use crate::tensors::values;
use candle_core::{DType, Device, Tensor};
use rand_chacha::rand_core::Rng;
use std::sync::LazyLock;
use tezgah::model::ops::attention::{self, Heads, Rows, attention};
use tezgah::model::ops::cross_entropy::{self, Losses, Targets, losses_with_gradient};
use tezgah::model::ops::dropout::{self, DropoutStream};
use tezgah::model::ops::lookup::lookup;
use tezgah::model::ops::low_rank::{self, LowRank};
use tezgah::model::ops::matmul::{add, add_matmul, columns, matmul, matmul_scaled, matmul_wide};
use tezgah::model::ops::rms_norm::{self, rms_norm};
use tezgah::model::ops::rope::{self, Angles, Direction, rope};
use tezgah::model::ops::swiglu::{self, swiglu};
use tezgah::random;

const LENGTHS: [usize; 5] = [1, 3, 64, 65, 130];

fn offsets() -> Vec<usize> {
    let mut offsets = vec![0];
    LENGTHS.iter().for_each(|length| offsets.push(offsets[offsets.len() - 1] + length));
    offsets
}

/// Where the f32 side is computed.
static DEVICE: LazyLock<Device> = LazyLock::new(|| {
    let name = std::env::var("TEZGAH_TEST_DEVICE").unwrap_or_else(|_| "cpu".into());
    tezgah::device::open(&name).expect("the device that was asked for").device
});

/// What a kernel reads and writes.
#[derive(Clone, Copy)]
struct Kind {
    dtype: DType,
    /// How far off it may be at least, relative to the largest: bf16 has 8 bits, and a result is rounded once or twice.
    rounding: f64,
}

impl Kind {
    const F32: Kind = Kind { dtype: DType::F32, rounding: 0.0 };
    const BF16: Kind = Kind { dtype: DType::BF16, rounding: 4e-3 };
}

/// Calls `check` in f32, and on the CPU in bf16.
fn in_both(check: impl Fn(Kind)) {
    check(Kind::F32);
    if DEVICE.is_cpu() {
        check(Kind::BF16);
    }
}

/// Calls `check` in f32, and in bf16 where the operation has a kernel of its own for it.
fn in_both_on_cards(check: impl Fn(Kind)) {
    check(Kind::F32);
    if DEVICE.is_cpu() || DEVICE.is_cuda() {
        check(Kind::BF16);
    }
}

/// Rows and widths of kernels that go along rows: one row, many; widths that are no multiple of a register or of a card's
/// 16 bytes, and widths beyond what a card's block takes in one step.
const ROWS: [(usize, usize); 4] = [(70, 37), (513, 64), (1, 513), (3, 4104)];

/// Values in [-2, 2], the same in every run; of `kind`, and the same numbers in f64 on the host.
fn pair(kind: Kind, name: &str, rows: usize, width: usize) -> (Tensor, Tensor) {
    let mut generator = random::stream(7, name);
    let values: Vec<f32> =
        (0..rows * width).map(|_| (generator.next_u32() >> 8) as f32 / (1 << 22) as f32 - 2.0).collect();
    let narrow = Tensor::from_vec(values, (rows, width), &Device::Cpu)
        .and_then(|x| x.to_dtype(kind.dtype))
        .expect("matrix");
    let wide = narrow.to_dtype(DType::F64).expect("f64");
    (narrow.to_device(&DEVICE).expect("moved"), wide)
}

/// The largest difference, relative to the largest magnitude.
#[track_caller]
fn assert_close(ours: &Tensor, theirs: &Tensor, tolerance: f64) {
    assert_eq!(ours.dims(), theirs.dims(), "shapes");
    let (ours, theirs) = (values(ours), values(theirs));
    let largest = theirs.iter().fold(0f64, |top, x| top.max(x.abs()));
    assert!(largest > 0.0, "nothing to compare with");
    let worst = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0f64, f64::max) / largest;
    assert!(worst < tolerance, "{worst:.2e} apart, expected below {tolerance:.0e}");
}

#[test]
fn rms_norm_and_its_gradient() {
    in_both_on_cards(|kind| ROWS.iter().for_each(|&(rows, width)| check_rms_norm(kind, rows, width)));
}

fn check_rms_norm(kind: Kind, rows: usize, width: usize) {
    let eps = kind.rounding.max(1e-5);
    let ((x, x64), (grad, grad64)) = (pair(kind, "x", rows, width), pair(kind, "grad", rows, width));
    let ((before, before64), (w, w64)) = (pair(kind, "before", rows, width), pair(kind, "w", 1, width));
    let (w, w64) = (w.squeeze(0).expect("vector"), w64.squeeze(0).expect("vector"));
    let theirs = rms_norm::device::rms_norm(&x64, &w64, eps).expect("norm");
    assert_close(&rms_norm(&x, &w, eps).expect("norm"), &theirs, kind.rounding.max(1e-6));
    let sum64 = (&before64 + &x64).expect("sum");
    let ours = rms_norm::of_sum(before.copy().expect("copy"), &x, &w, eps).expect("norm of a sum");
    let theirs = rms_norm::device::rms_norm(&sum64, &w64, eps).expect("norm");
    assert_close(&ours.0, &sum64, kind.rounding.max(1e-6));
    assert_close(&ours.1, &theirs, 2.0 * kind.rounding.max(1e-6));
    let theirs = rms_norm::device::add_backward(before64, &x64, &w64, &grad64, eps).expect("gradient");
    assert_close(
        &rms_norm::add_backward(before, &x, &w, &grad, eps).expect("gradient"),
        &theirs,
        kind.rounding.max(1e-6),
    );
}

#[test]
fn rows_are_looked_up_bit_for_bit() {
    // The last is wider than what one block moves at once.
    for width in [1, 6, 64, 5000] {
        in_both_on_cards(|kind| check_lookup(kind, width));
    }
}

fn check_lookup(kind: Kind, width: usize) {
    let (x, _) = pair(kind, "x", 130, width);
    let places = [129u32, 0, 64, 64, 1].repeat(13);
    let y = lookup(&x, &Tensor::new(&*places, &DEVICE).expect("places")).expect("lookup");
    let (x, y) = (values(&x), values(&y));
    for (place, row) in places.iter().zip(y.chunks(width)) {
        assert_eq!(row, &x[*place as usize * width..][..width]);
    }
}

#[test]
fn rope_both_ways() {
    // Rows, heads, their width: the last takes more than one step of a card's block.
    for (rows, heads, d) in [(70, 3, 10), (513, 2, 64), (3, 40, 128)] {
        in_both_on_cards(|kind| check_rope(kind, rows, heads, d));
    }
}

fn check_rope(kind: Kind, rows: usize, heads: usize, d: usize) {
    let frequencies: Vec<f64> = (0..d / 2).map(|i| 10_000f64.powf(-2.0 * i as f64 / d as f64)).collect();
    let positions: Vec<usize> = (0..rows).map(|i| i * 29).collect();
    let angles =
        |dtype, device: &Device| Angles::new(&positions, &frequencies, dtype, device).expect("angles");
    for (direction, sign) in [(Direction::Forward, 1.0), (Direction::Backward, -1.0)] {
        let (x, x64) = pair(kind, "x", rows, (heads + 1) * d); // the last head is left alone
        let theirs = rope::device::rope(&x64, &angles(DType::F64, &Device::Cpu), heads, sign).expect("rope");
        assert_close(
            &rope(x, &angles(DType::F32, &DEVICE), heads, direction).expect("rope"),
            &theirs,
            kind.rounding.max(1e-6),
        );
    }
}

#[test]
fn swiglu_and_its_gradient() {
    in_both_on_cards(|kind| ROWS.iter().for_each(|&(rows, width)| check_swiglu(kind, rows, width)));
}

fn check_swiglu(kind: Kind, rows: usize, width: usize) {
    let ((x, x64), (grad, grad64)) = (pair(kind, "x", rows, 2 * width), pair(kind, "grad", rows, width));
    assert_close(
        &swiglu(&x).expect("swiglu"),
        &swiglu::device::swiglu(&x64).expect("swiglu"),
        kind.rounding.max(1e-6),
    );
    let theirs = swiglu::device::backward(&x64, &grad64).expect("gradient");
    assert_close(&swiglu::backward(x, &grad).expect("gradient"), &theirs, kind.rounding.max(1e-6));
}

#[test]
fn attention_and_its_gradient() {
    let heads = Heads { query: 6, key_value: 2, width: 12 };
    in_both_on_cards(|kind| check_attention(kind, &offsets(), heads));
    // A card's blocks of queries end at 512, and a head of 5 is moved number by number.
    let heads = Heads { query: 2, key_value: 1, width: 5 };
    in_both_on_cards(|kind| check_attention(kind, &[0, 1, 514, 1115], heads));
}

fn check_attention(kind: Kind, offsets: &[usize], heads: Heads) {
    let rows = offsets[offsets.len() - 1];
    let ((qkv, qkv64), (grad, grad64)) =
        (pair(kind, "qkv", rows, heads.packed_width()), pair(kind, "grad", rows, heads.query * heads.width));
    // A card rounds the probabilities and their gradient to bf16 before it multiplies them: twice more than the CPU.
    let rounding = if DEVICE.is_cpu() { kind.rounding } else { 2.0 * kind.rounding };
    let [rows, rows64] = [&*DEVICE, &Device::Cpu].map(|device| Rows::new(offsets, device).expect("rows"));
    let theirs = attention::device::attention(&qkv64, &rows64, heads).expect("attention");
    assert_close(&attention(&qkv, &rows, heads).expect("attention"), &theirs, rounding.max(2e-6));
    let theirs = attention::device::backward(&qkv64, &grad64, &rows64, heads).expect("gradient");
    let ours = attention::backward(&qkv, &grad, &rows, heads).expect("gradient");
    assert_close(&ours, &theirs, rounding.max(2e-6));
}

#[test]
fn cross_entropy_and_its_gradient() {
    let (rows, vocabulary) = (9, 1003); // three blocks of 256 and a rest
    let (x, x64) = pair(Kind::F32, "logits", rows, vocabulary);
    let targets: Vec<u32> = (0..rows as u32).map(|row| (row * 331) % vocabulary as u32).collect();
    let ours = cross_entropy::nll(&x, &targets).expect("nll");
    let theirs = cross_entropy::device::nll(&x64, &targets).expect("nll");
    assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-6), "{ours:?} {theirs:?}");
    let (ours, gradient) = cross_entropy::with_gradient(x, &targets, 0.25).expect("gradient");
    let (theirs, gradient64) = cross_entropy::device::with_gradient(&x64, &targets, 0.25).expect("gradient");
    assert!((ours - theirs).abs() < 1e-5, "{ours} {theirs}");
    assert_close(&gradient, &gradient64, 1e-6);
    if DEVICE.is_cuda() {
        check_losses_of_bf16();
    }
}

/// bf16 logits in two chunks, one of them of one row; the sum is asked for at the end.
fn check_losses_of_bf16() {
    let (rows, vocabulary) = (66, 130);
    let (x, x64) = pair(Kind::BF16, "logits", rows, vocabulary);
    let ids: Vec<u32> = (0..rows as u32).map(|row| (row * 31) % vocabulary as u32).collect();
    let (theirs, gradient64) = cross_entropy::device::with_gradient(&x64, &ids, 0.25).expect("gradient");
    let targets = Targets::new(&ids, &DEVICE).expect("targets");
    let mut losses = Losses::default();
    for (first, count) in [(0, 65), (65, 1)] {
        let logits = x.narrow(0, first, count).and_then(|x| x.copy()).expect("chunk");
        let part = targets.narrow(first, count).expect("part");
        let (of_chunk, gradient) = losses_with_gradient(logits, &part, 0.25).expect("gradient");
        losses.add(of_chunk);
        assert_close(&gradient, &gradient64.narrow(0, first, count).expect("chunk"), 4e-3);
    }
    let ours = losses.sum().expect("sum");
    assert!((ours - theirs).abs() < 1e-4, "{ours} {theirs}");
}

#[test]
fn dropout_and_its_gradient() {
    in_both(|kind| {
        let ((x, x64), (before, before64)) = (pair(kind, "x", 70, 37), pair(kind, "before", 70, 37));
        let stream = DropoutStream { rate: 0.3, seed: 1, micro_batch: 2 };
        let masks = [4, 5, 6].map(|module| stream.mask(3, module).expect("the rate is not 0"));
        // f64 operands take the device form.
        let theirs = dropout::dropout(&x64, &masks).expect("dropout");
        let ours = dropout::dropout(&x, &masks).expect("dropout");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_close(ours, theirs, kind.rounding.max(1e-6));
        }
        let through = |grad: Vec<Tensor>, before| {
            dropout::add_backward(before, grad.into_iter().map(Ok), &masks).expect("gradient")
        };
        let theirs = through(theirs, before64);
        assert_close(&through(ours, before), &theirs, 4.0 * kind.rounding.max(1e-6));
    });
}

/// Plain, transposed and narrowed operands; terms that leave columns between them alone.
#[test]
fn products() {
    in_both_on_cards(|kind| {
        let ((a, a64), (b, b64)) = (pair(kind, "a", 33, 21), pair(kind, "b", 33, 21));
        let transposed = |t: &Tensor| t.t().expect("transpose");
        let theirs = a64.matmul(&transposed(&b64)).expect("product");
        assert_close(&matmul(&a, &transposed(&b)).expect("product"), &theirs, kind.rounding.max(1e-6));
        let theirs = transposed(&a64).matmul(&b64).expect("product");
        assert_close(&matmul(&transposed(&a), &b).expect("product"), &theirs, kind.rounding.max(1e-6));

        let (c, c64) = pair(kind, "c", 33, 33);
        let theirs =
            (&c64 + (a64.matmul(&transposed(&b64)).expect("product") * 0.5).expect("scaled")).expect("sum");
        assert_close(
            &add_matmul(c, 0.5, &a, &transposed(&b)).expect("sum"),
            &theirs,
            kind.rounding.max(1e-6),
        );

        let ((y, y64), (h, h64)) = (pair(kind, "y", 33, 40), pair(kind, "h", 33, 4));
        let ((b1, b1_64), (b2, b2_64)) = (pair(kind, "b1", 7, 4), pair(kind, "b2", 11, 4));
        let terms = |hidden: &Tensor, first, second| -> Tensor {
            let y = if hidden.dtype() == DType::F64 { y64.clone() } else { y.copy().expect("copy") };
            let term =
                |columns, b: &Tensor| LowRank { columns, hidden: hidden.clone(), b: b.clone(), scale: 2.0 };
            low_rank::add(y, &[term((3, 7), first), term((20, 11), second)]).expect("sum")
        };
        assert_close(&terms(&h, &b1, &b2), &terms(&h64, &b1_64, &b2_64), kind.rounding.max(1e-6));

        assert_close(
            &columns(&y, (5, 9)).expect("view"),
            &y64.narrow(1, 5, 9).expect("view"),
            kind.rounding.max(1e-7),
        );
        let theirs = (&a64 + &b64).expect("sum");
        assert_close(&add(a, &b).expect("sum"), &theirs, kind.rounding.max(1e-6));
    });
}

/// A weight with updates of some of its columns, which begin where blocks do and elsewhere, for few rows, which read the weight
/// where it lies, and for many; and back, with and without masks.
#[test]
fn weights_of_f32_and_bf16_with_updates() {
    in_both_on_cards(|kind| {
        // A card rounds the product and the sum.
        let rounding = if DEVICE.is_cpu() { kind.rounding } else { 2.0 * kind.rounding };
        let rank = 24;
        let masks = [4, 5].map(|module| {
            DropoutStream { rate: 0.3, seed: 1, micro_batch: 2 }.mask(3, module).expect("the rate is not 0")
        });
        for (rows, inner, updates) in [(5, 64, [(0, 64), (64, 31)]), (150, 70, [(3, 7), (50, 45)])] {
            let ((x, x64), (w, w64)) = (pair(kind, "x", rows, inner), pair(kind, "w", 101, inner));
            let (h, h64) = pair(kind, "h", rows, rank);
            let bs = updates.map(|(_, count)| pair(kind, "b", count, rank));
            let y = |x: &Tensor, w: &Tensor, h: &Tensor, bs: [&Tensor; 2]| {
                let term = |(columns, b): (_, &Tensor)| LowRank {
                    columns,
                    hidden: h.clone(),
                    b: b.clone(),
                    scale: 2.0,
                };
                low_rank::forward(x, w, &updates.into_iter().zip(bs).map(term).collect::<Vec<_>>())
                    .expect("y")
            };
            let theirs = y(&x64, &w64, &h64, [&bs[0].1, &bs[1].1]);
            assert_close(&y(&x, &w, &h, [&bs[0].0, &bs[1].0]), &theirs, rounding.max(1e-6));

            let ((grad_y, grad_y64), (a, a64)) = (pair(kind, "dy", rows, 101), pair(kind, "a", rank, inner));
            for masks in [&masks[..], &[]] {
                let back = |grad_y: &Tensor, w: &Tensor, h: &Tensor, a: &Tensor| {
                    let terms = [(h.clone(), a.clone()), (h.clone(), a.clone())];
                    low_rank::backward(grad_y, w, &terms, masks).expect("gradient")
                };
                let theirs = back(&grad_y64, &w64, &h64, &a64);
                assert_close(&back(&grad_y, &w, &h, &a), &theirs, rounding.max(2e-6));
            }
        }
    });
}

/// Every way into a product of bf16: each operand lying along its rows or its columns, of either type, into either type;
/// sizes that fill blocks of 32, that leave a rest, and a few rows of a weight, which is then read where it lies.
#[test]
fn products_of_bf16() {
    if !DEVICE.is_cpu() && !DEVICE.is_cuda() {
        return; // candle multiplies what is of one type
    }
    let small = [(1, 32, 64), (3, 64, 96), (33, 21, 65), (64, 96, 32), (70, 40, 130), (200, 100, 33)];
    // An inner size of three pieces, more columns than wait for the next piece at once, and an inner size of two products.
    let cut = [(70, 2080, 130), (70, 2080, 2600), (33, 4130, 40)].into_iter().filter(|_| DEVICE.is_cpu());
    for (m, k, n) in small.into_iter().chain(cut) {
        let rounding = 1e-6 + 1e-9 * k as f64;
        let lying = |name: &str, rows, columns, along_columns: bool, dtype| {
            let (x, wide) = match along_columns {
                false => pair(Kind::BF16, name, rows, columns),
                true => {
                    let (x, wide) = pair(Kind::BF16, name, columns, rows);
                    (x.t().expect("view"), wide.t().expect("view"))
                }
            };
            (x.to_dtype(dtype).expect("type"), wide)
        };
        for (turned_a, turned_b, wide_b) in
            [(false, false, false), (false, true, false), (true, false, true), (true, true, true)]
        {
            let (a, a64) = lying("a", m, k, turned_a, DType::BF16);
            let (b, b64) = lying("b", k, n, turned_b, if wide_b { DType::F32 } else { DType::BF16 });
            let theirs = a64.matmul(&b64).expect("product");
            assert_close(&matmul(&a, &b).expect("product"), &theirs, 4e-3);
            if DEVICE.is_cpu() {
                assert_close(&matmul_wide(&a, &b).expect("product"), &theirs, rounding);
            }
            let scaled = (&theirs * 0.25).expect("scaled");
            assert_close(&matmul_scaled(0.25, &a, &b).expect("product"), &scaled, 4e-3);
            let (c, c64) = pair(Kind::F32, "c", m, n);
            let sum = (c64 + (theirs * 0.5).expect("scaled")).expect("sum");
            assert_close(&add_matmul(c, 0.5, &a, &b).expect("sum"), &sum, rounding);
        }
    }
}
