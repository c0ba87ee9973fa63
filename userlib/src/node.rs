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

#[cfg(test)]
use crate::ffi::fake::Fake;

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
    /// is not mounted, being a character device has to do.
    pub(crate) fn verify(fd: OwnedFd) -> rustix::io::Result<Self> {
        let stat = fstat(&fd)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::CharacterDevice {
            return Err(Errno::NOTTY);
        }
        let (major, minor) = (major(stat.st_rdev), minor(stat.st_rdev));
        let link = fs::read_link(format!("/sys/dev/char/{major}:{minor}"));
        if is_foreign(&link) {
            return Err(Errno::NOTTY);
        }
        Ok(Self(Port::new(fd)))
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

/// Whether sysfs has another name for the device; not so if it has none.
fn is_foreign(link: &io::Result<PathBuf>) -> bool {
    link.as_ref().is_ok_and(|name| number(name).is_none())
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
        assert!(!is_foreign(&link("../../devices/virtual/misc/pindma0")));
        assert!(is_foreign(&link("../../devices/virtual/mem/null")));
        assert!(!is_foreign(&Err(io::ErrorKind::NotFound.into())));
    }

    #[test]
    fn other_kinds_of_files_are_refused() {
        let folder = open("/", OFlags::DIRECTORY, Mode::empty()).expect("exists everywhere");
        assert_eq!(Node::verify(folder).err(), Some(Errno::NOTTY));
    }
}
