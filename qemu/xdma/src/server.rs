// SPDX-License-Identifier: MIT OR GPL-2.0

//! The card as QEMU's `vfio-user-pci` sees it, over a socket.

mod backend;
mod bus;
mod channel;
mod command;
mod config;
mod control;
mod figures;
mod irqs;
mod journal;
mod machine;
mod mailbox;
mod maps;
#[cfg(test)]
mod pages;
mod shared;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use pindma_xdma::Config as Build;
use vfio_user::Server;

use backend::Backend;
use machine::Machine;
use shared::Shared;

pub use command::number;

/// Serves one QEMU, from its connection to its end. Says `XDMA: ready` when there is
/// something to connect to, and at the end what happened.
pub fn serve(build: &Build, socket: &Path, control: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let shared = Arc::new(Shared::new(Machine::new(build.clone())?));
    if let Some(path) = control {
        control::listen(path, &shared)?;
    }
    let server = Server::new(socket, true, irqs::offered(build), backend::regions(build))?;
    let card = Arc::clone(&shared);
    thread::spawn(move || card.run_card());
    eprintln!("XDMA: ready");
    if let Err(error) = server.run(&mut Backend(Arc::clone(&shared))) {
        // As when QEMU is killed.
        eprintln!("XDMA: the connection broke: {error}");
    }
    let statistics = shared.call(|machine| machine.statistics());
    eprintln!("XDMA: statistics: {statistics}");
    Ok(())
}
