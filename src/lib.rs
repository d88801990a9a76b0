//! tezgah placeholder
pub mod cli;
pub mod data;
pub mod device;
pub mod error;
pub mod evaluate;
pub mod level;
pub mod model;
pub mod notebook;
pub mod random;
pub mod recipe;
pub mod record;
pub mod report;
pub mod train;

pub use report::turkish;
