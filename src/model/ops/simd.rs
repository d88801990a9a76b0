//! Loops that the compiler vectorizes for the widest instructions of the running machine.

use super::Element;

/// Runs `kernel` compiled for the machine's instruction set.
///
/// The closure must be `#[inline(always)]` where it is not trivially inlined: only what is inlined
/// into the dispatched function gets its instructions.
#[inline(always)]
pub(crate) fn dispatch<R>(kernel: impl FnOnce() -> R) -> R {
    struct Inlined<F>(F);
    impl<R, F: FnOnce() -> R> pulp::NullaryFnOnce for Inlined<F> {
        type Output = R;
        #[inline(always)]
        fn call(self) -> R {
            (self.0)()
        }
    }
    pulp::Arch::new().dispatch(Inlined(kernel))
}

/// Partial sums of a reduction: enough independent chains to fill a 512-bit register.
pub(super) const LANES: usize = 16;

/// A register's worth of numbers, widened.
#[inline(always)]
pub(super) fn load<E: Element>(values: &[E; LANES]) -> [f32; LANES] {
    values.map(E::wide)
}

/// A register's worth of numbers, narrowed.
#[inline(always)]
pub(super) fn store<E: Element>(values: [f32; LANES], to: &mut [E; LANES]) {
    *to = values.map(E::narrowed);
}

/// Sum of a[i] b[i].
#[inline(always)]
pub(super) fn dot<E: Element>(a: &[E], b: &[E]) -> f32 {
    let (mut sums, mut rest) = ([0f32; LANES], 0f32);
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (x, y) in a.remainder().iter().zip(b.remainder()) {
        rest += x.wide() * y.wide();
    }
    for (x, y) in a.zip(b) {
        for lane in 0..LANES {
            sums[lane] += x[lane].wide() * y[lane].wide();
        }
    }
    rest + sums.iter().sum::<f32>()
}

/// Sum of a[i] b[i] c[i].
#[inline(always)]
pub(super) fn dot3<E: Element>(a: &[E], b: &[E], c: &[E]) -> f32 {
    let (mut sums, mut rest) = ([0f32; LANES], 0f32);
    let (a, b, c) = (a.chunks_exact(LANES), b.chunks_exact(LANES), c.chunks_exact(LANES));
    for ((x, y), z) in a.remainder().iter().zip(b.remainder()).zip(c.remainder()) {
        rest += x.wide() * y.wide() * z.wide();
    }
    for ((x, y), z) in a.zip(b).zip(c) {
        for lane in 0..LANES {
            sums[lane] += x[lane].wide() * y[lane].wide() * z[lane].wide();
        }
    }
    rest + sums.iter().sum::<f32>()
}

/// The largest value; what it makes of a NaN is unspecified, the sum of exponentials shows it.
#[inline(always)]
pub(super) fn maximum(values: &[f32]) -> f32 {
    let (mut tops, chunks) = ([f32::MIN; LANES], values.chunks_exact(LANES));
    let rest = chunks.remainder().iter().fold(f32::MIN, |top, &x| if top > x { top } else { x });
    for chunk in chunks {
        for lane in 0..LANES {
            tops[lane] = if tops[lane] > chunk[lane] { tops[lane] } else { chunk[lane] };
        }
    }
    tops.iter().fold(rest, |top, &x| if top > x { top } else { x })
}

/// exp(x) to about 2 units in the last place, for x in [-87, 88]; beyond it saturates, and a NaN stays one.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2; exp(r) by a degree-6 minimax polynomial (Cephes' expf, S. Moshier),
/// 2^n by shifting n into the exponent. Adding 1.5 * 2^23 rounds to an integer and leaves it in
/// the mantissa, so there is no conversion for the vectorizer to stumble on.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two pieces: n times the first is exact.
    let r = x - n * 0.693_359_4;
    let r = r + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4_f32;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 0.166_666_66;
    let p = p * r + 0.5;
    let exp_r = p * r * r + r + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127);
    f32::from_bits(exponent << 23) * exp_r
}

/// Replaces each x by exp(x - shift) and returns their sum.
#[inline(always)]
pub(super) fn exp_in_place(values: &mut [f32], shift: f32) -> f32 {
    let (mut sums, mut rest) = ([0f32; LANES], 0f32);
    let mut chunks = values.chunks_exact_mut(LANES);
    for chunk in &mut chunks {
        for lane in 0..LANES {
            let e = exp(chunk[lane] - shift);
            chunk[lane] = e;
            sums[lane] += e;
        }
    }
    for x in chunks.into_remainder() {
        *x = exp(*x - shift);
        rest += *x;
    }
    rest + sums.iter().sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_the_standard_library() {
        for i in -8700..=8800 {
            let x = i as f32 / 100.0;
            let (ours, theirs) = (exp(x) as f64, (x as f64).exp());
            assert!((ours / theirs - 1.0).abs() < 3e-7, "exp({x}) = {ours}, expected {theirs}");
        }
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }
}
