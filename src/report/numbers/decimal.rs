//! Decimal numbers of any length: what a `f64` shows, and its rounding.

use super::Error;

/// An exact decimal number: sign, digits d and power p mean d0.d1d2... x 10^p, without a limit of digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    is_negative: bool,
    /// 0 to 9, the first one not 0; empty for zero.
    digits: Vec<u8>,
    /// The power of ten of the first digit.
    power: i32,
}

impl Decimal {
    /// The shortest decimal that reads back as `value`.
    pub(super) fn shown(value: f64) -> Result<Self, Error> {
        if !value.is_finite() {
            return Err(Error::NotFinite { value });
        }
        // Rust's {:e} is the shortest expansion that round-trips: 2.675 -> "2.675e0".
        let text = format!("{:e}", value.abs());
        let (mantissa, power) = text.split_once('e').expect("{:e} always writes an e");
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect();
        let power = power.parse().expect("{:e} writes a whole number after its e");
        Ok(Self { is_negative: value < 0.0, digits, power }.normal())
    }

    pub(super) fn of_count(count: u64) -> Self {
        let digits: Vec<u8> = count.to_string().bytes().map(|byte| byte - b'0').collect();
        let power = digits.len() as i32 - 1; // at most 19
        Self { is_negative: false, digits, power }.normal()
    }

    pub(super) fn times_ten_to(&self, power: i32) -> Self {
        Self { power: self.power + power, ..self.clone() }
    }

    /// Half to even at `decimals` places after the mark.
    pub(super) fn rounded(&self, decimals: usize) -> Self {
        let kept = self.power + 1 + decimals as i32; // decimals <= MAX_DIGITS
        if kept < 0 || self.is_zero() {
            return Self { is_negative: false, digits: Vec::new(), power: 0 };
        }
        let kept = kept as usize;
        if kept >= self.digits.len() {
            return self.clone();
        }
        let (head, tail) = self.digits.split_at(kept);
        let is_odd = head.last().is_some_and(|digit| digit % 2 == 1);
        let is_up = tail[0] > 5 || (tail[0] == 5 && (is_odd || tail[1..].iter().any(|digit| *digit > 0)));
        // A zero in front takes the carry: 9,99 -> 10,0.
        let mut digits = vec![0];
        digits.extend_from_slice(head);
        if is_up {
            let mut place = digits.len() - 1;
            while digits[place] == 9 {
                digits[place] = 0;
                place -= 1; // the zero in front stops this
            }
            digits[place] += 1;
        }
        Self { is_negative: self.is_negative, digits, power: self.power + 1 }.normal()
    }

    /// Without zeros in front.
    fn normal(mut self) -> Self {
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
        self.power -= zeros as i32; // digits are some hundred at most
        if self.digits.is_empty() {
            return Self { is_negative: false, digits: self.digits, power: 0 };
        }
        self
    }

    /// Whether anything but zeros follows the mark.
    pub(super) fn has_fraction(&self) -> bool {
        self.digits.iter().zip(0i32..).any(|(digit, place)| *digit > 0 && self.power < place)
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// The power of ten of the first digit.
    pub(super) fn power(&self) -> i32 {
        self.power
    }

    pub(super) fn sign(&self) -> &'static str {
        if self.is_negative { "−" } else { "" }
    }

    /// The digits before the mark, and the first `decimals` after it.
    pub(super) fn parts(&self, decimals: usize) -> (String, String) {
        let digit = |power: i32| {
            let place = usize::try_from(self.power - power).ok();
            char::from(b'0' + place.and_then(|place| self.digits.get(place)).copied().unwrap_or(0))
        };
        let whole = (0..=self.power.max(0)).rev().map(digit).collect();
        let fraction = (1..=decimals as i32).map(|place| digit(-place)).collect();
        (whole, fraction)
    }

    /// The part before the mark; at most `u64::MAX`, which stands for all above.
    pub(super) fn whole(&self) -> u64 {
        self.parts(0).0.parse().unwrap_or(u64::MAX)
    }
}
