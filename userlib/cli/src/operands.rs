// SPDX-License-Identifier: MIT OR GPL-2.0
//! NAME=VALUE, as dd(1) takes them.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{bail, Result};

use crate::failure::Usage;
use crate::size;

/// Bytes of a block unless `bs` says otherwise.
const BLOCK: usize = 1 << 20;

/// One operand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// `if` or `of`: which, and the file.
    File(&'static str, PathBuf),
    /// Bytes of a block.
    Bs(usize),
    /// Blocks.
    Count(u64),
    /// Where in device memory, in bytes.
    Offset(u64),
}

impl FromStr for Operand {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("{text}: operands look like bs=64K"))?;
        Ok(match name {
            "if" => Self::File("if", value.into()),
            "of" => Self::File("of", value.into()),
            "bs" => Self::Bs(size::parse_length(value)?),
            "count" => Self::Count(size::parse(value)?),
            "offset" => Self::Offset(size::parse(value)?),
            _ => return Err(format!("{name}: there are if, of, bs, count and offset")),
        })
    }
}

/// All operands of a command; a later one replaces an earlier one.
#[derive(Debug, PartialEq, Eq)]
pub struct Operands {
    /// The file to read or write; None: standard input or output.
    pub file: Option<PathBuf>,
    /// Bytes of a block.
    pub bs: usize,
    /// Blocks; None: until the end.
    pub count: Option<u64>,
    /// Where in device memory, in bytes.
    pub offset: u64,
}

impl Operands {
    /// For a command whose file is named `side`, `if` or `of`.
    pub fn collect(operands: &[Operand], side: &str) -> Result<Self> {
        let mut all = Self {
            file: None,
            bs: BLOCK,
            count: None,
            offset: 0,
        };
        for operand in operands {
            match operand {
                Operand::File(name, _) if *name != side => {
                    bail!(Usage(format!(
                        "the device is on that side of it: use {side}= instead of {name}="
                    )))
                }
                Operand::File(_, path) => all.file = Some(path.clone()),
                Operand::Bs(bs) => all.bs = *bs,
                Operand::Count(count) => all.count = Some(*count),
                Operand::Offset(offset) => all.offset = *offset,
            }
        }
        Ok(all)
    }

    /// Bytes in all, if there is an end.
    pub fn len(&self) -> Option<u64> {
        self.count.map(|count| count.saturating_mul(self.bs as u64))
    }

    /// The file, or what is used in its place.
    pub fn name(&self, stead: &str) -> String {
        let file = self.file.as_ref();
        file.map_or(stead.to_owned(), |path| path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(texts: &[&str]) -> Result<Operands> {
        let operands: Result<Vec<Operand>, String> =
            texts.iter().map(|text| text.parse()).collect();
        Operands::collect(&operands.map_err(anyhow::Error::msg)?, "of")
    }

    #[test]
    fn all_of_them() {
        let all = collect(&["of=/x=y", "bs=64K", "count=3", "offset=0x100"]).expect("good");
        let expected = Operands {
            file: Some("/x=y".into()),
            bs: 65536,
            count: Some(3),
            offset: 256,
        };
        assert_eq!((all.len(), all), (Some(3 << 16), expected));
    }

    #[test]
    fn none_of_them() {
        let all = collect(&[]).expect("good");
        assert_eq!((all.len(), all.bs, all.offset), (None, BLOCK, 0));
        assert_eq!(all.name("standard output"), "standard output");
    }

    #[test]
    fn nonsense_is_named() {
        for (text, why) in [
            ("bs", "look like bs=64K"),
            ("bs=0", "at least 1"),
            ("skip=1", "there are if, of"),
            ("if=x", "use of= instead of if="),
        ] {
            let error = collect(&[text]).expect_err("nonsense");
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
    }
}
