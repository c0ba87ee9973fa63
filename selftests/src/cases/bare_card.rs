// SPDX-License-Identifier: GPL-2.0

//! The model of XDMA without a driver: that it is there, and what it says of itself.

use std::io::Read;
use std::os::fd::AsFd;
use std::time::Duration;

use crate::card::{Bare, Card};
use crate::check::{check, same, Outcome};
use crate::leg::Leg;
use crate::os;
use crate::table::{Case, Needs};

const NEEDS: Needs = Needs::Only(&[Leg::Xdma], "no XDMA card here");

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "the_card_names_its_blocks",
        "identifiers of the engine's registers; absent channels read 0",
        blocks,
    )
    .needs(NEEDS),
    Case::new(
        "the_card_offers_interrupts_and_no_reset",
        "MSI-X in the DMA BAR, 32 vectors; no function level reset",
        capabilities,
    )
    .needs(NEEDS),
    Case::new(
        "the_card_takes_commands_from_the_guest",
        "in the last page of the user's BAR",
        commands,
    )
    .needs(NEEDS),
    Case::new(
        "the_card_interrupts_by_its_line",
        "a user interrupt on INTA, seen through uio; it stays up until it is lowered",
        line,
    )
    .needs(NEEDS)
    .not_on_debug("this kernel has no uio"),
];

fn blocks(_: Leg) -> Outcome {
    let _bare = Bare::begin()?;
    let engine = Card::find()?.engine()?;
    let named = [
        (0x0000, 0x1fc0_0000),
        (0x0100, 0x1fc0_0100),
        (0x0200, 0),
        (0x1000, 0x1fc1_0000),
        (0x1100, 0x1fc1_0100),
        (0x1200, 0),
        (0x2000, 0x1fc2_0000),
        (0x3000, 0x1fc3_0000),
        (0x4000, 0x1fc4_0000),
        (0x5000, 0x1fc5_0000),
        (0x6000, 0x1fc6_0000),
        (0x7000, 0),
    ];
    for (offset, name) in named {
        // Without the version of the IP.
        let got = engine.read(offset) & !0xff;
        same(&format!("block at {offset:#x}"), got, name)?;
    }
    Ok(())
}

fn capabilities(_: Leg) -> Outcome {
    let card = Card::find()?;
    let msix = card.capability(0x11)?;
    same("MSI-X vectors", card.word(msix + 2)? & 0x7ff, 31)?;
    same("MSI-X table", card.long(msix + 4)? & !7, 0x8000)?;
    same("MSI-X pending bits", card.long(msix + 8)? & !7, 0x8fe0)?;
    card.capability(0x05)?;
    card.capability(0x01)?;
    let express = card.capability(0x10)?;
    same("FLR", card.long(express + 4)? & (1 << 28), 0)
}

/// uio masks the line in the command register each time it comes.
fn line(_: Leg) -> Outcome {
    let _bare = Bare::begin()?;
    const SOON: Duration = Duration::from_secs(60);
    const USER_ENABLE: usize = 0x2004;
    let card = Card::find()?;
    let uio = card.uio()?;
    card.engine()?.write(USER_ENABLE, 1);
    card.command("line 0 up")?;
    for count in 1..=3u32 {
        let came = os::readable_within(uio.as_fd(), SOON)?;
        check(came, format!("interrupt {count} does not come"))?;
        let mut bytes = [0; 4];
        (&uio).read_exact(&mut bytes)?;
        same("interrupts", u32::from_ne_bytes(bytes), count)?;
        card.unmask_line()?;
    }
    card.command("line 0 down")?;
    card.leave_uio()
}

fn commands(_: Leg) -> Outcome {
    let card = Card::find()?;
    same("answer to calm", card.command("calm")?, String::new())?;
    let statistics = card.command("statistics")?;
    check(
        statistics.starts_with("violations=0 faults=0 "),
        format!("the card says {statistics}"),
    )?;
    check(
        card.command("no such command").is_err(),
        "a command that there is not was carried out",
    )
}
