// SPDX-License-Identifier: MIT OR GPL-2.0
//! Device nodes: finding them, opening them, and telling them from others.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
#[cfg(test)]
use std::sync::Arc;

use rustix::fs::{
    fstat, fstatfs, major, minor, open, readlinkat, stat, FileType, Mode, OFlags, Stat,
};
use rustix::io::Errno;

#[cfg(test)]
use crate::ffi::fake::Fake;

const FOLDER: &str = "/dev";
const PREFIX: &str = "pindma";

/// Where the kernel names what is behind the number of a device.
const NAMES: &str = "/sys/dev/char";
/// The major number of the kernel's miscellaneous devices, of which pindma's are.
const MISC: u32 = 10;
/// `SYSFS_MAGIC` of `linux/magic.h`.
const SYSFS: u32 = 0x6265_6572;

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
    /// Opens `path`, if it is one; nothing else is opened, as that alone may do
    /// something: a watchdog begins to bite.
    ///
    /// # Errors
    ///
    /// Those of [`verify`](Self::verify), and of open.
    pub(crate) fn open(path: &Path, flags: OFlags) -> rustix::io::Result<Self> {
        identify(&stat(path)?, NAMES.as_ref())?;
        let flags = flags | OFlags::RDWR | OFlags::CLOEXEC;
        // Somebody may have put something else there.
        Self::verify(open(path, flags, Mode::empty())?)
    }

    /// Takes `fd`, if it is one.
    ///
    /// # Errors
    ///
    /// `ENOTTY` if it is something else than a pindma device; `ENXIO` if there is
    /// nothing behind it; `ENOSYS` if the kernel's name of it cannot be seen.
    pub(crate) fn verify(fd: OwnedFd) -> rustix::io::Result<Self> {
        identify(&fstat(&fd)?, NAMES.as_ref())?;
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

/// Whether it is a pindma device, by the kernel's own name of it in sysfs. No path
/// decides that, and no question to it: another driver may do anything with the
/// number of an ioctl.
fn identify(stat: &Stat, names: &Path) -> rustix::io::Result<()> {
    let kind = FileType::from_raw_mode(stat.st_mode);
    if kind != FileType::CharacterDevice || major(stat.st_rdev) != MISC {
        return Err(Errno::NOTTY);
    }
    let name = name_of(minor(stat.st_rdev), names)?;
    number(&name).map(drop).ok_or(Errno::NOTTY)
}

/// The kernel's name of a miscellaneous device.
fn name_of(minor: u32, names: &Path) -> rustix::io::Result<PathBuf> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let names = open(names, flags, Mode::empty()).map_err(|_| Errno::NOSYS)?;
    if fstatfs(&names)?.f_type as u32 != SYSFS {
        return Err(Errno::NOSYS);
    }
    let link = readlinkat(&names, format!("{MISC}:{minor}"), Vec::new());
    let link = link.map_err(|errno| match errno {
        Errno::NOENT => Errno::NXIO,
        other => other,
    })?;
    Ok(OsStr::from_bytes(link.as_bytes()).into())
}

/// The 7 of `.../pindma7`; None for any other name.
fn number(path: &Path) -> Option<u32> {
    let digits = path.file_name()?.to_str()?.strip_prefix(PREFIX)?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use rustix::fs::makedev;

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

    /// What stat says of a miscellaneous device.
    fn misc() -> Stat {
        let mut misc = stat("/dev/null").expect("exists everywhere");
        misc.st_rdev = makedev(MISC, 200);
        misc
    }

    #[test]
    fn nothing_is_known_without_sysfs() {
        for names in ["/nowhere", "/", "/dev/null"] {
            let refused = identify(&misc(), names.as_ref());
            assert_eq!(refused, Err(Errno::NOSYS), "{names}");
        }
    }

    #[test]
    fn what_is_no_misc_device_is_not_looked_up() {
        let null = stat("/dev/null").expect("exists everywhere");
        let refused = identify(&null, "/nowhere".as_ref());
        assert_eq!(refused, Err(Errno::NOTTY));
    }

    #[test]
    fn other_kinds_of_files_are_refused() {
        let folder = open("/", OFlags::DIRECTORY, Mode::empty()).expect("exists everywhere");
        assert_eq!(Node::verify(folder).err(), Some(Errno::NOTTY));
    }
}
