// SPDX-License-Identifier: GPL-2.0

//! What an open file has done, and what all files of a device have.

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex, //
    },
};

use crate::kapi::{
    abi::pindma_stats,
    gfp,
    pins::Direction, //
};

/// A number that only grows, or one that also shrinks.
pub(crate) struct Count(Atomic<u64>);

impl Count {
    const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Adds to it.
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// Takes away from it.
    pub(crate) fn sub(&self, n: u64) {
        self.0.fetch_sub(n, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

macro_rules! stats {
    ($($name:ident => $field:ident),* $(,)?) => {
        /// The numbers of `struct pindma_stats`, which says what they are.
        pub(crate) struct Stats {
            $(pub(crate) $name: Count,)*
        }

        impl Stats {
            /// All zero.
            pub(crate) const fn new() -> Self {
                Self { $($name: Count::new(),)* }
            }

            /// Writes them into the ABI's struct.
            pub(crate) fn report(&self, out: &mut pindma_stats) {
                $(out.$field = self.$name.get();)*
                // Before merging, each page is a segment of its own.
                out.out_segments_unmerged = self.pages.get();
            }

            /// Adds those of another.
            fn absorb(&self, other: &Self) {
                $(self.$name.add(other.$name.get());)*
            }

            /// Calls `f` with the name and the value of each.
            pub(crate) fn for_each<E>(
                &self,
                mut f: impl FnMut(&'static str, u64) -> core::result::Result<(), E>,
            ) -> core::result::Result<(), E> {
                $(f(stringify!($name), self.$name.get())?;)*
                Ok(())
            }
        }
    };
}

stats! {
    calls => out_calls,
    windows => out_windows,
    jobs => out_jobs,
    bytes_to_device => out_bytes_to_device,
    bytes_from_device => out_bytes_from_device,
    pages => out_pages,
    segments => out_segments,
    bounced => out_bounced,
    pinned_pages => out_pinned_pages,
    lost_interrupts => out_lost_interrupts,
    copied => out_copied,
    regions => out_regions,
    submitted => out_submitted,
    ended => out_ended,
    frames => out_frames,
    overruns => out_overruns,
}

impl Stats {
    /// Bytes that the device has moved in one direction.
    pub(crate) fn bytes(&self, direction: Direction) -> &Count {
        match direction {
            Direction::ToDevice => &self.bytes_to_device,
            Direction::FromDevice | Direction::Both => &self.bytes_from_device,
        }
    }
}

struct Books {
    open: KVVec<Arc<Stats>>,
    closed: Stats,
}

/// The statistics of all files of a device, those that were closed among them.
#[pin_data]
pub(crate) struct Totals {
    #[pin]
    books: Mutex<Books>,
}

impl Totals {
    /// Of no file so far.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            books <- new_mutex!(Books {
                open: KVVec::new(),
                closed: Stats::new(),
            }),
        })
    }

    /// The statistics of a file that is opened. [`close`](Self::close) them.
    pub(crate) fn open(&self) -> Result<Arc<Stats>> {
        let stats = Arc::new(Stats::new(), gfp::for_user())?;
        let mut books = self.books.lock();
        books.open.push(stats.clone(), gfp::for_user())?;
        Ok(stats)
    }

    /// The file is gone; what it has done stays in the sum.
    pub(crate) fn close(&self, stats: &Arc<Stats>) {
        let mut books = self.books.lock();
        books.closed.absorb(stats);
        books.open.retain(|open| !Arc::ptr_eq(open, stats));
    }

    /// The sum, and the number of open files.
    pub(crate) fn sum(&self) -> (Stats, usize) {
        let books = self.books.lock();
        let sum = Stats::new();
        sum.absorb(&books.closed);
        books.open.iter().for_each(|open| sum.absorb(open));
        (sum, books.open.len())
    }
}

#[kunit_tests(pindma_stats)]
mod tests {
    use super::*;

    #[test]
    fn closed_files_stay_in_the_sum() -> Result {
        let totals = KBox::pin_init(Totals::new(), GFP_KERNEL)?;
        let (first, second) = (totals.open()?, totals.open()?);
        first.jobs.add(2);
        second.jobs.add(3);
        totals.close(&first);
        let (sum, open) = totals.sum();
        assert_eq!(sum.jobs.get(), 5);
        assert_eq!(open, 1);
        totals.close(&second);
        let (sum, open) = totals.sum();
        assert_eq!(sum.jobs.get(), 5);
        assert_eq!(open, 0);
        Ok(())
    }
}
