/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inline functions and macros of the kernel that Rust cannot call.
 *
 * Only driver/kapi/shim.rs declares these to Rust; keep the two alike.
 */
#ifndef _PINDMA_SHIM_H
#define _PINDMA_SHIM_H

#include <linux/types.h>

struct device;
struct file;
struct iov_iter;
struct kiocb;
struct page;
struct scatterlist;
struct user_struct;
struct workqueue_struct;

struct workqueue_struct *pindma_alloc_workqueue(const char *name);
struct user_struct *pindma_get_current_user(void);
struct user_struct *pindma_get_user(struct user_struct *user);
bool pindma_has_capability(int capability);
unsigned long pindma_rlimit_memlock(void);
unsigned long pindma_total_pages(void);
void pindma_cond_resched(void);
bool pindma_killed(void);
bool pindma_signal_pending(void);
bool pindma_signal_acts(void);
bool pindma_hold_notify_signal(void);
void pindma_let_notify_signal(void);
s64 pindma_time_to_host(s64 ns);
s64 pindma_time_from_host(s64 ns);
void pindma_kill_process(void);

struct page *pindma_alloc_contiguous(unsigned long count, gfp_t gfp);
void pindma_get_page(struct page *page);
void pindma_put_page(struct page *page);
bool pindma_page_is_shared(const struct page *page);
void pindma_file_set_direct(struct file *file);
bool pindma_iocb_nowait(const struct kiocb *iocb);
bool pindma_iter_is_user(const struct iov_iter *iter);
bool pindma_iter_is_bvec(const struct iov_iter *iter);
size_t pindma_iter_count(const struct iov_iter *iter);
void pindma_iter_truncate(struct iov_iter *iter, u64 count);
u64 pindma_iter_addr(const struct iov_iter *iter);
u64 pindma_iter_len(const struct iov_iter *iter);

bool pindma_try_get_page(struct page *page);
unsigned long pindma_mapped_until(unsigned long addr);
u32 pindma_page_references(const struct page *page);
bool pindma_page_is_held(const struct page *page);
u64 pindma_page_size(const struct page *page);
u64 pindma_page_phys(const struct page *page);
bool pindma_sg_is_bounced(struct scatterlist *list);
void pindma_sg_set(struct scatterlist *sg, struct page *page, u32 len, u32 offset);

bool pindma_dma_translated(struct device *dev);
bool pindma_dma_lazy(struct device *dev);
void pindma_dma_forget(struct device *dev);
bool pindma_dma_coherent(struct device *dev);
bool pindma_dma_need_sync(struct device *dev, dma_addr_t addr);
void pindma_dma_sync_for_device(struct device *dev, dma_addr_t addr, size_t size, u32 direction);
void pindma_dma_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t size, u32 direction);
u64 pindma_dma_limit(struct device *dev);
u64 pindma_dma_addr(struct device *dev, u64 phys);
u64 pindma_dma_phys(struct device *dev, dma_addr_t addr);
u32 pindma_dma_max_segment(struct device *dev);
void pindma_dma_set_boundary(struct device *dev, unsigned long mask);
u64 pindma_dma_boundary(struct device *dev);
u32 pindma_dma_cache_align(void);
bool pindma_dma_untrusted(struct device *dev);
bool pindma_bounce_forced(struct device *dev);
bool pindma_bounce_possible(struct device *dev);

void pindma_trace_pin(u64 addr, u64 ranges, u64 pages, u32 direction, bool longterm);
void pindma_trace_unpin(u64 pages, bool dirty);
bool pindma_traces_mappings(void);
void pindma_trace_map(const struct device *dev, u64 addr, u64 segments, u64 bytes, u32 direction);
void pindma_trace_unmap(const struct device *dev, u64 addr, u64 segments, u64 bytes, u32 direction);
void pindma_trace_start(const struct device *dev, u32 channel, u64 ticket, u64 dev_addr,
			u64 bytes, u32 direction);
void pindma_trace_complete(const struct device *dev, u64 ticket, u64 bytes);
void pindma_trace_cancel(u32 channel, u64 ticket, int error);
void pindma_trace_submit(u64 request, u64 user_data, u64 bytes, u32 direction);
void pindma_trace_end(u64 request, u64 user_data, u64 bytes, int error);

#endif /* _PINDMA_SHIM_H */
