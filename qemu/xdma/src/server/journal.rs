// SPDX-License-Identifier: MIT OR GPL-2.0

//! The log: a line for each thing that must not be, which whoever runs the card looks for.

use std::fmt::Display;

/// How many lines of a kind are written; all are counted.
const LINES: u64 = 64;

/// One kind of line.
#[derive(Debug)]
pub struct Kind {
    name: &'static str,
    count: u64,
    pardoned: u64,
}

impl Kind {
    const fn new(name: &'static str) -> Kind {
        Kind {
            name,
            count: 0,
            pardoned: 0,
        }
    }

    /// The line of one more, if it is to be written.
    fn line(&mut self, pardon: bool, what: &dyn Display) -> Option<String> {
        let (count, word) = if pardon {
            (&mut self.pardoned, "pardoned ")
        } else {
            (&mut self.count, "")
        };
        *count += 1;
        (*count <= LINES).then(|| format!("XDMA: {word}{}: {what}", self.name))
    }
}

/// What was logged.
#[derive(Debug)]
pub struct Journal {
    violations: Kind,
    faults: Kind,
    pardon: bool,
}

impl Journal {
    /// Nothing yet.
    pub const fn new() -> Journal {
        Journal {
            violations: Kind::new("violation"),
            faults: Kind::new("fault"),
            pardon: false,
        }
    }

    /// From now on, what must not be is done on purpose, or no longer.
    pub fn pardon(&mut self, on: bool) {
        self.pardon = on;
    }

    /// The card touched memory that it may not, or would have.
    pub fn violation(&mut self, what: &dyn Display) {
        tell(self.violations.line(self.pardon, what));
    }

    /// The driver broke a rule of the card's.
    pub fn fault(&mut self, what: &dyn Display) {
        tell(self.faults.line(self.pardon, what));
    }

    /// How many violations and faults there were, without and with pardon.
    pub fn counts(&self) -> [(&'static str, u64); 4] {
        [
            ("violations", self.violations.count),
            ("faults", self.faults.count),
            ("pardoned_violations", self.violations.pardoned),
            ("pardoned_faults", self.faults.pardoned),
        ]
    }
}

fn tell(line: Option<String>) {
    if let Some(line) = line {
        eprintln!("{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_and_counting_does_not() {
        let mut kind = Kind::new("fault");
        let line = kind.line(false, &"no magic");
        assert_eq!(line.as_deref(), Some("XDMA: fault: no magic"));
        let lines = (0..100).filter_map(|_| kind.line(false, &"x")).count();
        assert_eq!((lines as u64, kind.count), (LINES - 1, 101));
    }

    #[test]
    fn what_is_pardoned_is_told_apart() {
        let mut kind = Kind::new("violation");
        let line = kind.line(true, &"x");
        assert_eq!(line.as_deref(), Some("XDMA: pardoned violation: x"));
        assert_eq!((kind.count, kind.pardoned), (0, 1));
    }
}
