// SPDX-License-Identifier: MIT OR GPL-2.0
//! Nor do threads share it.

use std::rc::Rc;

use pindma::{Buffer, Queue};

fn is_sync<T: Sync>() {}

fn misuse() {
    is_sync::<Queue<(Buffer, Rc<()>)>>();
}

fn main() {}
