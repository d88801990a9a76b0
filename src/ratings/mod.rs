//! Raters and a judge: a run's texts shown blind to people and to a model, and what both say.
//!
//! ```text
//! texts of a run -> items (a seed, blind, balanced) -> sheets   -> people -> collect ┐
//!                                                   -> requests -> judge  ───────────┴-> panels -> ratings.json
//! ```
//! - [`criteria`]: what is asked, from a TOML file;
//! - [`rated`]: the run whose texts are rated, and where what belongs to the rating lies;
//! - [`items`]: which texts stand beside which, and the key that raters do not get;
//! - [`sheets`]: a workbook and a printable form a rater;
//! - [`collect`]: what came back, checked;
//! - [`judge`]: the same items, asked of a model behind an OpenAI-compatible address;
//! - [`panel`]: from answers to means, tests and agreement;
//! - [`triangulation`]: people, judge and measures on the same texts.

// From the ground up: a file uses what stands above it in this list.
pub mod criteria;
pub mod rated;
pub mod items;
pub mod sheets;
pub mod collect;
pub mod panel;
pub mod judge;
pub mod triangulation;
