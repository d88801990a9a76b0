//! Charts across levels: losses before and after, and every adapter on every level's evaluation rows.

mod losses;
mod matrix;

pub use losses::{LevelLosses, losses};
pub(in crate::report) use matrix::NAME as MATRIX;
pub use matrix::{CrossLosses, matrix};
