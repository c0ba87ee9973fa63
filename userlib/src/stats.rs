// SPDX-License-Identifier: MIT OR GPL-2.0
//! What an open file has done.

use crate::sys;

/// What an open file has done since it was opened, from
/// [`Device::stats`](crate::Device::stats).
///
/// ```no_run
/// # fn main() -> Result<(), pindma::Error> {
/// # let device = pindma::Device::open("/dev/pindma0")?;
/// let stats = device.stats()?;
/// println!("{} jobs, {} of {} segments bounced", stats.jobs, stats.bounced, stats.segments);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Transfers and copies that were started.
    pub calls: u64,
    /// Windows pinned and mapped.
    pub windows: u64,
    /// Jobs that the device was given.
    pub jobs: u64,
    /// Bytes that the device read.
    pub bytes_to_device: u64,
    /// Bytes that the device wrote.
    pub bytes_from_device: u64,
    /// Pages pinned, in all.
    pub pages: u64,
    /// Segments before merging: one for each page touched.
    pub segments_unmerged: u64,
    /// Segments after merging, as the device got them.
    pub segments: u64,
    /// Segments that went through a bounce buffer.
    pub bounced: u64,
    /// Pages pinned now.
    pub pinned_pages: u64,
    /// Jobs whose end was seen by polling, not by interrupt.
    pub lost_interrupts: u64,
    /// Bytes that the CPU copied, as
    /// [`Request::may_copy`](crate::Request::may_copy) allows.
    pub copied: u64,
    /// Regions and pools registered now.
    pub regions: u64,
    /// Requests that queues were given.
    pub submitted: u64,
    /// Requests that have ended, however they did.
    pub ended: u64,
    /// Pool buffers that the device has worked on.
    pub frames: u64,
    /// Frames that were lost because no pool buffer was enqueued.
    pub overruns: u64,
}

impl From<&sys::pindma_stats> for Stats {
    fn from(raw: &sys::pindma_stats) -> Self {
        Self {
            calls: raw.out_calls,
            windows: raw.out_windows,
            jobs: raw.out_jobs,
            bytes_to_device: raw.out_bytes_to_device,
            bytes_from_device: raw.out_bytes_from_device,
            pages: raw.out_pages,
            segments_unmerged: raw.out_segments_unmerged,
            segments: raw.out_segments,
            bounced: raw.out_bounced,
            pinned_pages: raw.out_pinned_pages,
            lost_interrupts: raw.out_lost_interrupts,
            copied: raw.out_copied,
            regions: raw.out_regions,
            submitted: raw.out_submitted,
            ended: raw.out_ended,
            frames: raw.out_frames,
            overruns: raw.out_overruns,
        }
    }
}
