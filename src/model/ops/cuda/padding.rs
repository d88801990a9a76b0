//! `padding.cu`: rows of a batch side by side, as batched products take them.

use super::{Argument, Launch, address, launch, ptx, suffix, unwritten};
use crate::model::ops::heads::PADDED_TO;
use candle_core::{Device, Result, Tensor, bail};

const THREADS: u32 = 128;

/// The rows of a batch, padded to one length.
pub(crate) struct Grid {
    /// How many.
    pub(in crate::model::ops) rows: usize,
    /// Tokens of each with its padding.
    pub(in crate::model::ops) longest: usize,
    /// Tokens without padding.
    tokens: usize,
    /// Where the rows begin among the packed tokens, one more than rows; u32.
    pub(in crate::model::ops) offsets: Tensor,
}

impl Grid {
    /// Of rows that begin at `offsets`, which are uploaded to the card.
    ///
    /// # Errors
    /// Offsets that fall, or are more than 32 bits hold; a card without memory left.
    pub(crate) fn new(offsets: &[usize], card: &Device) -> Result<Self> {
        let longest = offsets.windows(2).map(|row| row[1].saturating_sub(row[0])).max().unwrap_or(0);
        let tokens = offsets.last().copied().unwrap_or(0);
        if !offsets.is_sorted() || offsets.first() != Some(&0) || u32::try_from(tokens).is_err() {
            bail!("rows do not begin at {offsets:?}");
        }
        let begins: Vec<u32> = offsets.iter().map(|&offset| offset as u32).collect();
        Ok(Grid {
            rows: begins.len() - 1,
            longest: longest.next_multiple_of(PADDED_TO),
            tokens,
            offsets: Tensor::new(begins, card)?,
        })
    }

    /// Packed tokens as parts of so many heads each: one part, or queries, keys and values.
    ///
    /// # Shapes
    /// (N, heads of all parts x D) -> (rows, heads, longest, D) a part
    ///
    /// # Errors
    /// A width that is not that of the heads; a card without memory left.
    pub(in crate::model::ops) fn split(
        &self,
        packed: &Tensor,
        heads: &[usize],
        width: usize,
    ) -> Result<Vec<Tensor>> {
        if packed.dims() != [self.tokens, heads.iter().sum::<usize>() * width] {
            bail!("{:?} for {} tokens of {heads:?} heads of {width}", packed.shape(), self.tokens);
        }
        let packed = packed.contiguous()?;
        let device = packed.device().as_cuda_device()?;
        let part =
            |&heads: &usize| unwritten((self.rows, heads, self.longest, width), packed.dtype(), device);
        let parts: Vec<Tensor> = heads.iter().map(part).collect::<Result<_>>()?;
        let mut places = vec![address(&packed)?];
        places.extend(addresses(&parts)?);
        self.launch("split", &packed, heads, &places, width)?;
        Ok(parts)
    }

    /// The inverse of [`Grid::split`], from contiguous parts.
    ///
    /// # Errors
    /// Parts of other sizes; a card without memory left.
    pub(in crate::model::ops) fn join(
        &self,
        parts: &[Tensor],
        heads: &[usize],
        width: usize,
    ) -> Result<Tensor> {
        let [first, ..] = parts else { bail!("no part to join") };
        for (part, heads) in parts.iter().zip(heads) {
            let count = self.rows * heads * self.longest * width;
            if part.elem_count() != count || part.dtype() != first.dtype() {
                bail!("{:?} for {} rows of {heads} heads of {width}", part.shape(), self.rows);
            }
        }
        let columns = heads.iter().sum::<usize>() * width;
        let packed = unwritten((self.tokens, columns), first.dtype(), first.device().as_cuda_device()?)?;
        let mut places = addresses(parts)?.to_vec();
        places.push(address(&packed)?);
        self.launch("join", &packed, heads, &places, width)?;
        Ok(packed)
    }

    fn launch(&self, name: &str, like: &Tensor, heads: &[usize], places: &[u64], width: usize) -> Result<()> {
        let (query, key_value) = match heads {
            [query] => (*query, 0),
            [query, key, value] if key == value => (*query, *key),
            _ => bail!("queries, or queries, keys and values, not {heads:?} heads"),
        };
        let mut arguments: Vec<Argument> =
            [self.longest, query, key_value, width].map(|count| Argument::Whole(count as u32)).to_vec();
        arguments.push(Argument::Address(address(&self.offsets)?));
        arguments.extend(places.iter().map(|&place| Argument::Address(place)));
        let what = Launch {
            module: "tezgah_padding",
            ptx: ptx::PADDING,
            name: &format!("{name}_{}", suffix(like.dtype())?),
            blocks: (self.rows * self.longest, 1),
            threads: THREADS,
            shared: 0,
        };
        launch(like.device().as_cuda_device()?, what, &arguments)
    }
}

/// Of queries, keys and values. A kernel without keys does not look where they are said to lie.
fn addresses(parts: &[Tensor]) -> Result<[u64; 3]> {
    match parts {
        [only] => Ok([address(only)?; 3]),
        [query, key, value] => Ok([address(query)?, address(key)?, address(value)?]),
        _ => bail!("one part or three, not {}", parts.len()),
    }
}
