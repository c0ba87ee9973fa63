// SPDX-License-Identifier: MIT OR GPL-2.0

//! Guest memory for tests.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A file without a name, of a page of ones and a page of twos.
pub fn pages() -> File {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("pindma-xdma-pages-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    let file = options.open(&path).expect("a file can be made");
    fs::remove_file(&path).expect("it is there");
    file.write_all_at(&[[1; 4096], [2; 4096]].concat(), 0)
        .expect("it can be written");
    file
}
