//! The report room: numbers and suffixes, charts, documents and what leaves the program; records are fixtures.

mod fixtures;
mod prose;
mod numbers;
mod turkish;
mod store;
mod findings;
mod documents;
mod charts;
mod levels;
mod sweep;
mod export;
mod weave;
mod diff;
