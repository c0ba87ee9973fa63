// SPDX-License-Identifier: MIT OR GPL-2.0

//! The machine between its threads: the card's own, that of QEMU's socket, those of
//! control.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use pindma_xdma::Progress;

use super::machine::Machine;

/// A machine that one thread has at a time. A caller waits for the piece of work that the
/// card is at, never for more: so an unmap returns when the range is not touched any more.
pub struct Shared {
    machine: Mutex<Machine>,
    /// The card may have something to do.
    bell: Condvar,
    /// Threads that wait for the machine; a lock alone would let the card have it again
    /// before them.
    callers: AtomicUsize,
}

impl Shared {
    /// Of a machine that nobody has yet.
    pub fn new(machine: Machine) -> Shared {
        Shared {
            machine: Mutex::new(machine),
            bell: Condvar::new(),
            callers: AtomicUsize::new(0),
        }
    }

    /// Does something with the machine; then the card looks for work.
    pub fn call<R>(&self, work: impl FnOnce(&mut Machine) -> R) -> R {
        self.callers.fetch_add(1, Ordering::SeqCst);
        let mut machine = self.lock();
        self.callers.fetch_sub(1, Ordering::SeqCst);
        let result = work(&mut machine);
        drop(machine);
        self.bell.notify_one();
        result
    }

    /// The life of the card: it works until there is nothing to do, and waits.
    pub fn run_card(&self) -> ! {
        let mut machine = self.lock();
        loop {
            machine = match machine.step() {
                Progress::Worked => self.give_way(machine),
                Progress::Idle => relocked(self.bell.wait(machine)),
                Progress::Until(moment) => {
                    let time = moment.saturating_sub(machine.now());
                    relocked(self.bell.wait_timeout(machine, time)).0
                }
            };
        }
    }

    fn give_way<'a>(&'a self, machine: MutexGuard<'a, Machine>) -> MutexGuard<'a, Machine> {
        if self.callers.load(Ordering::SeqCst) == 0 {
            return machine;
        }
        drop(machine);
        while self.callers.load(Ordering::SeqCst) > 0 {
            thread::yield_now();
        }
        self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        relocked(self.machine.lock())
    }
}

/// After a panic the machine is half way between two states, and the whole program ends.
fn relocked<T>(result: Result<T, PoisonError<T>>) -> T {
    result.expect("no thread panicked with the machine")
}
