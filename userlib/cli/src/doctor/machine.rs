// SPDX-License-Identifier: MIT OR GPL-2.0
//! The files in which a kernel tells about its machine.

use std::fs;
use std::path::{Path, PathBuf};

/// A machine as its files show it; a test has files of its own.
pub struct Machine {
    root: PathBuf,
}

impl Machine {
    /// The machine whose files are below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The text of a file without the blanks at its ends; None if it cannot be read.
    pub fn text(&self, path: &str) -> Option<String> {
        let text = String::from_utf8(self.bytes(path)?).ok()?;
        Some(text.trim().to_owned())
    }

    /// What a file holds.
    pub fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        fs::read(self.root.join(path)).ok()
    }

    /// Whether something is there.
    pub fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// The last part of what a link points to.
    pub fn link(&self, path: &str) -> Option<String> {
        let target = fs::read_link(self.root.join(path)).ok()?;
        Some(last(&target))
    }

    /// The names in a directory, in their order; none if there is no such.
    pub fn names(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(path));
        let entries = entries.into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| last(&entry.path())).collect();
        names.sort();
        names
    }

    /// Release of the running kernel.
    pub fn release(&self) -> String {
        self.text("proc/sys/kernel/osrelease").unwrap_or_default()
    }
}

fn last(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
