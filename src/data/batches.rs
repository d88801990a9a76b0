//! Rows packed end to end, without padding, and which of their tokens are targets.

use crate::data::encode::EncodedRow;

/// Which tokens count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Targets {
    /// Response tokens and their end-of-sequence token.
    Response,
    /// Every token that has a predecessor.
    All,
}

/// Some rows, packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Tokens of all rows, one row after the other.
    pub ids: Vec<u32>,
    /// Position of each token in its row.
    pub positions: Vec<usize>,
    /// First token of each row, and the number of tokens last.
    pub offsets: Vec<usize>,
    /// Packed places whose next token is a target, ascending.
    pub sources: Vec<u32>,
    /// The target after each source.
    pub targets: Vec<u32>,
    /// Whether each target belongs to a response.
    pub in_response: Vec<bool>,
    /// The row, within the batch, of each target.
    pub row_of_target: Vec<usize>,
}

impl Batch {
    /// Packs `rows` in their order.
    pub fn new(rows: &[&EncodedRow], counted: Targets) -> Self {
        let mut batch = Batch {
            ids: Vec::new(),
            positions: Vec::new(),
            offsets: vec![0],
            sources: Vec::new(),
            targets: Vec::new(),
            in_response: Vec::new(),
            row_of_target: Vec::new(),
        };
        for (index, row) in rows.iter().enumerate() {
            let start = batch.ids.len();
            for place in 1..row.ids.len() {
                let in_response = place >= row.prompt_len;
                if in_response || counted == Targets::All {
                    batch.sources.push((start + place - 1) as u32);
                    batch.targets.push(row.ids[place]);
                    batch.in_response.push(in_response);
                    batch.row_of_target.push(index);
                }
            }
            batch.positions.extend(0..row.ids.len());
            batch.ids.extend(&row.ids);
            batch.offsets.push(batch.ids.len());
        }
        batch
    }

    /// Tokens of all rows.
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }
}
