// SPDX-License-Identifier: MIT OR GPL-2.0
//! Queues of the kernel for tests.

use std::collections::VecDeque;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::event::{eventfd, EventfdFlags};
use rustix::io::{dup, read, write, Errno};

use super::{array, room, segs, Ended, Fake, State, STARTED};
use crate::{sys, Deadline};

/// How long a test waits for what should have come.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) struct FakeQueue {
    /// Readable when there are completions.
    ready: OwnedFd,
    depth: usize,
    in_flight: VecDeque<Request>,
    done: VecDeque<sys::pindma_completion>,
    seq: u64,
}

#[derive(Debug)]
struct Request {
    entry: sys::pindma_entry,
    segs: Vec<sys::pindma_seg>,
}

impl FakeQueue {
    pub(super) fn uses(&self, handle: u32) -> bool {
        let mut segs = self.in_flight.iter().flat_map(|request| &request.segs);
        segs.any(|seg| seg.handle == handle)
    }

    fn end(&mut self, user_data: u64, ended: Result<u64, Errno>) {
        let (status, bytes) = match ended {
            Ok(bytes) => (0, bytes),
            Err(errno) => (-errno.raw_os_error(), 0),
        };
        self.done.push_back(sys::pindma_completion {
            user_data,
            status,
            flags: STARTED,
            bytes,
            seq: self.seq,
            ..Default::default()
        });
        self.seq += 1;
        write(&self.ready, &1u64.to_ne_bytes()).expect("an eventfd");
    }
}

impl State {
    pub(super) fn create_queue(&mut self, arg: &mut sys::pindma_queue_create) -> Ended {
        if arg.depth == 0 {
            return Err(Errno::INVAL);
        }
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).expect("an eventfd");
        let queue = FakeQueue {
            ready: dup(&fd).expect("a file"),
            depth: arg.depth as usize,
            in_flight: VecDeque::new(),
            done: VecDeque::new(),
            seq: 0,
        };
        self.queues.insert(fd.as_raw_fd(), queue);
        arg.out_fd = fd.into_raw_fd();
        Ok(())
    }

    pub(super) fn perform_one(&mut self) -> bool {
        let busy = |queue: &&mut FakeQueue| !queue.in_flight.is_empty();
        let next = self.queues.values_mut().find(busy);
        let fd = next.map(|queue| queue.ready.as_raw_fd());
        let Some(request) = fd.and_then(|ready| self.by_ready(ready).in_flight.pop_front()) else {
            return false;
        };
        let entry = request.entry;
        let ended = self.perform(entry.direction, entry.dev_addr, &request.segs);
        let queue = fd.map(|ready| self.by_ready(ready)).expect("just found");
        queue.end(entry.user_data, ended);
        true
    }

    fn by_ready(&mut self, ready: RawFd) -> &mut FakeQueue {
        let mut queues = self.queues.values_mut();
        let queue = queues.find(|queue| queue.ready.as_raw_fd() == ready);
        queue.expect("a queue of this test")
    }

    fn queue(&mut self, fd: RawFd) -> Result<&mut FakeQueue, Errno> {
        self.queues.get_mut(&fd).ok_or(Errno::BADF)
    }
}

impl Fake {
    pub(super) fn submit(&self, arg: &mut sys::pindma_submit) -> Ended {
        let mut state = self.lock();
        let queue = state.queue(arg.queue)?;
        // SAFETY: the vector is valid, as the caller of the command vouches.
        let entries: &[sys::pindma_entry] = unsafe { array(arg.entries, arg.nr_entries) };
        for entry in entries {
            let errno = if queue.in_flight.len() + queue.done.len() == queue.depth {
                Errno::AGAIN
            } else if entry.channel != 0 {
                arg.out.field = sys::PINDMA_FIELD_CHANNEL;
                Errno::NOENT
            } else {
                queue.in_flight.push_back(request(entry));
                arg.out_submitted += 1;
                continue;
            };
            arg.out.status = -errno.raw_os_error();
            break;
        }
        self.changed.notify_all();
        match arg.out_submitted {
            0 => Err(Errno::from_raw_os_error(-arg.out.status)),
            _ => Ok(()),
        }
    }

    /// As long as nothing is held, waiting is what makes the device work.
    pub(super) fn wait(&self, fd: RawFd, arg: &mut sys::pindma_queue_wait) -> Ended {
        let mut state = self.lock();
        let wanted = arg.min as usize;
        while state.queue(fd)?.done.len() < wanted && !state.queue(fd)?.in_flight.is_empty() {
            if !state.held {
                state.perform_one();
                continue;
            }
            if arg.deadline != Deadline::NONE.as_nanos() {
                break;
            }
            let (held, timeout) = self
                .changed
                .wait_timeout(state, PATIENCE)
                .expect("tests end");
            assert!(!timeout.timed_out(), "nobody lets the requests go");
            state = held;
        }
        let queue = state.queue(fd)?;
        if queue.done.is_empty() {
            let waited_for_nothing = wanted == 0 || queue.in_flight.is_empty();
            let errno = [Errno::TIMEDOUT, Errno::AGAIN][usize::from(waited_for_nothing)];
            return Err(errno);
        }
        let count = queue.done.len().min(arg.max as usize);
        // SAFETY: there is room, as the caller of the command vouches.
        let records = unsafe { room(arg.completions, arg.max) };
        for (record, done) in records.iter_mut().zip(queue.done.drain(..count)) {
            *record = done;
        }
        if queue.done.is_empty() {
            let _ = read(&queue.ready, &mut [0u8; 8]);
        }
        arg.out_reaped = count as u32;
        arg.out_in_flight = queue.in_flight.len() as u32;
        Ok(())
    }

    /// What is cancelled ends at once, held or not.
    pub(super) fn cancel(&self, fd: RawFd, arg: &mut sys::pindma_queue_cancel) -> Ended {
        let mut state = self.lock();
        let all = arg.flags & sys::PINDMA_CANCEL_ALL != 0;
        let queue = state.queue(fd)?;
        let (over, rest): (VecDeque<_>, _) = std::mem::take(&mut queue.in_flight)
            .into_iter()
            .partition(|request| all || request.entry.user_data == arg.user_data);
        queue.in_flight = rest;
        for request in &over {
            queue.end(request.entry.user_data, Err(Errno::CANCELED));
        }
        self.changed.notify_all();
        arg.out_canceled = over.len() as u32;
        (!over.is_empty()).then_some(()).ok_or(Errno::NOENT)
    }
}

fn request(entry: &sys::pindma_entry) -> Request {
    let segs = match entry.nr_segs {
        0 => vec![entry.seg],
        // SAFETY: the vector is valid, as the caller of the command vouches.
        count => unsafe { segs(entry.segs, count) }.to_vec(),
    };
    Request {
        entry: *entry,
        segs,
    }
}
