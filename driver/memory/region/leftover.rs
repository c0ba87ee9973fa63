// SPDX-License-Identifier: GPL-2.0

//! Memory of a process that is being killed while it registers: it need not wait until that is
//! given back.

use kernel::{
    impl_has_work,
    new_work,
    prelude::*,
    sync::Arc,
    workqueue::{
        Work,
        WorkItem, //
    }, //
};

use crate::{
    kapi::{
        gfp,
        workqueue, //
    },
    memory::client::Client, //
};

use super::chunks::Chunks;

/// Chunks that work gives back.
///
/// Drop order: `_chunks` are counted among what `_file` has pinned.
#[pin_data]
struct Leftover {
    _chunks: Chunks,
    _client: Arc<Client>,
    #[pin]
    work: Work<Self>,
}

impl_has_work! {
    impl HasWork<Self> for Leftover { self.work }
}

impl WorkItem for Leftover {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        drop(this);
    }
}

/// Has `chunks` given back. If there is no memory for that, they are when this returns.
pub(super) fn leave(chunks: Chunks, client: &Arc<Client>) {
    let leftover = Arc::pin_init(
        try_pin_init!(Leftover {
            _chunks: chunks,
            _client: client.clone(),
            work <- new_work!("pindma::region::Leftover::work"),
        }),
        gfp::for_user(),
    );
    if let Ok(leftover) = leftover {
        let _ = workqueue::enqueue(leftover);
    }
}
