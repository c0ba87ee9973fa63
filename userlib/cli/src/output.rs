// SPDX-License-Identifier: MIT OR GPL-2.0
//! Standard output, where it is to be data.

use std::io::{self, IsTerminal, StdoutLock};

use anyhow::{ensure, Result};

use crate::failure::Usage;

/// Standard output; refused if it is a terminal, with `instead` to be used.
pub fn standard(instead: &str) -> Result<StdoutLock<'static>> {
    let output = io::stdout();
    check(output.is_terminal(), instead)?;
    Ok(output.lock())
}

fn check(terminal: bool, instead: &str) -> Result<()> {
    let says = "standard output is a terminal, which binary data may put out of order";
    ensure!(
        !terminal,
        Usage(format!("{says}; use {instead}, or a pipe such as `| xxd`"))
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_spared() {
        assert!(check(false, "of=FILE").is_ok());
        let error = check(true, "of=FILE").expect_err("a terminal");
        assert!(error.to_string().contains("use of=FILE"), "{error}");
        assert!(error.is::<Usage>());
    }
}
