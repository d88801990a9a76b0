//! The run record: its types, its file, and the machine it was made on.

// From the ground up: a file uses what stands above it in this list.
mod dataset;
mod evaluation;
mod model;
mod training;
mod method;
pub mod replicates;
pub mod texts;
pub mod ratings;
mod run;
mod migrate;
pub mod store;
pub mod seal;
pub mod folder;
pub mod environment;
pub mod identity;
pub mod repeated;
pub mod levels;
pub mod sweep;

pub use dataset::{
    Dataset, ExampleRow, Groups, Histogram, Lengths, Overlap, PromptTemplate, RowOverlap, TokenLengths,
    Validation,
};
pub(crate) use evaluation::responses;
pub use evaluation::{
    Evaluation, LeastOverlapping, RowNll, RowScores, Score, Scores, least_overlapping_of, statistics_of,
};
pub use method::Method;
pub use model::{Architecture, ModelFacts};
pub use run::{CardFacts, Environment, Failure, Output, RunRecord, SCHEMA, Status};
pub use texts::{Sample, Texts};
pub use training::{Best, EarlyStop, Eval, InitAdapter, Optimizer, Step, Training};
