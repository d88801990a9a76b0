//! What a model is worth on held-out rows: sums of NLL under two masks, and what they allow to say.

pub mod nll;
pub mod statistics;
