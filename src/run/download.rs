//! What a person sees while a model is fetched: a bar on a terminal, a line every tenth elsewhere.

use super::interrupt;
use super::progress::tell;
use crate::error::Result;
use crate::model::files::hub::Download;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// Files below this come faster than a line about them is read.
const SMALLEST: u64 = 10_000_000;

/// Shows a download on the standard error stream; `quiet` shows nothing. A signal ends it: the next call goes on from
/// there.
pub(super) fn shown(quiet: bool) -> impl FnMut(Download) -> Result<()> {
    let has_bar = std::io::stderr().is_terminal();
    let (mut name, mut total, mut tenths) = (String::new(), 0, 0);
    let mut bar = ProgressBar::hidden();
    move |event| {
        interrupt::check()?;
        match event {
            _ if quiet => {}
            Download::Begin { file, bytes } => {
                (name, total, tenths) = (file.to_string(), bytes, 0);
                if has_bar {
                    let template = "{prefix} {bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
                    let style = ProgressStyle::with_template(template).expect("a constant template");
                    bar = ProgressBar::new(bytes).with_style(style).with_prefix(name.clone());
                } else {
                    tell(&format!("fetching {name} ({:.1} MB)", bytes as f64 / 1e6));
                }
            }
            Download::At(at) if has_bar => bar.set_position(at),
            Download::At(at) => {
                let done = 10 * at / total.max(1);
                if total >= SMALLEST && done > tenths {
                    tenths = done;
                    tell(&format!("  {tenths}0 % of {name}"));
                }
            }
            Download::End => bar.finish_and_clear(),
            Download::Note(line) if has_bar => bar.println(line),
            Download::Note(line) => tell(line),
        }
        Ok(())
    }
}
