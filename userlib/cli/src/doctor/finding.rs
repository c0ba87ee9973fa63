// SPDX-License-Identifier: MIT OR GPL-2.0
//! One thing that was looked at.

use std::fmt;

use console::style;
use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be.
    Good,
    /// It works, but could be better, or is worth knowing.
    Note,
    /// It does not work.
    Bad,
}

/// One thing that was looked at.  The names of the fields are those of the JSON
/// keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub subject: &'static str,
    /// How bad it is.
    pub grade: Grade,
    /// What was found.
    pub says: String,
    /// What to do about it, one thing a line.
    pub advice: Vec<String>,
}

impl Finding {
    /// As it should be.
    pub fn good(subject: &'static str, says: impl Into<String>) -> Self {
        Self::new(subject, Grade::Good, says)
    }

    /// Worth knowing.
    pub fn note(subject: &'static str, says: impl Into<String>) -> Self {
        Self::new(subject, Grade::Note, says)
    }

    /// Wrong.
    pub fn bad(subject: &'static str, says: impl Into<String>) -> Self {
        Self::new(subject, Grade::Bad, says)
    }

    fn new(subject: &'static str, grade: Grade, says: impl Into<String>) -> Self {
        Self {
            subject,
            grade,
            says: says.into(),
            advice: Vec::new(),
        }
    }

    /// Adds something to do about it.
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }
}

/// A line, and one for each advice; in colours if standard output is a terminal.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grade = match self.grade {
            Grade::Good => style("ok  ").green(),
            Grade::Note => style("note").yellow(),
            Grade::Bad => style("BAD ").red().bold(),
        };
        writeln!(f, "{grade}  {:10}{}", self.subject, self.says)?;
        for advice in &self.advice {
            writeln!(f, "{:16}{} {advice}", "", style(">").dim())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_stands_below() {
        console::set_colors_enabled(false);
        let finding = Finding::bad("module", "pindma is not loaded").advise("modprobe pindma");
        assert_eq!(
            finding.to_string(),
            "BAD   module    pindma is not loaded\n                > modprobe pindma\n"
        );
    }
}
