// SPDX-License-Identifier: MIT OR GPL-2.0
//! Made-up files of a machine.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::machine::Machine;

/// A directory of its own, which goes when it is dropped.
pub struct Tree(PathBuf);

impl Tree {
    /// Files by their paths.
    pub fn new(files: &[(&str, &str)]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pindma-doctor-{}-{number}", std::process::id());
        let tree = Self(std::env::temp_dir().join(name));
        for (path, text) in files {
            fs::write(tree.place(path), text).expect("a file");
        }
        tree
    }

    /// Links by their paths, and where they point.
    pub fn link(self, path: &str, target: &str) -> Self {
        symlink(target, self.place(path)).expect("a link");
        self
    }

    /// The machine that the files are of.
    pub fn machine(&self) -> Machine {
        Machine::new(&self.0)
    }

    fn place(&self, path: &str) -> PathBuf {
        let path = self.0.join(path);
        let parent = path.parent().expect("below the tree");
        fs::create_dir_all(parent).expect("a directory");
        path
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // What is left in the temporary directory does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}
