// SPDX-License-Identifier: GPL-2.0

//! The structs and numbers of `uapi/pindma.h`, as bindgen has read them, by
//! shorter names and with the types of the fields that they are compared with.

pub(crate) use pindma::sys::{
    pindma_channel_info, pindma_copy, pindma_info, pindma_result, pindma_seg, pindma_stats,
    pindma_transfer, PINDMA_CHANNEL_INFO, PINDMA_COPY, PINDMA_INFO, PINDMA_STATS, PINDMA_TRANSFER,
};

pub(crate) use pindma::sys::{
    pindma_pool_create, pindma_pool_dequeue, pindma_pool_enqueue, pindma_pool_query,
    pindma_pool_record, pindma_pool_start, pindma_pool_stop, PINDMA_POOL_BUFFER,
    PINDMA_POOL_CREATE, PINDMA_POOL_DEQUEUE, PINDMA_POOL_ENQUEUE, PINDMA_POOL_START,
    PINDMA_POOL_STOP,
};

pub(crate) use pindma::sys::{
    PINDMA_DEQUEUE_STOPPED as DEQUEUE_STOPPED, PINDMA_DEV_READ as DEV_READ,
    PINDMA_DEV_WRITE as DEV_WRITE, PINDMA_ENQUEUE_ALL as ENQUEUE_ALL,
    PINDMA_POOL_ACTIVE as POOL_ACTIVE, PINDMA_POOL_AS_MANY as POOL_AS_MANY,
    PINDMA_POOL_CONTIGUOUS as POOL_CONTIGUOUS, PINDMA_POOL_OWNED as POOL_OWNED,
    PINDMA_POOL_QUEUED as POOL_QUEUED, PINDMA_POOL_READY as POOL_READY,
    PINDMA_POOL_SHARED as POOL_SHARED, PINDMA_START_STREAM as START_STREAM,
};

pub(crate) use pindma::sys::{
    pindma_region_info, pindma_region_register, pindma_region_sync, pindma_region_unregister,
    PINDMA_REGION_INFO, PINDMA_REGION_REGISTER, PINDMA_REGION_SYNC, PINDMA_REGION_UNREGISTER,
};

pub(crate) use pindma::sys::{
    PINDMA_REGION_IS_BOUNCED as REGION_IS_BOUNCED, PINDMA_REGION_IS_POOL as REGION_IS_POOL,
    PINDMA_REGION_MAY_BOUNCE as REGION_MAY_BOUNCE, PINDMA_REGION_SHARED as REGION_SHARED,
    PINDMA_SYNC_BEGIN_CPU as SYNC_BEGIN_CPU, PINDMA_SYNC_END_CPU as SYNC_END_CPU,
    PINDMA_UNREGISTER_WAIT as UNREGISTER_WAIT,
};

pub(crate) use pindma::sys::PINDMA_QUEUE_NO_READ as QUEUE_NO_READ;

pub(crate) use pindma::sys::{
    pindma_completion, pindma_entry, pindma_queue_cancel, pindma_queue_create,
    pindma_queue_eventfd, pindma_queue_wait, pindma_submit, PINDMA_CANCEL_ALL as CANCEL_ALL,
    PINDMA_QUEUE_CANCEL, PINDMA_QUEUE_CREATE, PINDMA_QUEUE_EVENTFD, PINDMA_QUEUE_WAIT,
    PINDMA_SUBMIT,
};

pub(crate) use pindma::sys::{
    PINDMA_CHANNEL_MEMORY as CHANNEL_MEMORY, PINDMA_CHANNEL_STREAM as CHANNEL_STREAM,
    PINDMA_FROM_DEVICE as FROM_DEVICE, PINDMA_TO_DEVICE as TO_DEVICE,
};

pub(crate) use pindma::sys::{
    PINDMA_OUT_BOUNCED as OUT_BOUNCED, PINDMA_OUT_COPIED as OUT_COPIED,
    PINDMA_OUT_FAULT as OUT_FAULT, PINDMA_OUT_FAULT_DST as OUT_FAULT_DST,
    PINDMA_OUT_MEMLOCK as OUT_MEMLOCK, PINDMA_OUT_STARTED as OUT_STARTED,
};

pub(crate) use pindma::sys::{
    PINDMA_FIELD_ACCESS as FIELD_ACCESS, PINDMA_FIELD_BUFFER_BYTES as FIELD_BUFFER_BYTES,
    PINDMA_FIELD_CHANNEL as FIELD_CHANNEL, PINDMA_FIELD_COUNT as FIELD_COUNT,
    PINDMA_FIELD_DEADLINE as FIELD_DEADLINE, PINDMA_FIELD_DEV_ADDR as FIELD_DEV_ADDR,
    PINDMA_FIELD_DEV_FLAGS as FIELD_DEV_FLAGS, PINDMA_FIELD_DIRECTION as FIELD_DIRECTION,
    PINDMA_FIELD_DST as FIELD_DST, PINDMA_FIELD_ENTRIES as FIELD_ENTRIES,
    PINDMA_FIELD_FLAGS as FIELD_FLAGS, PINDMA_FIELD_NONE as FIELD_NONE,
    PINDMA_FIELD_NR_DST as FIELD_NR_DST, PINDMA_FIELD_NR_ENTRIES as FIELD_NR_ENTRIES,
    PINDMA_FIELD_NR_SEGS as FIELD_NR_SEGS, PINDMA_FIELD_QUEUE as FIELD_QUEUE,
    PINDMA_FIELD_RESERVED as FIELD_RESERVED, PINDMA_FIELD_SEG as FIELD_SEG,
    PINDMA_FIELD_SEGS as FIELD_SEGS, PINDMA_FIELD_SEG_ADDR as FIELD_SEG_ADDR,
    PINDMA_FIELD_SEG_FLAGS as FIELD_SEG_FLAGS, PINDMA_FIELD_SEG_HANDLE as FIELD_SEG_HANDLE,
    PINDMA_FIELD_SEG_LEN as FIELD_SEG_LEN,
};

pub(crate) use pindma::sys::{
    PINDMA_STATE_BOUNCE as STATE_BOUNCE, PINDMA_STATE_COHERENT as STATE_COHERENT,
    PINDMA_STATE_FAILED as STATE_FAILED, PINDMA_STATE_IOMMU as STATE_IOMMU,
    PINDMA_STATE_MEMLOCK_EXEMPT as STATE_MEMLOCK_EXEMPT,
};

pub(crate) use pindma::sys::{PINDMA_MAY_COPY as MAY_COPY, PINDMA_MUST_COPY as MUST_COPY};

pub(crate) const DEADLINE_NONE: i64 = pindma::sys::PINDMA_DEADLINE_NONE as i64;

pub(crate) const CAP_TRANSFER: u64 = pindma::sys::PINDMA_CAP_TRANSFER as u64;
pub(crate) const CAP_COPY: u64 = pindma::sys::PINDMA_CAP_COPY as u64;
pub(crate) const CAP_ABORT: u64 = pindma::sys::PINDMA_CAP_ABORT as u64;
pub(crate) const CAP_REGION: u64 = pindma::sys::PINDMA_CAP_REGION as u64;
pub(crate) const CAP_RESET: u64 = pindma::sys::PINDMA_CAP_RESET as u64;

pub(crate) const CAP_QUEUE: u64 = pindma::sys::PINDMA_CAP_QUEUE as u64;
pub(crate) const CAP_READ_WRITE: u64 = pindma::sys::PINDMA_CAP_READ_WRITE as u64;
pub(crate) const CAP_MAY_COPY: u64 = pindma::sys::PINDMA_CAP_MAY_COPY as u64;

pub(crate) const CHANNEL_TO_DEVICE: u64 = pindma::sys::PINDMA_CHANNEL_TO_DEVICE as u64;
pub(crate) const CHANNEL_FROM_DEVICE: u64 = pindma::sys::PINDMA_CHANNEL_FROM_DEVICE as u64;
pub(crate) const CHANNEL_COPY: u64 = pindma::sys::PINDMA_CHANNEL_COPY as u64;
pub(crate) const CHANNEL_WHEN_TOLD: u64 = pindma::sys::PINDMA_CHANNEL_WHEN_TOLD as u64;
