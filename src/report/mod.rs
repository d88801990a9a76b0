//! From the record to Turkish text: nothing in here sees a tensor, a model or a file other than its templates.

pub mod charts;
pub mod numbers;
pub mod turkish;
