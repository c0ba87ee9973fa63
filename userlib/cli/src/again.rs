// SPDX-License-Identifier: MIT OR GPL-2.0
//! Calls that are made again for the rest when a signal has come.

use pindma::{Done, Error, ErrorKind};

/// Moves `len` bytes with as many calls as it takes; `call` is told where to go on.
pub fn go_on(len: usize, mut call: impl FnMut(usize) -> Result<Done, Error>) -> Result<(), Error> {
    pieces(len, |at| match call(at) {
        Ok(done) => Ok(done.bytes),
        Err(error) if *error.kind() == ErrorKind::Interrupted => Ok(error.bytes()),
        Err(error) => Err(error),
    })
}

fn pieces<E>(len: usize, mut call: impl FnMut(usize) -> Result<u64, E>) -> Result<(), E> {
    let mut at = 0;
    while at < len {
        at += call(at)? as usize;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_goes_on_where_the_last_has_ended() {
        let mut begins = Vec::new();
        let mut moved = [4, 0, 6].into_iter();
        let ended = pieces(10, |at| {
            begins.push(at);
            moved.next().ok_or(())
        });
        assert_eq!((ended, begins), (Ok(()), vec![0, 4, 4]));
        assert_eq!(pieces(1, |_| Err("no")), Err("no"));
    }
}
