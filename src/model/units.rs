//! Quantities: exact reading of numbers with units, and how they are written for people.

use std::fmt;

/// A time in whole nanoseconds. Sums and products stay at the largest value instead of overflowing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

impl Duration {
    /// No time.
    pub const ZERO: Self = Self(0);
    /// The largest time that can be held, some 584 years.
    pub const MAX: Self = Self(u64::MAX);

    /// From whole nanoseconds.
    #[must_use]
    pub const fn from_nanoseconds(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// From whole milliseconds.
    #[must_use]
    pub const fn from_milliseconds(milliseconds: u64) -> Self {
        Self(milliseconds.saturating_mul(1_000_000))
    }

    /// In nanoseconds.
    #[must_use]
    pub const fn nanoseconds(self) -> u64 {
        self.0
    }

    /// In seconds.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "for display and programs: 53 bits of a time are enough")]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The sum, or the largest value.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or zero.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// So many times as long, or the largest value.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// As it is written in the topo language, in one unit: `1.2s`, `90m`.
    #[must_use]
    pub fn written(self) -> String {
        let whole = LARGE.into_iter().find(|(unit, least, _)| self.0 >= unit * least && self.0.is_multiple_of(*unit));
        match whole {
            Some((unit, _, name)) => format!("{}{}", self.0 / unit, name.trim_end_matches("in")),
            None if self.0 >= SECOND => format!("{}s", decimal(self.0, SECOND)),
            None => self.to_string().replace(' ', ""),
        }
    }

    /// The nearest time of three digits that count: an estimate claims no more.
    #[must_use]
    pub fn three_digits(self) -> Self {
        let mut step = 1_u64;
        while self.0 / step >= 1_000 {
            step = step.saturating_mul(10);
        }
        Self(self.0.saturating_add(step / 2) / step * step)
    }

    /// The next round value above this one, for a proposal: two digits, and some room.
    #[must_use]
    pub fn rounded_up(self) -> Self {
        let with_room = self.0.saturating_add(self.0 / 20);
        let mut step = 1_u64;
        while with_room / step >= 100 {
            step = step.saturating_mul(10);
        }
        let half = if with_room / step >= 20 { step.saturating_mul(5) } else { step };
        Self(with_room.div_ceil(half).saturating_mul(half))
    }
}

const SECOND: u64 = 1_000_000_000;

/// Units above a second, and from how many of them on they are used.
const LARGE: [(u64, u64, &str); 3] = [(86_400 * SECOND, 2, "d"), (3_600 * SECOND, 2, "h"), (60 * SECOND, 2, "min")];

/// For people: `300 ms`, `2.45 s`, `90 min`, `9 min 0.4 s`; at most three decimals. The unit follows from the size
/// alone, so that times of one size can be compared.
impl fmt::Display for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const YEAR: u64 = 31_536_000 * SECOND;
        if self.0 >= 10 * YEAR {
            return write!(formatter, "{} years", self.0 / YEAR);
        }
        let Some((first, ..)) = LARGE.into_iter().find(|(unit, least, _)| self.0 >= unit * least) else {
            return match self.0 {
                0 => formatter.write_str("0 ms"),
                1..=999 => write!(formatter, "{} ns", self.0),
                1_000..=999_999 => write!(formatter, "{} us", decimal(self.0, 1_000)),
                1_000_000..SECOND => write!(formatter, "{} ms", decimal(self.0, 1_000_000)),
                _ => write!(formatter, "{} s", decimal(self.0, SECOND)),
            };
        };
        let mut rest = self.0;
        let mut parts = Vec::new();
        for (unit, _, name) in LARGE.into_iter().filter(|(unit, ..)| *unit <= first) {
            if rest >= unit {
                parts.push(format!("{} {name}", rest / unit));
                rest %= unit;
            }
        }
        if rest >= SECOND / 2_000 {
            parts.push(format!("{} s", decimal(rest, SECOND)));
        }
        formatter.write_str(&parts.join(" "))
    }
}

/// `value / unit` with at most three decimals, rounded to nearest, no trailing zeros.
fn decimal(value: u64, unit: u64) -> String {
    let thousandths = (u128::from(value) * 1_000 + u128::from(unit) / 2) / u128::from(unit);
    let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number as written, exact: `digits × 10^-decimals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    digits: u128,
    decimals: u32,
}

/// What is wrong with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// No digits, or something else than digits.
    NotANumber,
    /// Below zero.
    Negative,
    /// Too large to be held.
    Overflow,
}

impl Number {
    /// Splits a token into its number and what follows.
    pub(super) fn split(token: &str) -> Result<(Self, &str), Fault> {
        if token.starts_with('-') {
            return Err(Fault::Negative);
        }
        let token = token.strip_prefix('+').unwrap_or(token);
        let whole = token.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(token.len());
        let (mut digits, mut rest) = token.split_at(whole);
        let mut number = Self { digits: 0, decimals: 0 };
        number.push(digits)?;
        if let Some(after) = rest.strip_prefix('.').filter(|after| after.starts_with(|c: char| c.is_ascii_digit())) {
            let end = after.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(after.len());
            (digits, rest) = after.split_at(end);
            number.push(digits)?;
            number.decimals =
                u32::try_from(digits.bytes().filter(u8::is_ascii_digit).count()).map_err(|_| Fault::Overflow)?;
        }
        Ok((number, rest))
    }

    fn push(&mut self, digits: &str) -> Result<(), Fault> {
        let mut seen = false;
        for digit in digits.bytes().filter(|byte| *byte != b'_') {
            seen = true;
            let shifted = self.digits.checked_mul(10).ok_or(Fault::Overflow)?;
            self.digits = shifted.checked_add(u128::from(digit - b'0')).ok_or(Fault::Overflow)?;
        }
        if seen { Ok(()) } else { Err(Fault::NotANumber) }
    }

    /// The number times a whole unit, rounded to nearest.
    pub(super) fn times(self, unit: u64) -> Result<u64, Fault> {
        let scale = 10_u128.checked_pow(self.decimals).ok_or(Fault::Overflow)?;
        let product = self.digits.checked_mul(u128::from(unit)).ok_or(Fault::Overflow)?;
        u64::try_from((product + scale / 2) / scale).map_err(|_| Fault::Overflow)
    }

    /// The number itself, if it is whole.
    pub(super) fn whole(self) -> Result<u64, Fault> {
        if self.decimals > 0 { Err(Fault::NotANumber) } else { u64::try_from(self.digits).map_err(|_| Fault::Overflow) }
    }

    /// The number as floating point.
    #[allow(clippy::cast_precision_loss, reason = "rates, shares and prices are measured, not counted")]
    pub(super) fn float(self) -> f64 {
        let decimals = i32::try_from(self.decimals).unwrap_or(i32::MAX);
        self.digits as f64 / 10_f64.powi(decimals)
    }
}

/// Units of time, in nanoseconds.
pub(super) const TIMES: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// Units of size, in bytes.
pub(super) const SIZES: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Units of bandwidth, in bits a second.
pub(super) const BANDWIDTHS: &[(&str, u64)] = &[
    ("bps", 1),
    ("kbps", 1_000),
    ("Kbps", 1_000),
    ("Mbps", 1_000_000),
    ("Gbps", 1_000_000_000),
    ("Tbps", 1_000_000_000_000),
];

/// Units of rates, in seconds.
pub(super) const RATES: &[(&str, f64)] =
    &[("/s", 1.0), ("/sec", 1.0), ("/min", 60.0), ("/m", 60.0), ("/h", 3_600.0), ("/d", 86_400.0)];

/// Times over which a cost is counted, in seconds.
pub(super) const PERIODS: &[(&str, f64)] = &[
    ("h", 3_600.0),
    ("hour", 3_600.0),
    ("d", 86_400.0),
    ("day", 86_400.0),
    ("month", 2_592_000.0),
    ("year", 31_536_000.0),
];

/// The factor of a unit.
pub(super) fn unit<T: Copy>(units: &[(&str, T)], name: &str) -> Option<T> {
    units.iter().find(|(unit, _)| *unit == name).map(|(_, factor)| *factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(token: &str) -> Result<u64, Fault> {
        let (number, rest) = Number::split(token)?;
        number.times(unit(TIMES, rest).ok_or(Fault::NotANumber)?).map(|nanoseconds| nanoseconds / 1_000_000)
    }

    #[test]
    fn numbers_are_exact() {
        assert_eq!(milliseconds("1.2s"), Ok(1_200));
        assert_eq!(milliseconds("0.1s"), Ok(100));
        assert_eq!(milliseconds("100_000ms"), Ok(100_000));
        assert_eq!(milliseconds("-1s"), Err(Fault::Negative));
        assert_eq!(milliseconds("99999999999999d"), Err(Fault::Overflow));
        assert_eq!(milliseconds(&format!("{}s", "9".repeat(60))), Err(Fault::Overflow));
    }

    #[test]
    fn times_read_well() {
        let shown = |ms: u64| Duration::from_milliseconds(ms).to_string();
        assert_eq!(
            [0, 300, 1_020, 2_450, 90_000, 300_000, 5_400_000, 172_800_000].map(shown),
            ["0 ms", "300 ms", "1.02 s", "2.45 s", "90 s", "5 min", "90 min", "2 d"]
        );
        assert_eq!(
            [480_000, 540_400, 7_500_000, 176_400_500].map(shown),
            ["8 min", "9 min 0.4 s", "2 h 5 min", "2 d 1 h 0.5 s"]
        );
        let written = |ms: u64| Duration::from_milliseconds(ms).written();
        assert_eq!([250, 1_200, 300_000, 540_400, 172_800_000].map(written), ["250ms", "1.2s", "5m", "540.4s", "2d"]);
    }

    #[test]
    fn proposals_leave_room() {
        let round = |ms: u64| Duration::from_milliseconds(ms).rounded_up().to_string();
        assert_eq!([600, 1_020, 10_000, 3_150].map(round), ["650 ms", "1.1 s", "11 s", "3.5 s"]);
    }
}
