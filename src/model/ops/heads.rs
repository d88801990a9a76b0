//! How attention's columns divide into heads, and its rows into blocks where a device computes it.

use candle_core::{Result, Tensor};

/// Queries of one block on a device: larger than on a CPU, since each block costs launches.
pub(crate) const QUERIES: usize = 512;

/// A GPU's bf16 products want rows of 16 bytes: rows are as long as the next multiple of this.
pub(crate) const PADDED_TO: usize = 8;

/// How the columns of a packed (N, (heads + 2 key_value_heads) D) matrix divide into heads: all queries, then
/// all keys, then all values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// Query heads.
    pub query: usize,
    /// Key and value heads; each serves query / key_value query heads.
    pub key_value: usize,
    /// Width of a head.
    pub width: usize,
}

impl Heads {
    /// Columns of the packed matrix.
    pub fn packed_width(self) -> usize {
        (self.query + 2 * self.key_value) * self.width
    }

    /// Query heads that look at one key head.
    pub(super) fn group(self) -> usize {
        self.query / self.key_value
    }

    /// What scores are multiplied by.
    pub(super) fn scale(self) -> f64 {
        1.0 / (self.width as f64).sqrt()
    }

    /// First columns of key head `index` and of value head `index`.
    pub(super) fn key_value_columns(self, index: usize) -> (usize, usize) {
        ((self.query + index) * self.width, (self.query + self.key_value + index) * self.width)
    }
}

/// First query of each block and their number.
pub(super) fn blocks(longest: usize) -> impl DoubleEndedIterator<Item = (usize, usize)> {
    (0..longest).step_by(QUERIES).map(move |first| (first, QUERIES.min(longest - first)))
}

/// (groups, group, count, D) -> (groups, group x count, D)
pub(super) fn flat(x: &Tensor) -> Result<Tensor> {
    let (groups, group, count, d) = x.dims4()?;
    x.contiguous()?.reshape((groups, group * count, d))
}
