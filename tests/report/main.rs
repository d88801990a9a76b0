//! The report room: numbers and suffixes, charts, documents and what leaves the program; records are fixtures.

mod charts;
mod diff;
mod documents;
mod export;
mod findings;
mod fixtures;
mod levels;
mod numbers;
mod prose;
mod store;
mod turkish;
