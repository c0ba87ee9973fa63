// SPDX-License-Identifier: MIT OR GPL-2.0
//! A task waits for completions of a queue that was dropped.

use pindma::{Buffer, Queue, QueueStream, Watch};

fn misuse<W: Watch>(queue: Queue, watch: W) -> QueueStream<'static, Buffer, W> {
    queue.stream(watch)
}

fn main() {}
