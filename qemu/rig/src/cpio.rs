// SPDX-License-Identifier: GPL-2.0

//! Archives in the "newc" format, which the kernel unpacks into its first root
//! file system.

use std::io::{self, Write};

const FILE: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const SYMLINK: u32 = 0o120_000;

/// Writes an archive, entry by entry; every entry belongs to root.
pub struct Archive<W: Write> {
    out: W,
    entries: u32,
}

impl<W: Write> Archive<W> {
    /// Starts an empty archive.
    pub fn new(out: W) -> Self {
        Archive { out, entries: 0 }
    }

    /// Adds a directory; its parent has to be there already.
    pub fn directory(&mut self, path: &str) -> io::Result<()> {
        self.entry(path, DIRECTORY | 0o755, &[])
    }

    /// Adds a file with its permission bits.
    pub fn file(&mut self, path: &str, permissions: u32, content: &[u8]) -> io::Result<()> {
        self.entry(path, FILE | permissions, content)
    }

    /// Adds a symbolic link.
    pub fn symlink(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.entry(path, SYMLINK | 0o777, target.as_bytes())
    }

    /// Ends the archive; without this the kernel would take it for truncated.
    pub fn finish(mut self) -> io::Result<W> {
        self.entry("TRAILER!!!", 0, &[])?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn entry(&mut self, path: &str, mode: u32, content: &[u8]) -> io::Result<()> {
        self.entries += 1;
        let links = if mode & DIRECTORY == DIRECTORY { 2 } else { 1 };
        let size = field(content.len())?;
        let name_size = field(path.len() + 1)?;
        // magic, ino, mode, uid, gid, nlink, mtime, size, device and special
        // device (major, minor), length of the name, checksum (unused).
        write!(
            self.out,
            "070701{:08x}{mode:08x}{:08x}{:08x}{links:08x}{:08x}{size:08x}{:08x}{:08x}{:08x}{:08x}{name_size:08x}{:08x}",
            self.entries, 0, 0, 0, 0, 0, 0, 0, 0
        )?;
        self.out.write_all(path.as_bytes())?;
        self.out.write_all(&[0])?;
        self.pad(HEADER + path.len() + 1)?;
        self.out.write_all(content)?;
        self.pad(content.len())
    }

    /// Name and content each end on a multiple of four bytes.
    fn pad(&mut self, written: usize) -> io::Result<()> {
        self.out.write_all(&[0; 3][..written.wrapping_neg() % 4])
    }
}

/// Length of an entry's header in bytes.
const HEADER: usize = 110;

fn field(length: usize) -> io::Result<u32> {
    u32::try_from(length).map_err(|_| io::Error::other("an archive entry is larger than 4 GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut archive = Archive::new(Vec::new());
        archive.directory("etc").expect("writing to memory");
        archive
            .file("etc/x", 0o644, b"hello")
            .expect("writing to memory");
        archive.symlink("y", "etc/x").expect("writing to memory");
        archive.finish().expect("writing to memory")
    }

    #[test]
    fn entries_are_aligned_and_in_order() {
        let bytes = sample();
        assert_eq!(bytes.len() % 4, 0);
        let starts: Vec<usize> = (0..bytes.len())
            .filter(|&at| bytes[at..].starts_with(b"070701"))
            .collect();
        assert_eq!(starts.len(), 4);
        assert!(starts.iter().all(|at| at % 4 == 0));
    }

    #[test]
    fn header_has_the_length_of_the_format() {
        let bytes = sample();
        assert_eq!(&bytes[HEADER..HEADER + 4], b"etc\0");
    }

    #[test]
    fn content_follows_its_name() {
        let text = String::from_utf8_lossy(&sample()).into_owned();
        let at = text.find("etc/x\0").expect("the name is there");
        assert!(text[at..].contains("hello"));
    }
}
