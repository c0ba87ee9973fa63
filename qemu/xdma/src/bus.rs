// SPDX-License-Identifier: MIT OR GPL-2.0

//! Requests on the link. None crosses a page of 4 KiB.

use crate::host::{BusError, Host};

const PAGE: u64 = 4096;

/// Reads a range; what came before a failure stays in `data`.
pub(crate) fn read(host: &mut dyn Host, address: u64, data: &mut [u8]) -> Result<(), BusError> {
    let mut done = 0;
    while done < data.len() {
        let at = address.wrapping_add(done as u64);
        let end = done + to_page_end(at, data.len() - done);
        host.read(at, &mut data[done..end])?;
        done = end;
    }
    Ok(())
}

/// Writes a range. A page that cannot be written does not keep the next ones from it:
/// writes are posted. Returns how many were lost.
pub(crate) fn write(host: &mut dyn Host, address: u64, data: &[u8]) -> u64 {
    let (mut done, mut lost) = (0, 0);
    while done < data.len() {
        let at = address.wrapping_add(done as u64);
        let end = done + to_page_end(at, data.len() - done);
        lost += u64::from(host.write(at, &data[done..end]).is_err());
        done = end;
    }
    lost
}

fn to_page_end(address: u64, length: usize) -> usize {
    length.min((PAGE - address % PAGE) as usize)
}
