// SPDX-License-Identifier: MIT OR GPL-2.0
//! The machine that the program runs on.

use std::fs;
use std::path::Path;

/// The kernel's release, such as 7.3.4+deb13-amd64.
pub fn kernel_release() -> String {
    rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned()
}

/// Where the device is on the bus, as the files below `root` tell.
pub fn bus_of(root: &Path, node: &Path) -> Option<String> {
    let name = node.file_name()?;
    let device = root.join("sys/class/misc").join(name).join("device");
    let target = fs::read_link(device).ok()?;
    Some(target.file_name()?.to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn the_bus_is_found_without_the_device() {
        let root = std::env::temp_dir().join(format!("pindma-stat-{}", std::process::id()));
        let folder = root.join("sys/class/misc/pindma0");
        fs::create_dir_all(&folder).expect("a folder");
        let target = PathBuf::from("../../../0000:00:03.0");
        std::os::unix::fs::symlink(target, folder.join("device")).expect("a link");
        let bus = |node| bus_of(&root, Path::new(node));
        assert_eq!(bus("/dev/pindma0").as_deref(), Some("0000:00:03.0"));
        assert_eq!(bus("/dev/pindma1"), None);
        fs::remove_dir_all(&root).expect("its own");
    }
}
