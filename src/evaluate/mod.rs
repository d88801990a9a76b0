//! What a model is worth on held-out rows: sums of NLL under two masks, each level's adapter on each level's rows, and
//! what its texts measure.

pub mod nll;
pub mod cross;
pub mod texts;
pub mod simplicity;
