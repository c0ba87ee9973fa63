// SPDX-License-Identifier: MIT OR GPL-2.0

//! The control socket: a command a line, an answer a line.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use super::command;
use super::shared::Shared;

/// Listens, and gives each client a thread.
pub fn listen(path: &Path, shared: &Arc<Shared>) -> io::Result<()> {
    let listener = UnixListener::bind(path)?;
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let shared = Arc::clone(&shared);
            // A client that goes away needs no answer.
            thread::spawn(move || serve(client, &shared));
        }
    });
    Ok(())
}

fn serve(mut client: UnixStream, shared: &Shared) -> io::Result<()> {
    for line in BufReader::new(client.try_clone()?).lines() {
        let line = line?;
        let answer = shared.call(|machine| command::answer(&line, machine));
        writeln!(client, "{answer}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::machine::Machine;

    #[test]
    fn each_line_is_answered() {
        let machine = Machine::new(pindma_xdma::Config::default()).expect("it can be built");
        let (mut here, there) = UnixStream::pair().expect("a pair of sockets");
        here.write_all(b"calm\nnothing\n").expect("there is room");
        here.shutdown(std::net::Shutdown::Write).expect("open");
        serve(there, &Shared::new(machine)).expect("both lines are served");
        let answers: Vec<_> = BufReader::new(here).lines().map_while(Result::ok).collect();
        assert_eq!(answers[0], "ok");
        assert!(answers[1].starts_with("error: 'nothing' is none of"));
    }
}
