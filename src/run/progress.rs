//! What a person sees while a run goes on: a bar on a terminal, plain lines elsewhere. The lines are kept for the run's page,
//! whoever saw them.

use crate::record::{Eval, Step};
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// One line on the standard error stream. That nobody reads it any more (`2>&1 | head`) must not end a training.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Shows the course of a run on the standard error stream.
pub(crate) struct Progress {
    mode: Mode,
    started: Instant,
    /// A line of a training is said each so many steps.
    every: usize,
    said: RefCell<Vec<String>>,
}

enum Mode {
    Quiet,
    Lines,
    Bar(ProgressBar),
}

/// Plain lines of a training at most, so that a log stays readable.
const LINES: usize = 30;

impl Progress {
    /// A way to show progress that fits the stream; `quiet` shows nothing.
    pub(crate) fn new(quiet: bool) -> Self {
        let mode = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Mode::Quiet,
            (false, true) => Mode::Bar(ProgressBar::hidden()),
            (false, false) => Mode::Lines,
        };
        Progress { mode, started: Instant::now(), every: 1, said: RefCell::default() }
    }

    /// Begins a stage of `total` parts.
    pub(super) fn begin(&mut self, title: &str, total: usize) {
        self.started = Instant::now();
        self.every = total.div_ceil(LINES).max(1);
        self.keep(title);
        match &mut self.mode {
            Mode::Quiet => {}
            Mode::Lines => tell(title),
            Mode::Bar(bar) => {
                let template = "{prefix:>12} {bar:30} {pos}/{len}  {msg}  {eta_precise} left";
                let style = ProgressStyle::with_template(template).expect("a constant template");
                *bar = ProgressBar::new(total as u64).with_style(style).with_prefix(title.to_string());
                bar.enable_steady_tick(Duration::from_millis(500));
            }
        }
    }

    /// `done` parts of the stage are done.
    pub(super) fn at(&self, done: usize) {
        if let Mode::Bar(bar) = &self.mode {
            bar.set_position(done as u64);
        }
    }

    /// The same, at so many tokens a second.
    pub(super) fn rate(&self, done: usize, tokens_per_second: f64) {
        if let Mode::Bar(bar) = &self.mode {
            bar.set_position(done as u64);
            bar.set_message(format!("{tokens_per_second:.0} tok/s"));
        }
    }

    /// A training step was taken, one of `total`.
    pub(super) fn step(&self, step: &Step, total: usize) {
        let rate = step.tokens as f64 / step.seconds.max(1e-9);
        let Step { step: number, loss, learning_rate, grad_norm, .. } = step;
        if number.is_multiple_of(self.every) || *number == 1 || *number == total {
            let left = self.started.elapsed().as_secs_f64() / *number as f64 * (total - number) as f64;
            let line = format!(
                "  step {number}/{total}  loss {loss:.4}  lr {learning_rate:.2e}  grad_norm {grad_norm:.3}  {rate:.0} tok/s  \
                 {} left",
                clock(left)
            );
            self.keep(&line);
            if let Mode::Lines = self.mode {
                tell(&line);
            }
        }
        if let Mode::Bar(bar) = &self.mode {
            bar.set_position(*number as u64);
            bar.set_message(format!("loss {loss:.4}  lr {learning_rate:.2e}  {rate:.0} tok/s"));
        }
    }

    /// An evaluation is done.
    pub(super) fn eval(&self, eval: &Eval, is_best: bool) {
        let best = if is_best { "  (best)" } else { "" };
        self.say(&format!("  step {}  eval loss {:.4}{best}", eval.step, eval.loss));
    }

    /// One line, above the bar where there is one.
    pub(crate) fn say(&self, line: &str) {
        self.keep(line);
        match &self.mode {
            Mode::Quiet => {}
            Mode::Lines => tell(line),
            // A finished or hidden bar would swallow the line.
            Mode::Bar(bar) if bar.is_finished() || bar.is_hidden() => tell(line),
            Mode::Bar(bar) => bar.println(line),
        }
    }

    /// What was said since it was last taken.
    pub(super) fn said(&self) -> Vec<String> {
        self.said.borrow().clone()
    }

    /// The same, and it counts as taken.
    pub(super) fn taken(&self) -> Vec<String> {
        self.said.take()
    }

    fn keep(&self, line: &str) {
        self.said.borrow_mut().push(line.to_string());
    }

    /// Ends the stage.
    pub(super) fn end(&self) {
        if let Mode::Bar(bar) = &self.mode {
            bar.finish_and_clear();
        }
    }
}

/// 75 -> 1:15, 3675 -> 1:01:15.
fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}
