// SPDX-License-Identifier: GPL-2.0

//! Requests by io_uring on the node, and how they end.

use crate::check::{check, errno_name, same, Outcome};
use crate::device::Device;
use crate::sys::rw::Range;
use crate::sys::uring::{Request, Ring};

pub(crate) fn request(write: bool, memory: Range, at: usize) -> Request {
    Request {
        write,
        memory,
        at: at as u64,
        fixed: None,
        flags: 0,
        name: 7,
    }
}

pub(crate) fn fixed_request(write: bool, memory: Range, at: usize) -> Request {
    Request {
        fixed: Some(0),
        ..request(write, memory, at)
    }
}

/// Makes a request and waits for it: its result.
pub(crate) fn run(ring: &mut Ring, device: &Device, request: Request) -> Outcome<i32> {
    ring.submit(device.fd(), request)?;
    let (name, result) = ring.wait()?;
    same("name", name, request.name)?;
    Ok(result)
}

#[track_caller]
pub(crate) fn moved(ring: &mut Ring, device: &Device, request: Request, bytes: usize) -> Outcome {
    same("result", run(ring, device, request)?, bytes as i32)
}

#[track_caller]
pub(crate) fn failed(ring: &mut Ring, device: &Device, request: Request, errno: i32) -> Outcome {
    let result = run(ring, device, request)?;
    check(
        result == -errno,
        format!("result {result}, not {}", errno_name(errno)),
    )
}
