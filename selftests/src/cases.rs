// SPDX-License-Identifier: GPL-2.0

//! The cases, one file for each thing they are about.

use crate::table::Case;

mod accounting;
mod aligned;
mod alignment;
mod bare_card;
mod batches;
mod blocking;
mod cancelling;
mod completes;
mod contention;
mod copying;
mod cow;
mod crowd;
mod deadlines;
mod exactly_once;
mod fairness;
mod faults;
mod files;
mod fio;
mod frames;
mod full_load;
mod handover;
mod high_memory;
mod holes;
mod info;
mod interruptions;
mod iovecs;
mod lazy;
mod library;
mod library_memory;
mod library_tasks;
mod lifetime;
mod memlock;
mod memory;
mod misbehaviour;
mod named;
mod open_modes;
mod opening;
mod outages;
mod outs;
mod overruns;
mod page_fates;
mod permissions;
mod pinning;
mod pool_calls;
mod pool_endings;
mod pool_guests;
mod pool_loans;
mod pool_pages;
mod pool_polls;
mod pool_rights;
mod pools;
mod programs;
mod queue_ends;
mod queue_errors;
mod queue_making;
mod reach;
mod read_write;
mod reading;
pub(crate) mod regions;
mod remapping;
mod requests;
mod scripting;
mod scripts;
mod shares;
mod short_pins;
mod short_segments;
mod shortage;
mod signals;
mod sizes;
mod stats;
mod streams;
mod stuck;
mod submit;
mod time_namespaces;
mod tools;
mod tracepoints;
mod unbind;
mod unload;
mod unstoppable;
mod untold;
mod unused;
mod upheavals;
mod uring;
mod uring_ends;
mod vectors;
mod waits;
mod waking;
mod windows;
mod written_back;
mod xdma;
mod xdma_costs;
mod xdma_endings;
mod xdma_large;
mod xdma_streams;

/// All of them, in the order in which they run.
pub(crate) static ALL: &[&[Case]] = &[
    bare_card::CASES,
    xdma::CASES,
    xdma_endings::CASES,
    xdma_large::CASES,
    xdma_costs::CASES,
    xdma_streams::CASES,
    info::CASES,
    sizes::CASES,
    requests::CASES,
    outs::CASES,
    aligned::CASES,
    alignment::CASES,
    memory::CASES,
    files::CASES,
    vectors::CASES,
    faults::CASES,
    holes::CASES,
    short_pins::CASES,
    short_segments::CASES,
    pinning::CASES,
    written_back::CASES,
    permissions::CASES,
    page_fates::CASES,
    windows::CASES,
    shortage::CASES,
    lazy::CASES,
    accounting::CASES,
    reach::CASES,
    regions::CASES,
    regions::kinds::CASES,
    regions::errors::CASES,
    regions::owners::CASES,
    regions::limits::CASES,
    regions::bouncing::CASES,
    regions::costs::CASES,
    regions::large::CASES,
    memlock::CASES,
    copying::CASES,
    copying::races::CASES,
    read_write::CASES,
    interruptions::CASES,
    iovecs::CASES,
    blocking::CASES,
    upheavals::CASES,
    uring::CASES,
    uring_ends::CASES,
    stats::CASES,
    submit::CASES,
    batches::CASES,
    queue_making::CASES,
    waits::CASES,
    waking::CASES,
    reading::CASES,
    cancelling::CASES,
    exactly_once::CASES,
    named::CASES,
    fairness::CASES,
    shares::CASES,
    tracepoints::CASES,
    scripts::CASES,
    pools::CASES,
    high_memory::CASES,
    pool_calls::CASES,
    pool_loans::CASES,
    pool_rights::CASES,
    untold::CASES,
    unused::CASES,
    frames::CASES,
    streams::CASES,
    overruns::CASES,
    pool_guests::CASES,
    pool_pages::CASES,
    deadlines::CASES,
    signals::CASES,
    cow::CASES,
    remapping::CASES,
    opening::CASES,
    open_modes::CASES,
    handover::CASES,
    contention::CASES,
    stuck::CASES,
    lifetime::CASES,
    regions::lives::CASES,
    misbehaviour::CASES,
    outages::CASES,
    outages::at_random::CASES,
    queue_errors::CASES,
    completes::CASES,
    queue_ends::CASES,
    unbind::CASES,
    pool_endings::CASES,
    pool_polls::CASES,
    crowd::CASES,
    full_load::CASES,
    unstoppable::CASES,
    crate::soak::CASES,
    crate::sweep::CASES,
    programs::CASES,
    scripting::CASES,
    time_namespaces::CASES,
    tools::CASES,
    fio::CASES,
    library::CASES,
    library_memory::CASES,
    library_tasks::CASES,
    unload::CASES,
];
