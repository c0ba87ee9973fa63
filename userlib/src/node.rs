// SPDX-License-Identifier: MIT OR GPL-2.0
//! Device nodes: finding them, opening them, and telling them from others.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
#[cfg(test)]
use std::sync::Arc;

use rustix::fs::{fstat, major, minor, open, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::ffi;
#[cfg(test)]
use crate::ffi::fake::Fake;
use crate::sys;

const FOLDER: &str = "/dev";
const PREFIX: &str = "pindma";

/// A file to which pindma's ioctl numbers mean what they should: a device, or a
/// queue or pool that one has made.
#[derive(Debug)]
pub(crate) struct Port {
    fd: OwnedFd,
    /// Stands in for the kernel.
    #[cfg(test)]
    pub(crate) fake: Option<Arc<Fake>>,
}

impl Port {
    fn new(fd: OwnedFd) -> Self {
        Self {
            fd,
            #[cfg(test)]
            fake: None,
        }
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// An open file that is known to be a pindma device.  Public only because sealed
/// traits name it; nobody outside can.
#[derive(Debug)]
pub struct Node(Port);

impl Node {
    /// Opens `path`; `ENOTTY` if it is something else than a pindma device.
    pub(crate) fn open(path: &Path, flags: OFlags) -> rustix::io::Result<Self> {
        let flags = flags | OFlags::RDWR | OFlags::CLOEXEC;
        Self::verify(open(path, flags, Mode::empty())?)
    }

    /// Takes `fd`; `ENOTTY` if it is something else than a pindma device.
    ///
    /// The kernel's own name of the device decides, not the path.  Where sysfs
    /// is not mounted, its answer to INFO does.
    pub(crate) fn verify(fd: OwnedFd) -> rustix::io::Result<Self> {
        let stat = fstat(&fd)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::CharacterDevice {
            return Err(Errno::NOTTY);
        }
        let (major, minor) = (major(stat.st_rdev), minor(stat.st_rdev));
        let link = fs::read_link(format!("/sys/dev/char/{major}:{minor}"));
        let node = Self(Port::new(fd));
        let ours = is_ours(&link, || ffi::info(&node));
        ours.then_some(node).ok_or(Errno::NOTTY)
    }

    /// A device that is not there.
    #[cfg(test)]
    pub(crate) fn fake(fd: OwnedFd, fake: Arc<Fake>) -> Self {
        let fake = Some(fake);
        Self(Port { fd, fake })
    }

    /// What the device has made: a queue or a pool.
    pub(crate) fn made(&self, fd: OwnedFd) -> Port {
        Port {
            #[cfg(test)]
            fake: self.0.fake.clone(),
            ..Port::new(fd)
        }
    }

    pub(crate) fn port(&self) -> &Port {
        &self.0
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.0.fd
    }
}

impl AsFd for Node {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Paths of all device nodes, by number; empty if there are none.
pub(crate) fn list() -> io::Result<Vec<PathBuf>> {
    let mut nodes = Vec::new();
    for entry in fs::read_dir(FOLDER)? {
        let path = entry?.path();
        if let Some(number) = number(&path) {
            nodes.push((number, path));
        }
    }
    nodes.sort();
    Ok(nodes.into_iter().map(|(_, path)| path).collect())
}

/// Whether sysfs has such a name for the device; or, if it has none, whether the
/// device answers as pindma does.
fn is_ours(
    link: &io::Result<PathBuf>,
    info: impl FnOnce() -> rustix::io::Result<sys::pindma_info>,
) -> bool {
    match link {
        Ok(name) => number(name).is_some(),
        Err(_) => info().is_ok_and(|info| is_plausible(&info)),
    }
}

/// Whether this is an answer of pindma, and not what another driver makes of the
/// number.
fn is_plausible(info: &sys::pindma_info) -> bool {
    let is_text = |bytes: &[u8]| bytes[0] != 0 && bytes.contains(&0);
    info.out_page_size as usize == rustix::param::page_size()
        && info.out_channels > 0
        && is_text(&info.out_engine)
        && is_text(&info.out_bus)
}

/// The 7 of `.../pindma7`; None for any other name.
fn number(path: &Path) -> Option<u32> {
    let digits = path.file_name()?.to_str()?.strip_prefix(PREFIX)?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_prefix_and_digits_make_a_name() {
        assert_eq!(number(Path::new("/dev/pindma0")), Some(0));
        assert_eq!(
            number(Path::new("../../devices/virtual/misc/pindma17")),
            Some(17)
        );
        for other in [
            "/dev/pindma",
            "/dev/pindma+1",
            "/dev/pindma0p1",
            "/dev/null",
            "/",
        ] {
            assert_eq!(number(Path::new(other)), None, "{other}");
        }
    }

    #[test]
    fn the_name_in_sysfs_decides() {
        let link = |name: &str| Ok(PathBuf::from(name));
        let unasked = || unreachable!("there is a name");
        let (ours, other) = ("../../misc/pindma0", "../../virtual/mem/null");
        assert!(is_ours(&link(ours), unasked));
        assert!(!is_ours(&link(other), unasked));
    }

    #[test]
    fn without_sysfs_the_answer_decides() {
        let ours = |answer| is_ours(&Err(io::ErrorKind::NotFound.into()), || answer);
        let mut info = sys::pindma_info {
            out_page_size: rustix::param::page_size() as u32,
            out_channels: 1,
            ..Default::default()
        };
        info.out_engine[0] = b'e';
        info.out_bus[0] = b'0';
        assert!(ours(Ok(info)));
        // Another driver knows the number, and does nothing of what it should.
        assert!(!ours(Ok(sys::pindma_info::default())));
        info.out_bus.fill(b'0');
        assert!(!ours(Ok(info)));
        assert!(!ours(Err(Errno::NOTTY)));
    }

    #[test]
    fn other_kinds_of_files_are_refused() {
        let folder = open("/", OFlags::DIRECTORY, Mode::empty()).expect("exists everywhere");
        assert_eq!(Node::verify(folder).err(), Some(Errno::NOTTY));
    }
}
