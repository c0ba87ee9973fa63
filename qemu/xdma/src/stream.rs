// SPDX-License-Identifier: MIT OR GPL-2.0

//! What stands behind the channels of a streaming build.

/// Where the packets of an H2C channel go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sink {
    /// They are kept until somebody takes them.
    #[default]
    Keep,
    /// They are dropped.
    Discard,
    /// They come back through the C2H channel of the same number.
    Loopback,
}
