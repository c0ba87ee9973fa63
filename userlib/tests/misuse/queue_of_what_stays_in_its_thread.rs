// SPDX-License-Identifier: MIT OR GPL-2.0
//! A queue goes to another thread only if what it owns can.

use std::rc::Rc;

use pindma::{Buffer, Queue};

fn is_send<T: Send>() {}

fn misuse() {
    is_send::<Queue<(Buffer, Rc<()>)>>();
}

fn main() {}
