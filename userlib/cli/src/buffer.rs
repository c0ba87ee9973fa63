// SPDX-License-Identifier: MIT OR GPL-2.0
//! User buffers that start where in a page one wants them to.

use std::io::{self, Read};
use std::ops::{Deref, DerefMut, Range};

/// Bytes at a chosen offset in a page.
pub struct Buffer {
    memory: Vec<u8>,
    used: Range<usize>,
}

impl Buffer {
    /// `len` zeros that start `offset` bytes into a page.
    pub fn zeroed(len: usize, offset: usize) -> Self {
        let page = rustix::param::page_size();
        let memory = vec![0; len + page + offset];
        let start = memory.as_ptr().align_offset(page) + offset;
        Self {
            memory,
            used: start..start + len,
        }
    }

    /// `len` bytes of `input`, which start `offset` bytes into a page.
    pub fn read(mut input: impl Read, len: usize, offset: usize) -> io::Result<Self> {
        let mut buffer = Self::zeroed(len, offset);
        input.read_exact(&mut buffer)?;
        Ok(buffer)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.used.clone()]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.used.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_where_it_should() {
        let page = rustix::param::page_size();
        for offset in [0, 1, page - 1] {
            for len in [0, 1, page, 3 * page + 7] {
                let buffer = Buffer::zeroed(len, offset);
                assert_eq!((buffer.len(), buffer.as_ptr().addr() % page), (len, offset));
            }
        }
    }

    #[test]
    fn holds_what_was_read() {
        let buffer = Buffer::read(&b"abcdef"[..], 4, 13).expect("six are enough for four");
        assert_eq!(&*buffer, b"abcd");
        assert!(Buffer::read(&b"abc"[..], 4, 0).is_err());
    }
}
