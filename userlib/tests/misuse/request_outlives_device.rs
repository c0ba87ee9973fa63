// SPDX-License-Identifier: MIT OR GPL-2.0
//! A request is of an open device.

use pindma::Device;

fn misuse(device: Device) {
    let request = device.request();
    drop(device);
    let _ = request.send(b"late");
}

fn main() {}
