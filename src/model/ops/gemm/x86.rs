//! The instructions of the innermost loop: AMX tiles, AVX-512's pairs of bf16.

use super::block::{Line, Rows, SIDE, STEP, Sums, TILE};
use std::arch::asm;
use std::arch::x86_64::*;

/// What AMX tiles are configured to: eight tiles of 16 rows of 64 bytes.
#[repr(C, align(64))]
struct TileConfig {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    columns: [u16; 16],
    rows: [u8; 16],
}

const CONFIG: TileConfig = {
    let (mut columns, mut rows, mut tile) = ([0; 16], [0; 16], 0);
    while tile < 8 {
        (columns[tile], rows[tile]) = (64, TILE as u8);
        tile += 1;
    }
    TileConfig { palette: 1, start_row: 0, reserved: [0; 14], columns, rows }
};

pub(super) fn with_tiles<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: AMX was found and permitted; the configuration is one of the palette's.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &CONFIG, options(nostack, readonly)) };
    let result = work();
    // SAFETY: as above; what the tiles hold is no longer needed.
    unsafe { asm!("tilerelease", options(nostack, nomem)) };
    result
}

/// The block at `$from`; in each step `$ask` and `$ask_more` ask for some of what lies at `$next`.
macro_rules! block_of_tiles {
    ($a:ident, $b:ident, $steps:ident, $from:ident, $sums:ident, $next:expr, $ask:literal, $ask_more:literal) => {
        asm!(
            "mov {line}, 128",
            "tileloadd tmm0, [{from} + {line}]",
            "tileloadd tmm1, [{from} + {line} + 64]",
            "tileloadd tmm2, [{from} + {line} + 2048]",
            "tileloadd tmm3, [{from} + {line} + 2112]",
            "mov {line}, 64",
            "2:",
            "tileloadd tmm4, [{upper} + {row}]",
            "tileloadd tmm6, [{b} + {line}]",
            "tileloadd tmm5, [{lower} + {row}]",
            $ask,
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{b} + {line} + 1024]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            $ask_more,
            "add {upper}, {step}",
            "add {lower}, {step}",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "add {b}, 2048",
            "add {next}, 2048",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "dec {steps}",
            "jnz 2b",
            "mov {line}, 128",
            "tilestored [{sums} + {line}], tmm0",
            "tilestored [{sums} + {line} + 64], tmm1",
            "tilestored [{sums} + {line} + 2048], tmm2",
            "tilestored [{sums} + {line} + 2112], tmm3",
            upper = inout(reg) $a.first => _,
            lower = inout(reg) $a.first.add($a.half) => _,
            next = inout(reg) $next => _,
            row = in(reg) $a.row,
            step = in(reg) $a.step,
            b = inout(reg) $b => _,
            line = out(reg) _,
            from = in(reg) $from,
            steps = inout(reg) $steps => _,
            sums = in(reg) $sums.0.as_mut_ptr(),
            options(nostack),
        )
    };
}

/// # Safety
/// As [`Bf16Instructions::block`].
pub(super) unsafe fn block_of_tiles(
    a: Rows,
    b: *const Line,
    steps: usize,
    from: *const Sums,
    sums: &mut Sums,
) {
    // SAFETY: 16 rows of 64 bytes are read at each of four places of a step, and `steps` steps are there; the sums are 32 rows of
    // 128 bytes. To ask for memory reads nothing that the program would see.
    unsafe {
        match a.next {
            None => block_of_tiles!(a, b, steps, from, sums, a.first, "", ""),
            // A step of a panel without gaps is as long as 32 lines of the cache.
            Some(next) => block_of_tiles!(
                a,
                b,
                steps,
                from,
                sums,
                next,
                ".irp line,0,64,128,192,256,320,384,448,512,576,640,704,768,832,896,960\nprefetcht1 [{next} + \\line]\n.endr",
                ".irp line,1024,1088,1152,1216,1280,1344,1408,1472,1536,1600,1664,1728,1792,1856,1920,1984\nprefetcht1 [{next} + \\line]\n.endr"
            ),
        }
    }
}

/// 16 x 16 numbers of 32 bits, whose lines lie `stride` apart.
///
/// # Safety
/// They must be there.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn transpose(first: *mut f32, stride: usize) {
    // SAFETY: as the caller promises.
    let mut lines: [__m512; TILE] =
        std::array::from_fn(|line| unsafe { _mm512_loadu_ps(first.add(line * stride)) });
    // Pairs of lines, then fours: each 128 bits hold four lines' numbers of one column.
    for four in lines.chunks_exact_mut(4) {
        let (low, high) = (_mm512_unpacklo_ps(four[0], four[1]), _mm512_unpackhi_ps(four[0], four[1]));
        let (low_next, high_next) =
            (_mm512_unpacklo_ps(four[2], four[3]), _mm512_unpackhi_ps(four[2], four[3]));
        let pd = _mm512_castps_pd;
        let ps = _mm512_castpd_ps;
        four[0] = ps(_mm512_unpacklo_pd(pd(low), pd(low_next)));
        four[1] = ps(_mm512_unpackhi_pd(pd(low), pd(low_next)));
        four[2] = ps(_mm512_unpacklo_pd(pd(high), pd(high_next)));
        four[3] = ps(_mm512_unpackhi_pd(pd(high), pd(high_next)));
    }
    for column in 0..4 {
        let [a, b, c, d] = [0, 4, 8, 12].map(|four| lines[four + column]);
        let even = _mm512_shuffle_f32x4::<0x88>(a, b);
        let odd = _mm512_shuffle_f32x4::<0xdd>(a, b);
        let even_next = _mm512_shuffle_f32x4::<0x88>(c, d);
        let odd_next = _mm512_shuffle_f32x4::<0xdd>(c, d);
        let turned = [
            (column, _mm512_shuffle_f32x4::<0x88>(even, even_next)),
            (column + 8, _mm512_shuffle_f32x4::<0xdd>(even, even_next)),
            (column + 4, _mm512_shuffle_f32x4::<0x88>(odd, odd_next)),
            (column + 12, _mm512_shuffle_f32x4::<0xdd>(odd, odd_next)),
        ];
        for (line, numbers) in turned {
            // SAFETY: as the caller promises.
            unsafe { _mm512_storeu_ps(first.add(line * stride), numbers) };
        }
    }
}

/// Rows whose sums fit in the registers: 8 x 2 of 32.
const ROWS: usize = 8;

/// # Safety
/// As [`Bf16Instructions::block`].
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn block_of_pairs(
    a: Rows,
    b: *const Line,
    steps: usize,
    from: *const Sums,
    sums: &mut Sums,
) {
    for first in (0..SIDE).step_by(ROWS) {
        // SAFETY: the sums are 32 rows of 32.
        let earlier = |row: usize, half: usize| unsafe {
            _mm512_loadu_ps(from.cast::<f32>().add((first + row) * SIDE + half * TILE))
        };
        let mut sum: [[__m512; 2]; ROWS] = std::array::from_fn(|row| [earlier(row, 0), earlier(row, 1)]);
        // SAFETY: the same reads as a block of tiles makes, a pair and a line of 16 pairs at a time.
        unsafe {
            let rows = a.first.add(first / TILE * a.half + first % TILE * a.row);
            for step in 0..steps {
                let (rows, b) = (rows.add(step * a.step), b.add(step * STEP));
                for pair in 0..TILE {
                    let line = |half: usize| {
                        let line = b.add(half * TILE + pair);
                        std::mem::transmute::<__m512i, __m512bh>(_mm512_loadu_si512(line.cast()))
                    };
                    let columns = [line(0), line(1)];
                    for (row, sum) in sum.iter_mut().enumerate() {
                        let numbers = rows.add(row * a.row).cast::<i32>().add(pair).read_unaligned();
                        let numbers = std::mem::transmute::<__m512i, __m512bh>(_mm512_set1_epi32(numbers));
                        sum[0] = _mm512_dpbf16_ps(sum[0], numbers, columns[0]);
                        sum[1] = _mm512_dpbf16_ps(sum[1], numbers, columns[1]);
                    }
                }
            }
            for (row, sum) in sum.iter().enumerate() {
                let to = sums.0.as_mut_ptr().add((first + row) * SIDE);
                _mm512_storeu_ps(to, sum[0]);
                _mm512_storeu_ps(to.add(TILE), sum[1]);
            }
        }
    }
}
