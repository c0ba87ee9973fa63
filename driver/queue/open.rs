// SPDX-License-Identifier: GPL-2.0

//! The file of a queue: its ioctls, read(2) and poll(2), and how it is made.

use kernel::{
    fs::File as VfsFile,
    iov::IovIterDest,
    prelude::*,
    seq_file::{
        seq_print,
        SeqFile, //
    },
    sync::{
        poll::PollTable,
        Arc, //
    },
    transmute::AsBytes,
    uaccess::UserPtr, //
};

use super::{
    Level,
    Queue,
    Reaped,
    MAX_DEPTH, //
};
use crate::{
    base::{
        batch,
        deadline::Deadline,
        failure::restartable, //
    },
    card::{
        entry::{
            Name,
            Which, //
        },
        watch::Watching, //
    },
    kapi::{
        abi::{
            self,
            pindma_completion,
            pindma_queue_cancel,
            pindma_queue_create,
            pindma_queue_eventfd,
            pindma_queue_wait,
            Call, //
        },
        anon::{
            Kind,
            Mode,
            NewFile, //
        },
        eventfd::EventFd,
        file_ops::{
            FileOps,
            OpenFlags,
            Ready, //
        },
        gfp,
        signal, //
    },
    queue::backlog::Backlog, //
};

/// Files that are queues.
pub(crate) static QUEUES: Kind<Open> = Kind::new(c"[pindma-queue]");

/// Completions that are copied out before the caller is told of them.
const AT_A_TIME: usize = 8;

const RECORD: usize = size_of::<pindma_completion>();

/// A queue as the VFS holds it; dropping it is the release.
pub(crate) struct Open(
    Arc<Queue>,
    #[expect(dead_code, reason = "dropped")] Watching,
);

/// `PINDMA_QUEUE_CREATE`.
pub(crate) fn create(backlog: &Arc<Backlog>, arg: UserPtr) -> Result<isize> {
    let mut call = Call::<pindma_queue_create>::read(arg)?;
    let made = make(backlog, &call.arg);
    call.arg.out_fd = made.as_ref().map_or(-1, NewFile::fd);
    // Before it is installed: then there is no way back.
    call.write_back()?;
    made?.install();
    Ok(0)
}

fn make(backlog: &Arc<Backlog>, arg: &pindma_queue_create) -> Result<NewFile> {
    let mode = match arg.flags {
        0 => Mode::Both,
        abi::PINDMA_QUEUE_NO_READ => Mode::NoRead,
        _ => return Err(EOPNOTSUPP),
    };
    if arg.depth == 0 || arg.depth > MAX_DEPTH {
        return Err(EINVAL);
    }
    let open = KBox::new(Open::new(backlog, arg.depth)?, gfp::for_user())?;
    QUEUES.make(open, mode)
}

impl Open {
    fn new(backlog: &Arc<Backlog>, depth: u32) -> Result<Self> {
        let queue = Queue::new(backlog.clone(), depth)?;
        let watching = Watching::new(backlog.device().watch(), queue.clone())?;
        backlog.add(&queue)?;
        Ok(Self(queue, watching))
    }

    /// The queue.
    pub(crate) fn queue(&self) -> &Arc<Queue> {
        &self.0
    }

    /// `PINDMA_QUEUE_WAIT`: waits, then reaps what is there.
    fn wait(&self, arg: UserPtr, nonblocking: bool) -> Result<isize> {
        let mut call = Call::<pindma_queue_wait>::read(arg)?;
        (call.arg.out_reaped, call.arg.out_in_flight) = (0, 0);
        let wait = Wait::check(&call.arg, nonblocking);
        let end = wait.and_then(|wait| self.reap(&wait, &mut call));
        if call.arg.out_reaped == 0 {
            call.arg.out_in_flight = self.0.level().in_flight as u32;
            call.write_back()?;
        }
        end.map(|()| 0).map_err(restartable)
    }

    fn reap(&self, wait: &Wait, call: &mut Call<pindma_queue_wait>) -> Result {
        let enough = |level: Level| level.ready >= wait.min || level.coming == 0;
        loop {
            let waited = match wait.patient {
                true => self.0.wait(wait.deadline, enough),
                false => Ok(()),
            };
            // The call is made again, and finds what there is by then.
            if waited == Err(EINTR) && !signal::acts() {
                return waited;
            }
            self.fill(call)?;
            if call.arg.out_reaped > 0 {
                return Ok(());
            }
            waited?;
            let level = self.0.level();
            // Else somebody else was faster.
            if !wait.patient || level.is_empty() {
                return Err(self.nothing(level));
            }
        }
    }

    /// Copies out what there is. `EFAULT` only if nothing was.
    fn fill(&self, call: &mut Call<pindma_queue_wait>) -> Result {
        while call.arg.out_reaped < call.arg.max {
            match self.fill_some(call) {
                Ok(0) => break,
                Ok(_) => {}
                Err(_) if call.arg.out_reaped > 0 => break,
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }

    /// Copies some completions out, and how many there are by now. If that cannot be told, they
    /// stay.
    fn fill_some(&self, call: &mut Call<pindma_queue_wait>) -> Result<u32> {
        let mut some: [Option<Reaped<'_>>; AT_A_TIME] = Default::default();
        let (before, mut after) = (call.arg.out_reaped, call.arg.out_reaped);
        for place in &mut some {
            if after == call.arg.max {
                break;
            }
            let Some(reaped) = self.0.reap() else {
                break;
            };
            match abi::write_element(call.arg.completions, after, &reaped.told()) {
                Ok(()) => *place = Some(reaped),
                Err(_) if after > before => break,
                Err(why) => return Err(why),
            }
            after += 1;
        }
        if after > before {
            call.arg.out_in_flight = self.0.level().in_flight as u32;
            call.arg.out_reaped = after;
            call.write_back()
                .inspect_err(|_| call.arg.out_reaped = before)?;
        }
        some.into_iter().flatten().for_each(Reaped::keep);
        Ok(after - before)
    }

    /// What to say when there is nothing to be reaped.
    fn nothing(&self, level: Level) -> Error {
        match self.0.over() {
            Some(why) if why != ECANCELED && level.is_empty() => why,
            _ => EAGAIN,
        }
    }

    /// `PINDMA_QUEUE_CANCEL`.
    fn cancel(&self, arg: UserPtr) -> Result<isize> {
        let mut call = Call::<pindma_queue_cancel>::read(arg)?;
        call.arg.out_canceled = 0;
        call.write_back()?;
        call.arg.out_canceled = self.0.cancel(self.which(&call.arg)?);
        call.write_back()?;
        match call.arg.out_canceled {
            0 => Err(self.0.unusable().unwrap_or(ENOENT)),
            _ => Ok(0),
        }
    }

    fn which(&self, arg: &pindma_queue_cancel) -> Result<Which> {
        let queue = self.0.id();
        let which = match arg.flags {
            0 => Which::Request(Name {
                queue,
                user_data: arg.user_data,
            }),
            abi::PINDMA_CANCEL_ALL if arg.user_data != 0 => return Err(EINVAL),
            abi::PINDMA_CANCEL_ALL => Which::Queue(queue),
            _ => return Err(EOPNOTSUPP),
        };
        match arg.reserved {
            0 => Ok(which),
            _ => Err(EINVAL),
        }
    }

    /// `PINDMA_QUEUE_EVENTFD`.
    fn set_eventfd(&self, arg: UserPtr) -> Result<isize> {
        let call = Call::<pindma_queue_eventfd>::read(arg)?;
        if call.arg.flags != 0 {
            return Err(EOPNOTSUPP);
        }
        if call.arg.reserved != 0 {
            return Err(EINVAL);
        }
        if let Some(why) = self.0.unusable() {
            return Err(why);
        }
        let eventfd = match call.arg.fd {
            -1 => None,
            fd => Some(EventFd::get(fd)?),
        };
        self.0.set_eventfd(eventfd);
        Ok(0)
    }
}

/// How long `PINDMA_QUEUE_WAIT` waits, and for what.
struct Wait {
    min: usize,
    deadline: Deadline,
    patient: bool,
}

impl Wait {
    fn check(arg: &pindma_queue_wait, nonblocking: bool) -> Result<Self> {
        if arg.flags != 0 {
            return Err(EOPNOTSUPP);
        }
        batch::check(arg.max)?;
        if arg.min > arg.max {
            return Err(EINVAL);
        }
        Ok(Self {
            min: arg.min as usize,
            deadline: Deadline::from_abi(arg.deadline).ok_or(EINVAL)?,
            patient: arg.min > 0 && !nonblocking,
        })
    }
}

#[vtable]
impl FileOps for Open {
    fn ioctl(&self, cmd: u32, arg: UserPtr, flags: OpenFlags) -> Result<isize> {
        match cmd {
            abi::PINDMA_QUEUE_WAIT => self.wait(arg, flags.nonblocking()),
            abi::PINDMA_QUEUE_CANCEL => self.cancel(arg),
            abi::PINDMA_QUEUE_EVENTFD => self.set_eventfd(arg),
            _ => Err(ENOTTY),
        }
    }

    fn read(&self, into: &mut IovIterDest<'_>, flags: OpenFlags) -> Result<usize> {
        if into.len() < RECORD {
            return Err(EINVAL);
        }
        loop {
            let mut bytes = 0;
            while into.len() >= RECORD {
                let Some(reaped) = self.0.reap() else {
                    break;
                };
                if into.copy_to_iter(reaped.told().as_bytes()) < RECORD {
                    return if bytes > 0 { Ok(bytes) } else { Err(EFAULT) };
                }
                reaped.keep();
                bytes += RECORD;
            }
            if bytes > 0 {
                return Ok(bytes);
            }
            match self.0.over() {
                Some(why) if self.0.level().is_empty() => return end_of_file(why),
                _ if flags.nonblocking() => return Err(EAGAIN),
                _ => {}
            }
            let over = || self.0.over().is_some();
            let enough = |level: Level| level.ready > 0 || level.is_empty() && over();
            let waited = self.0.wait(Deadline::NONE, enough);
            waited.map_err(restartable)?;
        }
    }

    fn poll(&self, file: &VfsFile, table: PollTable<'_>) -> Ready {
        table.register_wait(file, &self.0.changed);
        let level = self.0.level();
        Ready {
            readable: level.ready > 0,
            hung_up: level.coming == 0 && self.0.over().is_some(),
            ..Ready::default()
        }
    }

    fn show(&self, out: &SeqFile) {
        let level = self.0.level();
        seq_print!(out, "pindma-depth:\t{}\n", self.0.depth);
        seq_print!(out, "pindma-in_flight:\t{}\n", level.in_flight);
        seq_print!(out, "pindma-ready:\t{}\n", level.ready);
    }
}

/// What a read gives when nothing will ever come again.
fn end_of_file(why: Error) -> Result<usize> {
    if why == ECANCELED {
        Ok(0)
    } else {
        Err(why)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}
