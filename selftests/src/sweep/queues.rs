// SPDX-License-Identifier: GPL-2.0

//! Commands of queues, and read(2) of one.

use super::command::{failed, round_trip, Command, Ended};
use crate::abi::{
    self, pindma_completion, pindma_entry, pindma_queue_cancel, pindma_queue_eventfd, pindma_seg,
};
use crate::check::{check, errno_name, same, Outcome};
use crate::counters;
use crate::device::{errno_of, seg, Device, PAGE};
use crate::flight;
use crate::os;
use crate::pattern;
use crate::queue::{ask, batch, entry, entry_of, wait_into, Queue, RECORD};
use crate::sys::{self, Mapping};

/// What a fault leads to.
const ERRNOS: [i32; 4] = [libc::ENOMEM, libc::EFAULT, libc::ENFILE, libc::EMFILE];

/// `PINDMA_QUEUE_CREATE`.
#[derive(Default)]
pub(crate) struct Create {
    ready: Option<(Device, abi::pindma_queue_create)>,
}

impl Create {
    /// The queue is good, and goes.
    fn try_out(&mut self) -> Outcome {
        let Some((device, made)) = self.ready.take() else {
            return Ok(());
        };
        let queue = Queue::from_fd(sys::inherited_fd(made.out_fd)?)?;
        let memory = Mapping::anonymous(PAGE)?;
        let there = entry(1, abi::TO_DEVICE, 0, seg(&memory, 0, 64));
        queue.submit(&device, &[there]).all(1)?;
        queue.reap(1)?;
        drop(queue);
        let_go()
    }
}

/// What worked for a queue lets go of it as the last.
fn let_go() -> Outcome {
    for _ in 0..100 {
        if counters::driver("queues")? == 0 {
            break;
        }
        crate::module::pause(5);
    }
    Ok(())
}

impl Command for Create {
    fn prepare(&mut self) -> Outcome {
        self.ready = Some((Device::open()?, ask(100)));
        Ok(())
    }

    fn call(&mut self) -> i32 {
        self.ready
            .as_mut()
            .map_or(libc::EBADF, |(device, request)| {
                device.command(abi::PINDMA_QUEUE_CREATE, request)
            })
    }

    fn judge(&mut self, errno: i32) -> Outcome<Ended> {
        if errno != 0 {
            self.ready = None;
            return failed(errno, &ERRNOS);
        }
        self.try_out()?;
        Ok(Ended::Passed)
    }

    fn works(&mut self) -> Outcome {
        self.prepare()?;
        same("errno of the next create", self.call(), 0)?;
        self.try_out()?;
        round_trip()
    }
}

/// What is done with a queue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Submit,
    Wait,
    Read,
    Cancel,
    Eventfd,
}

/// A command of a queue.
pub(crate) struct Use {
    verb: Verb,
    ready: Option<Ready>,
}

struct Ready {
    device: Device,
    queue: Queue,
    src: Mapping,
    _segs: Vec<pindma_seg>,
    entries: Vec<pindma_entry>,
    /// The argument struct, or room for what is read.
    argument: Vec<u8>,
    room: Mapping,
    _eventfd: std::os::fd::OwnedFd,
}

/// Requests of a batch, and completions that are there to be reaped.
const COUNT: u64 = 3;
const LEN: usize = 600;

impl Use {
    fn new(verb: Verb) -> Use {
        Use { verb, ready: None }
    }

    pub(crate) fn submit() -> Use {
        Use::new(Verb::Submit)
    }

    pub(crate) fn wait() -> Use {
        Use::new(Verb::Wait)
    }

    pub(crate) fn read() -> Use {
        Use::new(Verb::Read)
    }

    pub(crate) fn cancel() -> Use {
        Use::new(Verb::Cancel)
    }

    pub(crate) fn eventfd() -> Use {
        Use::new(Verb::Eventfd)
    }

    /// Lets go of everything.
    fn let_go(&mut self) -> Outcome {
        self.ready = None;
        let_go()
    }
}

impl Ready {
    fn new() -> Outcome<Ready> {
        let device = Device::open()?;
        let src = Mapping::anonymous(32 * PAGE)?;
        pattern::write(&src, 0, 32 * PAGE, 5);
        // More ranges than need no memory of their own.
        let segs: Vec<_> = (0..24).map(|page| seg(&src, page * PAGE, 25)).collect();
        let entries = vec![
            entry(0, abi::TO_DEVICE, 0, seg(&src, PAGE - 100, LEN)),
            entry_of(1, abi::TO_DEVICE, LEN, &segs),
            entry(2, abi::TO_DEVICE, 2 * LEN, seg(&src, 0, LEN)),
        ];
        Ok(Ready {
            queue: Queue::create(&device, 8)?,
            device,
            src,
            _segs: segs,
            entries,
            argument: Vec::new(),
            room: Mapping::anonymous(PAGE)?,
            _eventfd: os::eventfd()?,
        })
    }

    fn prepare(&mut self, verb: Verb) -> Outcome {
        if verb != Verb::Submit {
            self.queue.submit(&self.device, &self.entries).all(3)?;
        }
        match verb {
            Verb::Submit => self.argument = sys::bytes_of(&batch(&self.queue, &self.entries)),
            Verb::Wait => {
                flight::wait_for_ends(&self.device, COUNT)?;
                let at = self.room.addr(0);
                self.argument = sys::bytes_of(&wait_into(at, 8, 3, abi::DEADLINE_NONE));
            }
            Verb::Read => {
                flight::wait_for_ends(&self.device, COUNT)?;
                self.argument = vec![0; 8 * RECORD];
            }
            Verb::Cancel => {
                self.argument = sys::bytes_of(&pindma_queue_cancel {
                    size: size_of::<pindma_queue_cancel>() as u32,
                    user_data: 2,
                    ..pindma_queue_cancel::default()
                });
            }
            Verb::Eventfd => {
                self.argument = sys::bytes_of(&pindma_queue_eventfd {
                    size: size_of::<pindma_queue_eventfd>() as u32,
                    fd: std::os::fd::AsRawFd::as_raw_fd(&self._eventfd),
                    ..pindma_queue_eventfd::default()
                });
            }
        }
        Ok(())
    }

    fn call(&mut self, verb: Verb) -> i32 {
        let (fd, command) = match verb {
            Verb::Read => {
                return match os::read(self.queue.fd(), &mut self.argument) {
                    Ok(len) => {
                        self.argument.truncate(len);
                        0
                    }
                    Err(error) => error.raw_os_error().unwrap_or(-1),
                };
            }
            Verb::Submit => (self.device.fd(), abi::PINDMA_SUBMIT),
            Verb::Wait => (self.queue.fd(), abi::PINDMA_QUEUE_WAIT),
            Verb::Cancel => (self.queue.fd(), abi::PINDMA_QUEUE_CANCEL),
            Verb::Eventfd => (self.queue.fd(), abi::PINDMA_QUEUE_EVENTFD),
        };
        errno_of(sys::ioctl(fd, command, &mut self.argument))
    }

    /// How many requests were submitted, and those that the call itself has reaped.
    fn told(&self, verb: Verb, errno: i32) -> (u64, Vec<pindma_completion>) {
        let records = |bytes: &[u8]| bytes.chunks_exact(RECORD).map(sys::from_bytes).collect();
        match verb {
            Verb::Submit => {
                let told: abi::pindma_submit = sys::from_bytes(&self.argument);
                (told.out_submitted.into(), Vec::new())
            }
            Verb::Wait if errno == 0 => {
                let told: abi::pindma_queue_wait = sys::from_bytes(&self.argument);
                let bytes = self.room.read(0, told.out_reaped as usize * RECORD);
                (COUNT, records(&bytes))
            }
            Verb::Read if errno == 0 => (COUNT, records(&self.argument)),
            _ => (COUNT, Vec::new()),
        }
    }

    /// Each request that was submitted has ended, once, and did what it was for.
    fn judge(&self, verb: Verb, errno: i32) -> Outcome<Ended> {
        let (submitted, mut ends) = self.told(verb, errno);
        let rest = submitted as usize - ends.len();
        ends.extend(self.queue.reap(rest)?);
        let mut names: Vec<_> = ends.iter().map(|end| end.user_data).collect();
        names.sort_unstable();
        let wanted: Vec<_> = (0..submitted).collect();
        check(names == wanted, format!("{names:?} of {submitted}"))?;
        let waited = self.queue.wait(8, 1, abi::DEADLINE_NONE);
        waited.nothing(libc::EAGAIN)?;
        for end in ends.iter().filter(|end| end.status == 0) {
            self.arrived(end)?;
        }
        let all =
            submitted == COUNT && (verb == Verb::Cancel || ends.iter().all(|e| e.status == 0));
        match (errno, all) {
            (0, true) => Ok(Ended::Passed),
            (0, false) => self.shortened(),
            (errno, _) => failed(errno, &ERRNOS),
        }
    }

    /// Why not all were taken.
    fn shortened(&self) -> Outcome<Ended> {
        let told: abi::pindma_submit = sys::from_bytes(&self.argument);
        // The last thing may be that the result cannot be told.
        let status = match told.out.status {
            0 => libc::EFAULT,
            status => -status,
        };
        failed(status, &ERRNOS)
    }

    /// What the request has moved lies where it belongs.
    fn arrived(&self, end: &pindma_completion) -> Outcome {
        same("bytes", end.bytes, LEN as u64)?;
        let back = Mapping::anonymous(PAGE)?;
        let at = end.user_data as usize * LEN;
        self.device
            .from_device(at, &[seg(&back, 0, LEN)])
            .succeeded(LEN)?;
        let want = match end.user_data {
            0 => self.src.read(PAGE - 100, LEN),
            1 => (0..24)
                .flat_map(|page| self.src.read(page * PAGE, 25))
                .collect(),
            _ => self.src.read(0, LEN),
        };
        pattern::expect(&back.read(0, LEN), &want)
    }
}

impl Command for Use {
    fn prepare(&mut self) -> Outcome {
        let mut ready = Ready::new()?;
        ready.prepare(self.verb)?;
        self.ready = Some(ready);
        Ok(())
    }

    fn call(&mut self) -> i32 {
        let verb = self.verb;
        self.ready
            .as_mut()
            .map_or(libc::EBADF, |ready| ready.call(verb))
    }

    fn judge(&mut self, errno: i32) -> Outcome<Ended> {
        let ended = match &self.ready {
            Some(ready) => ready.judge(self.verb, errno),
            None => failed(errno, &[]),
        };
        self.let_go()?;
        ended
    }

    fn works(&mut self) -> Outcome {
        self.prepare()?;
        let errno = self.call();
        check(errno == 0, format!("then: {}", errno_name(errno)))?;
        let ended = self.judge(errno)?;
        check(ended == Ended::Passed, format!("then: {ended:?}"))
    }
}
