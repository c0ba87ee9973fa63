// SPDX-License-Identifier: MIT OR GPL-2.0

//! The commands of the control socket for whoever is inside the guest: the last page of
//! the user's BAR.
//!
//! | offset | what |
//! |---|---|
//! | 0x000 | reads `XDMB`, 0x424d4458 |
//! | 0x004 | written: bytes of the command, which is carried out; read: bytes of the answer |
//! | 0x100 | the command, up to 1792 bytes |
//! | 0x800 | the answer, up to 2048 bytes |

/// Bytes of the page.
pub const BYTES: u64 = 4096;

const IDENTITY: u32 = 0x424d_4458;
const LENGTH: u64 = 4;
const COMMAND: usize = 0x100;
const ANSWER: usize = 0x800;

/// The page. What is written to the command's part stays there.
pub struct Mailbox {
    page: Vec<u8>,
}

impl Default for Mailbox {
    fn default() -> Mailbox {
        let mut page = vec![0; BYTES as usize];
        page[..4].copy_from_slice(&IDENTITY.to_le_bytes());
        Mailbox { page }
    }
}

impl Mailbox {
    /// Copies what is at `at`; beyond the page there are zeros.
    pub fn read(&self, at: u64, data: &mut [u8]) {
        for (at, byte) in (at as usize..).zip(data) {
            *byte = self.page.get(at).copied().unwrap_or(0);
        }
    }

    /// Takes a write; returns the command if it is one's length.
    pub fn write(&mut self, at: u64, data: &[u8]) -> Option<String> {
        if at == LENGTH {
            let length = data
                .iter()
                .rev()
                .fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
            let end = COMMAND.saturating_add(length).min(ANSWER);
            return Some(String::from_utf8_lossy(&self.page[COMMAND..end]).into_owned());
        }
        for (at, new) in (at as usize..).zip(data) {
            if (COMMAND..ANSWER).contains(&at) {
                self.page[at] = *new;
            }
        }
        None
    }

    /// Shows an answer, or as much as there is room for.
    pub fn reply(&mut self, answer: &str) {
        let room = &mut self.page[ANSWER..];
        let length = answer.len().min(room.len());
        room[..length].copy_from_slice(&answer.as_bytes()[..length]);
        self.page[4..8].copy_from_slice(&(length as u32).to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(mailbox: &Mailbox, at: u64) -> u32 {
        let mut bytes = [0; 4];
        mailbox.read(at, &mut bytes);
        u32::from_le_bytes(bytes)
    }

    #[test]
    fn a_command_goes_in_by_words_and_its_answer_comes_out() {
        let mut mailbox = Mailbox::default();
        assert_eq!(long(&mailbox, 0), IDENTITY);
        assert_eq!(mailbox.write(0x100, b"cal"), None);
        assert_eq!(mailbox.write(0x103, b"m??"), None);
        assert_eq!(mailbox.write(4, &[4, 0, 0, 0]).as_deref(), Some("calm"));
        mailbox.reply("ok");
        assert_eq!(long(&mailbox, 4), 2);
        assert_eq!(long(&mailbox, 0x800) & 0xffff, 0x6b6f);
    }

    #[test]
    fn only_the_command_can_be_written() {
        let mut mailbox = Mailbox::default();
        for at in [0, 0x7ff, 0xfff, 0x5000] {
            assert_eq!(mailbox.write(at, &[1; 8]), None);
        }
        assert_eq!((long(&mailbox, 0), long(&mailbox, 0x800)), (IDENTITY, 0));
        assert_eq!(long(&mailbox, 0x7fc), 1 << 24);
    }

    #[test]
    fn lengths_that_cannot_be_are_cut() {
        let mut mailbox = Mailbox::default();
        let text = mailbox.write(4, &[0xff; 8]).expect("it is a length");
        assert_eq!(text.len(), 0x700);
        mailbox.reply(&"x".repeat(5000));
        assert_eq!(long(&mailbox, 4), 2048);
    }
}
