//! Programs of others, which may hang.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// How long one conversion may take; a section takes a second or two.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `command` to its end, or ends it after `patience`. What it says goes through files called after `said`, so that it
/// never waits for a reader.
///
/// # Errors
/// `TimedOut`, or what the operating system says of the program and the files.
pub(super) fn ended(command: &mut Command, said: &Path, patience: Duration) -> std::io::Result<Output> {
    let paths = ["out", "err"].map(|ending| said.with_extension(ending));
    let [out, err] = [std::fs::File::create(&paths[0])?, std::fs::File::create(&paths[1])?];
    let mut child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn()?;
    let mut waited = Duration::ZERO;
    let pause = Duration::from_millis(10);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if waited > patience {
            child.kill()?;
            child.wait()?;
            let message = format!("ended, since it took more than {} seconds", patience.as_secs());
            return Err(std::io::Error::new(ErrorKind::TimedOut, message));
        }
        std::thread::sleep(pause);
        waited += pause;
    };
    let [stdout, stderr] = paths.map(std::fs::read);
    Ok(Output { status, stdout: stdout?, stderr: stderr? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_program_that_hangs_is_ended_and_what_another_said_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let said = folder.path().join("said");
        let error = ended(Command::new("sleep").arg("600"), &said, Duration::ZERO).expect_err("ended");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let mut talker = Command::new("sh");
        talker.args(["-c", "yes | head -c 300000; echo no >&2; exit 3"]);
        let output = ended(&mut talker, &said, PATIENCE).expect("ran");
        assert_eq!(
            (output.stdout.len(), output.stderr, output.status.code()),
            (300_000, b"no\n".to_vec(), Some(3))
        );
    }
}
