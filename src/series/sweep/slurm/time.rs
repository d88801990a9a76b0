//! A wall time as sbatch takes it: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes or
//! days-hours:minutes:seconds. Source: `man sbatch`, `--time`.

/// A time in a form of sbatch's, in seconds.
pub(super) fn seconds(time: &str) -> Option<u64> {
    let number = |text: &str| -> Option<u64> {
        let is_plain = (1..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_plain { text.parse().ok() } else { None }
    };
    let (days, clock) = match time.split_once('-') {
        Some((days, clock)) => (Some(number(days)?), clock),
        None => (None, time),
    };
    let parts = clock.split(':').map(number).collect::<Option<Vec<u64>>>()?;
    let (hours, minutes, seconds) = match (days, parts.as_slice()) {
        (None, [minutes]) => (0, *minutes, 0),
        (None, [minutes, seconds]) => (0, *minutes, *seconds),
        (Some(_), [hours]) => (*hours, 0, 0),
        (Some(_), [hours, minutes]) => (*hours, *minutes, 0),
        (_, [hours, minutes, seconds]) => (*hours, *minutes, *seconds),
        _ => return None,
    };
    Some(days.unwrap_or(0) * 86_400 + hours * 3_600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forms and their meanings are those of `man sbatch`.
    #[test]
    fn a_time_is_what_sbatch_understands() {
        let forms = [
            ("90", 5_400),
            ("90:30", 5_430),
            ("8:00:00", 28_800),
            ("3-0", 259_200),
            ("1-12:30", 131_400),
            ("3-00:00:00", 259_200),
        ];
        for (text, expected) in forms {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in ["", "-", "1-", "1:2:3:4", "1-2:3:4:5", "+5", "1 ", "UNLIMITED", "9999999"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
