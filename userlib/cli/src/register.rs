// SPDX-License-Identifier: MIT OR GPL-2.0
//! `pindma register`: what registering memory costs here, and what it brings.

use std::time::{Duration, Instant};

use anyhow::{bail, Result};
use pindma::{Access, Buffer, Capabilities, Device, Done, Region, RegionInfo, Request};
use serde::Serialize;

use crate::args::{AccessArg, RegisterArgs};
use crate::failure::Usage;
use crate::report::{bytes, count, moment, print_json, Table};
use crate::spread::{Spread, Times};

/// Registers memory, says what became of it, and compares transfers.
pub fn run(args: &RegisterArgs) -> Result<()> {
    let device = Device::open(&args.common.device)?;
    let mut buffer = if args.huge {
        Buffer::huge(args.size)?
    } else {
        Buffer::zeroed(args.size)?
    };
    // So that all pages are there, and only registering them is timed.
    buffer.fill(1);
    let start = Instant::now();
    let mut region = Region::options()
        .may_bounce(args.may_bounce)
        .register(&device, buffer, access(args.access))
        .map_err(pindma::Error::from)?;
    let registered = start.elapsed();
    let info = region.info()?;
    let transfers = compare(args, &device, &mut region)?;
    let start = Instant::now();
    region.unregister()?;
    let report = Report::new(&info, registered, start.elapsed(), transfers);
    if args.common.json {
        print_json(&report)
    } else {
        report.table().print()
    }
}

fn access(access: AccessArg) -> Access {
    match access {
        AccessArg::Read => Access::READ,
        AccessArg::Write => Access::WRITE,
        AccessArg::Both => Access::BOTH,
    }
}

/// Times `args.transfers` transfers each: by handle, by address, and copied.
fn compare(args: &RegisterArgs, device: &Device, region: &mut Region) -> Result<Option<Transfers>> {
    let (number, len) = (args.transfers, args.bytes);
    if number == 0 {
        return Ok(None);
    }
    if len > args.size {
        bail!(Usage(
            "a transfer cannot be longer than the memory".to_owned()
        ));
    }
    let reads = args.access == AccessArg::Read;
    let mut memory = Buffer::zeroed(len)?;
    memory.fill(1);
    let request = device.request();
    let by_handle = if reads {
        timed(number, || request.send_all_from(region, ..len))?
    } else {
        timed(number, || request.receive_all_into(region, ..len))?
    };
    let mut plain = |request: Request<'_>| {
        timed(number, || match reads {
            true => request.send_all(&memory),
            false => request.receive_all(&mut memory),
        })
    };
    let by_address = plain(request)?;
    let can_copy = device.info()?.capabilities.contains(Capabilities::MAY_COPY);
    let copied = can_copy.then(|| plain(request.must_copy())).transpose()?;
    Ok(Some(Transfers {
        number,
        bytes: len,
        by_handle,
        by_address,
        copied,
    }))
}

/// How long each of `number` transfers takes.
fn timed(number: u32, mut call: impl FnMut() -> pindma::Result<Done>) -> Result<Spread> {
    let mut times = Times::new()?;
    for _ in 0..number {
        let start = Instant::now();
        call()?;
        times.record(start.elapsed())?;
    }
    Ok(times.spread())
}

/// Seconds of one transfer.
#[derive(Clone, Copy, Debug, Serialize)]
struct Transfers {
    number: u32,
    bytes: usize,
    by_handle: Spread,
    by_address: Spread,
    copied: Option<Spread>,
}

/// What a registration was.  The names of the fields are those of the JSON keys.
#[derive(Debug, Serialize)]
struct Report {
    bytes: u64,
    pages: u64,
    page_sizes: Vec<u64>,
    segments: u64,
    bounced_segments: u64,
    register_seconds: f64,
    unregister_seconds: f64,
    transfer_seconds: Option<Transfers>,
}

impl Report {
    fn new(
        info: &RegionInfo,
        registered: Duration,
        unregistered: Duration,
        transfers: Option<Transfers>,
    ) -> Self {
        Self {
            bytes: info.len,
            pages: info.pages,
            page_sizes: sizes(info.page_sizes),
            segments: info.segments,
            bounced_segments: info.bounced,
            register_seconds: registered.as_secs_f64(),
            unregister_seconds: unregistered.as_secs_f64(),
            transfer_seconds: transfers,
        }
    }

    fn table(&self) -> Table {
        let sizes: Vec<String> = self.page_sizes.iter().map(|size| bytes(*size)).collect();
        let mut table = Table::default();
        table.row("registered", bytes(self.bytes));
        table.row("pinned", count(self.pages, "page"));
        table.row("page sizes", sizes.join(", "));
        table.row("segments", self.segments);
        table.row("bounced", bounced(self.bounced_segments));
        table.row("register", moment(self.register_seconds));
        table.row("unregister", moment(self.unregister_seconds));
        if let Some(transfers) = &self.transfer_seconds {
            transfers.rows(&mut table);
        }
        table
    }
}

impl Transfers {
    fn rows(&self, table: &mut Table) {
        let each = bytes(self.bytes as u64);
        table.title(format!(
            "one transfer of {each}, {} of each kind",
            self.number
        ));
        let heads = ["least", "median", "99 %", "longest"].map(|head| format!("{head:>12}"));
        table.row("", heads.concat());
        table.row("  by handle", self.by_handle);
        table.row("  by address", self.by_address);
        match self.copied {
            Some(copied) => table.row("  copied", copied),
            None => table.row("  copied", "not possible"),
        }
    }
}

/// The sizes that were or'ed together.
fn sizes(sum: u64) -> Vec<u64> {
    let bits = (0..u64::BITS).map(|bit| 1 << bit);
    bits.filter(|size| sum & size != 0).collect()
}

fn bounced(segments: u64) -> String {
    match segments {
        0 => "no".to_owned(),
        number => format!("yes, {}", count(number, "segment")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(median: f64) -> Spread {
        Spread {
            least: median,
            median,
            p99: median,
            most: 4.0 * median,
        }
    }

    #[test]
    fn the_table_says_what_it_costs() {
        let report = Report {
            bytes: 4 << 20,
            pages: 1024,
            page_sizes: sizes(4096 | (2 << 20)),
            segments: 2,
            bounced_segments: 0,
            register_seconds: 0.000_5,
            unregister_seconds: 0.000_025,
            transfer_seconds: Some(Transfers {
                number: 10,
                bytes: 64,
                by_handle: spread(1e-6),
                by_address: spread(2e-6),
                copied: None,
            }),
        };
        let table = report.table();
        for line in [
            "page sizes    4096 bytes (4.0 KiB), 2097152 bytes (2.0 MiB)\n",
            "bounced       no\n",
            "register      500.0 us\n",
            "one transfer of 64 bytes, 10 of each kind\n",
            "                     least      median        99 %     longest\n",
            "  by handle         1.0 us      1.0 us      1.0 us      4.0 us\n",
            "  copied      not possible\n",
        ] {
            assert!(table.text().contains(line), "{line}{}", table.text());
        }
    }
}
