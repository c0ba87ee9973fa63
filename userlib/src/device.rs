// SPDX-License-Identifier: MIT OR GPL-2.0
//! Open devices.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::error::{decode, Operation};
use crate::node::{self, Node};
use crate::{
    ffi, Access, Buffer, ChannelInfo, Done, Error, Info, Memory, Pool, Queue, Refused, Region,
    Request, Result, Stats,
};

/// An open device.
///
/// All calls take `&self`, and threads may share a device: the kernel lets them
/// take turns on a channel.  Users of a device take turns, and so do the files of
/// a user: to open it once more gains none.  The memory of the device is shared by everybody
/// who has it open, unless it was opened [exclusively](OpenOptions::exclusive).
///
/// Its regions, queues and pools keep the file open, so it is closed when the last
/// of them and the device have been dropped; nothing is in flight then.
///
/// ```no_run
/// use pindma::Device;
///
/// # fn main() -> Result<(), pindma::Error> {
/// for path in Device::list()? {
///     let device = Device::open(&path)?;
///     device.send(b"hello", 0)?;
///     println!("{}: {}", path.display(), device.info()?.engine);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Device {
    node: Arc<Node>,
}

impl Device {
    /// Opens the device at `path`, such as `/dev/pindma0`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound),
    /// [`PermissionDenied`](crate::ErrorKind::PermissionDenied),
    /// [`InUse`](crate::ErrorKind::InUse),
    /// [`NotADevice`](crate::ErrorKind::NotADevice) or, where `/sys` is not mounted,
    /// [`Unidentified`](crate::ErrorKind::Unidentified).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::options().open(path)
    }

    /// For an open that needs more than a path.
    pub fn options() -> OpenOptions {
        OpenOptions::default()
    }

    /// Paths of all device nodes in `/dev`, by number; empty if there are none.
    ///
    /// # Errors
    ///
    /// If `/dev` cannot be read.
    pub fn list() -> Result<Vec<PathBuf>> {
        node::list().map_err(|error| {
            let errno = error.raw_os_error().unwrap_or(Errno::IO.raw_os_error());
            decode::query(Operation::List, errno, 0)
        })
    }

    fn new(node: Node) -> Self {
        Self {
            node: Arc::new(node),
        }
    }

    #[cfg(test)]
    pub(crate) fn from_node(node: Node) -> Self {
        Self::new(node)
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// What the device is and can do, how it stands now, and how much memory
    /// the caller may pin.
    ///
    /// # Errors
    ///
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone), or
    /// [`OlderModule`](crate::ErrorKind::OlderModule).
    pub fn info(&self) -> Result<Info> {
        ffi::info(&self.node)
            .map(|raw| Info::from(&raw))
            .map_err(|errno| decode::query(Operation::Info, errno.raw_os_error(), 0))
    }

    /// What one channel can do; channels are counted from 0.
    ///
    /// # Errors
    ///
    /// [`NoChannel`](crate::ErrorKind::NoChannel), and those of
    /// [`info`](Self::info).
    pub fn channel_info(&self, channel: u32) -> Result<ChannelInfo> {
        ffi::channel_info(&self.node, channel)
            .map(|raw| ChannelInfo::from(&raw))
            .map_err(|errno| decode::query(Operation::ChannelInfo, errno.raw_os_error(), channel))
    }

    /// What has been done through this open file.
    ///
    /// # Errors
    ///
    /// Those of [`info`](Self::info).
    pub fn stats(&self) -> Result<Stats> {
        ffi::stats(&self.node)
            .map(|raw| Stats::from(&raw))
            .map_err(|errno| decode::query(Operation::Stats, errno.raw_os_error(), 0))
    }

    /// A transfer or a copy that needs more than the shortcuts below: another
    /// channel, a deadline.
    pub fn request(&self) -> Request<'_> {
        Request::new(&self.node)
    }

    /// Has the device read `from` into its memory, from byte `at` on, over
    /// channel 0 and without a deadline.
    ///
    /// # Errors
    ///
    /// See [`Request::send`].
    pub fn send(&self, from: &[u8], at: u64) -> Result<Done> {
        self.request().dev_addr(at).send(from)
    }

    /// The same, whatever signals come.
    ///
    /// # Errors
    ///
    /// See [`Request::send_all`].
    pub fn send_all(&self, from: &[u8], at: u64) -> Result<Done> {
        self.request().dev_addr(at).send_all(from)
    }

    /// The same, for several slices that follow each other in device memory.
    ///
    /// # Errors
    ///
    /// See [`Request::send`].
    pub fn send_vectored(&self, from: &[IoSlice<'_>], at: u64) -> Result<Done> {
        self.request().dev_addr(at).send_vectored(from)
    }

    /// Has the device write `to` from its memory, from byte `at` on, over
    /// channel 0 and without a deadline.
    ///
    /// # Errors
    ///
    /// See [`Request::receive`].
    pub fn receive(&self, to: &mut [u8], at: u64) -> Result<Done> {
        self.request().dev_addr(at).receive(to)
    }

    /// The same, whatever signals come.
    ///
    /// # Errors
    ///
    /// See [`Request::receive_all`].
    pub fn receive_all(&self, to: &mut [u8], at: u64) -> Result<Done> {
        self.request().dev_addr(at).receive_all(to)
    }

    /// The same, for several slices that follow each other in device memory.
    ///
    /// # Errors
    ///
    /// See [`Request::receive`].
    pub fn receive_vectored(&self, to: &mut [IoSliceMut<'_>], at: u64) -> Result<Done> {
        self.request().dev_addr(at).receive_vectored(to)
    }

    /// Has the device copy `from` to `to`, which must be equally long, by way
    /// of its memory, over channel 0 and without a deadline.
    ///
    /// # Errors
    ///
    /// See [`Request::copy`].
    pub fn copy(&self, from: &[u8], to: &mut [u8]) -> Result<Done> {
        self.request().copy(from, to)
    }

    /// The same, whatever signals come.
    ///
    /// # Errors
    ///
    /// See [`Request::copy_all`].
    pub fn copy_all(&self, from: &[u8], to: &mut [u8]) -> Result<Done> {
        self.request().copy_all(from, to)
    }

    /// The same, for several slices on either side; the sums of the lengths
    /// must be equal.
    ///
    /// # Errors
    ///
    /// See [`Request::copy`].
    pub fn copy_vectored(&self, from: &[IoSlice<'_>], to: &mut [IoSliceMut<'_>]) -> Result<Done> {
        self.request().copy_vectored(from, to)
    }

    /// Pins, charges and maps `buffer` once, for what `access` says the device
    /// may do with it; see [`Region`] and [`Region::options`].
    ///
    /// # Errors
    ///
    /// See [`RegionOptions::register`](crate::RegionOptions::register).
    pub fn register(
        &self,
        buffer: Buffer,
        access: Access,
    ) -> std::result::Result<Region, Refused<Buffer>> {
        Region::options().register(self, buffer, access)
    }

    /// Makes a queue for at most `depth` requests that are in flight or not yet
    /// reaped.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) (`depth` is 0, or more than
    /// [`max_depth`](Info::max_depth)), [`TooMany`](crate::ErrorKind::TooMany)
    /// (there are [`max_queues`](Info::max_queues) of this file),
    /// [`OutOfMemory`](crate::ErrorKind::OutOfMemory),
    /// [`DeviceGone`](crate::ErrorKind::DeviceGone).
    pub fn queue<M: Memory>(&self, depth: u32) -> Result<Queue<M>> {
        Queue::new(self, depth)
    }

    /// Has the kernel allocate `count` buffers of `buffer_bytes`, for what
    /// `access` says the device may do with them; see [`Pool::options`].
    ///
    /// # Errors
    ///
    /// See [`PoolOptions::create`](crate::PoolOptions::create).
    pub fn pool(&self, buffer_bytes: usize, count: u32, access: Access) -> Result<Pool> {
        Pool::options().create(self, buffer_bytes, count, access)
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.node.as_fd()
    }
}

/// Takes a file that was opened elsewhere, for example by a service manager
/// that may open the node for a program that may not.
///
/// Fails with [`NotADevice`](crate::ErrorKind::NotADevice) if the file is
/// something else, and with [`Unidentified`](crate::ErrorKind::Unidentified) where
/// nobody knows; it is closed then.
impl TryFrom<OwnedFd> for Device {
    type Error = Error;

    fn try_from(fd: OwnedFd) -> Result<Self> {
        let node = Node::verify(fd);
        node.map(Self::new)
            .map_err(|errno| decode::open("file descriptor".as_ref(), errno.raw_os_error()))
    }
}

/// Gives the open file away; fails, and hands the device back, while there are
/// regions, queues or pools of it.
impl TryFrom<Device> for OwnedFd {
    type Error = Device;

    fn try_from(device: Device) -> std::result::Result<Self, Device> {
        Arc::try_unwrap(device.node)
            .map(Node::into_fd)
            .map_err(|node| Device { node })
    }
}

/// How to open a device.
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// let device = pindma::Device::options()
///     .exclusive(true)
///     .open("/dev/pindma0")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "options do nothing before open"]
pub struct OpenOptions {
    exclusive: bool,
    nonblock: bool,
}

impl OpenOptions {
    /// Whether nobody else may have the device open, before or after: until
    /// this file is closed every other open is [`InUse`](crate::ErrorKind::InUse).
    pub fn exclusive(mut self, exclusive: bool) -> Self {
        self.exclusive = exclusive;
        self
    }

    /// Whether calls on a channel that is busy are refused with
    /// [`Busy`](crate::ErrorKind::Busy) instead of waiting for their turn.
    pub fn nonblock(mut self, nonblock: bool) -> Self {
        self.nonblock = nonblock;
        self
    }

    /// Opens the device at `path`.
    ///
    /// # Errors
    ///
    /// See [`Device::open`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<Device> {
        let path = path.as_ref();
        Node::open(path, self.flags())
            .map(Device::new)
            .map_err(|errno| decode::open(path, errno.raw_os_error()))
    }

    fn flags(self) -> OFlags {
        let mut flags = OFlags::empty();
        flags.set(OFlags::EXCL, self.exclusive);
        flags.set(OFlags::NONBLOCK, self.nonblock);
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::fake::Fake;
    use crate::{sys, ErrorKind};

    #[test]
    fn options_become_flags() {
        assert_eq!(Device::options().flags(), OFlags::empty());
        assert_eq!(Device::options().exclusive(true).flags(), OFlags::EXCL);
        assert_eq!(Device::options().nonblock(true).flags(), OFlags::NONBLOCK);
    }

    #[test]
    fn a_call_for_all_goes_on_after_signals() {
        let (device, fake) = Fake::device();
        for _ in 0..3 {
            fake.refuse(sys::PINDMA_TRANSFER, Errno::INTR);
        }
        let error = device.send(&[1; 100], 5).expect_err("a signal");
        assert_eq!(error.kind(), &ErrorKind::Interrupted);
        assert_eq!(device.send_all(&[1; 100], 5).expect("sent").bytes, 100);
        let mut back = [0; 100];
        fake.refuse(sys::PINDMA_TRANSFER, Errno::INTR);
        device.receive_all(&mut back, 5).expect("received");
        assert_eq!(back, [1; 100]);
        fake.refuse(sys::PINDMA_TRANSFER, Errno::INTR);
        fake.refuse(sys::PINDMA_TRANSFER, Errno::IO);
        let error = device.send_all(&[1; 100], 5).expect_err("broken");
        assert_eq!(error.kind(), &ErrorKind::DeviceError);
    }

    #[test]
    fn what_is_no_device_is_not_even_opened() {
        // Where one would connect, not open.
        let socket = std::env::temp_dir().join(format!("pindma-{}", std::process::id()));
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a new file");
        let error = Device::open(&socket).expect_err("a socket");
        std::fs::remove_file(&socket).expect("there still");
        assert!(
            matches!(error.kind(), ErrorKind::NotADevice { .. }),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_device_is_refused_by_name() {
        let error = Device::open("/").expect_err("a folder");
        assert!(matches!(error.kind(), ErrorKind::NotADevice { path } if path == Path::new("/")));
        let error = Device::open("/dev/null").expect_err("another one");
        assert!(matches!(error.kind(), ErrorKind::NotADevice { .. }));
        let error = Device::open("/nowhere").expect_err("does not exist");
        assert!(matches!(error.kind(), ErrorKind::NotFound { .. }));
    }
}
