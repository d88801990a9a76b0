//! What a model is worth on held-out rows: sums of NLL under two masks, and each level's adapter on each level's rows.

pub mod nll;
pub mod cross;
