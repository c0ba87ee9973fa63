// SPDX-License-Identifier: MIT OR GPL-2.0
//! How long calls have taken: not one number, as the longest is what hurts.

use std::fmt;
use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::report::moment;

/// Digits that are kept of a time.
const DIGITS: u8 = 3;

/// Times that are being taken.
pub struct Times(Histogram<u64>);

impl Times {
    /// None yet.
    pub fn new() -> Result<Self> {
        Ok(Self(Histogram::new(DIGITS)?))
    }

    /// Takes note of one.
    pub fn record(&mut self, time: Duration) -> Result<()> {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Ok(self.0.record(nanos)?)
    }

    /// What they have in common.
    pub fn spread(&self) -> Spread {
        let seconds = |nanos: u64| nanos as f64 / 1e9;
        let quantile = |part| seconds(self.0.value_at_quantile(part));
        Spread {
            least: seconds(self.0.min()),
            median: quantile(0.5),
            p99: quantile(0.99),
            most: seconds(self.0.max()),
        }
    }
}

/// Seconds that half of the calls, 99 of 100, and all of them needed at most.  The
/// names of the fields are those of the JSON keys.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub least: f64,
    pub median: f64,
    pub p99: f64,
    pub most: f64,
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = [self.least, self.median, self.p99, self.most].map(moment);
        let [least, median, p99, most] = columns;
        write!(f, "{least:>12}{median:>12}{p99:>12}{most:>12}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_call_does_not_hide_in_the_rest() {
        let mut times = Times::new().expect("digits");
        for _ in 0..199 {
            times.record(Duration::from_micros(10)).expect("in reach");
        }
        times.record(Duration::from_millis(2)).expect("in reach");
        let text = times.spread().to_string();
        let columns: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(columns[..6], ["10.0", "us", "10.0", "us", "10.0", "us"]);
        // To three digits.
        let most = times.spread().most;
        assert!((0.002..0.002_003).contains(&most), "{most}");
    }
}
