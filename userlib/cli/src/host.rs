// SPDX-License-Identifier: MIT OR GPL-2.0
//! The machine that the program runs on.

/// The kernel's release, such as 7.3.4+deb13-amd64.
pub fn kernel_release() -> String {
    rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned()
}
