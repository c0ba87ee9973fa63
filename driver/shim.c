// SPDX-License-Identifier: GPL-2.0
/*
 * Inline functions and macros of the kernel that Rust cannot call: each of
 * these is one of them, made callable, and nothing else.
 */
#include <linux/capability.h>
#include <linux/cc_platform.h>
#include <linux/cred.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/iommu-dma.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/mmap_lock.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/smp.h>
#include <linux/swiotlb.h>
#include <linux/time_namespace.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/workqueue.h>

#include "shim.h"

struct workqueue_struct *pindma_alloc_workqueue(const char *name)
{
	return alloc_workqueue("%s", WQ_UNBOUND | WQ_FREEZABLE, WQ_UNBOUND_MAX_ACTIVE, name);
}

struct user_struct *pindma_get_current_user(void)
{
	return get_uid(current_user());
}

struct user_struct *pindma_get_user(struct user_struct *user)
{
	return get_uid(user);
}

bool pindma_has_capability(int capability)
{
	return ns_capable_noaudit(&init_user_ns, capability);
}

unsigned long pindma_rlimit_memlock(void)
{
	return rlimit(RLIMIT_MEMLOCK);
}

unsigned long pindma_total_pages(void)
{
	return totalram_pages();
}

void pindma_cond_resched(void)
{
	cond_resched();
}

bool pindma_killed(void)
{
	return fatal_signal_pending(current);
}

bool pindma_signal_pending(void)
{
	return signal_pending(current);
}

/*
 * Whether a pending signal runs a handler or ends the process.  Those that only
 * stop it or do nothing do not, nor does whatever else looks like a signal.
 */
bool pindma_signal_acts(void)
{
	struct sighand_struct *sighand = current->sighand;
	bool acts = false;
	sigset_t set;
	int sig;

	spin_lock_irq(&sighand->siglock);
	sigorsets(&set, &current->pending.signal, &current->signal->shared_pending.signal);
	sigandnsets(&set, &set, &current->blocked);
	for (sig = 1; sig <= _NSIG; sig++) {
		__sighandler_t handler = sighand->action[sig - 1].sa.sa_handler;
		bool idle = handler == SIG_DFL && (sig_kernel_ignore(sig) || sig_kernel_stop(sig));

		acts |= sigismember(&set, sig) && handler != SIG_IGN && !idle;
	}
	spin_unlock_irq(&sighand->siglock);
	return acts;
}

/*
 * Whether this changed anything.  The threads of io_uring are left alone: how
 * requests are cancelled that they work on is such a notification.
 */
bool pindma_hold_notify_signal(void)
{
	if (current->flags & (PF_IO_WORKER | PF_NO_NOTIFY_SIGNAL))
		return false;
	no_notify_signal_save();
	return true;
}

void pindma_let_notify_signal(void)
{
	no_notify_signal_restore(0);
}

s64 pindma_time_to_host(s64 ns)
{
	return timens_ktime_to_host(CLOCK_MONOTONIC, ns);
}

s64 pindma_time_from_host(s64 ns)
{
	struct timespec64 offset = {};

	timens_add_monotonic(&offset);
	return ns + timespec64_to_ns(&offset);
}

/*
 * When this returns none of the threads of the process is in user mode, nor will
 * be again.  A thread of the kernel is left alone.
 */
void pindma_kill_process(void)
{
	if (current->flags & PF_KTHREAD)
		return;
	send_sig(SIGKILL, current, 1);
	kick_all_cpus_sync();
}

struct page *pindma_alloc_contiguous(unsigned long count, gfp_t gfp)
{
#ifdef CONFIG_CONTIG_ALLOC
	return alloc_contig_pages(count, gfp, numa_mem_id(), NULL);
#else
	return NULL;
#endif
}

void pindma_get_page(struct page *page)
{
	get_page(page);
}

void pindma_put_page(struct page *page)
{
	put_page(page);
}

bool pindma_page_is_shared(const struct page *page)
{
	return page_ref_count(page) > 1;
}

/*
 * Says of a file that it may be opened with O_DIRECT, and that read and write
 * know what to do when they must not wait.
 */
void pindma_file_set_direct(struct file *file)
{
	file->f_mode |= FMODE_CAN_ODIRECT | FMODE_NOWAIT;
}

bool pindma_iocb_nowait(const struct kiocb *iocb)
{
	return iocb->ki_flags & IOCB_NOWAIT;
}

bool pindma_iter_is_user(const struct iov_iter *iter)
{
	return user_backed_iter(iter);
}

bool pindma_iter_is_bvec(const struct iov_iter *iter)
{
	return iov_iter_is_bvec(iter);
}

size_t pindma_iter_count(const struct iov_iter *iter)
{
	return iov_iter_count(iter);
}

void pindma_iter_truncate(struct iov_iter *iter, u64 count)
{
	iov_iter_truncate(iter, count);
}

u64 pindma_iter_addr(const struct iov_iter *iter)
{
	return (unsigned long)iter_iov_addr(iter);
}

u64 pindma_iter_len(const struct iov_iter *iter)
{
	return iter_iov_len(iter);
}

/*
 * Pages of the slab allocator have no count of references; those of a device
 * are mapped in ways of their own.
 */
bool pindma_try_get_page(struct page *page)
{
	struct folio *folio = page_folio(page);

	return !folio_test_slab(folio) && !folio_is_zone_device(folio) && folio_try_get(folio);
}

/*
 * Where the mapping ends that addr lies in, or 0; with the tag of addr, if that has
 * one.  The lock of the whole address space is only taken where that of a mapping
 * cannot be had.
 */
unsigned long pindma_mapped_until(unsigned long tagged)
{
	unsigned long addr = untagged_addr(tagged), tag = tagged - addr;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned long end;

	vma = lock_vma_under_rcu(mm, addr);
	if (vma) {
		end = vma->vm_end;
		vma_end_read(vma);
		return end + tag;
	}
	if (mmap_read_lock_killable(mm))
		return 0;
	vma = vma_lookup(mm, addr);
	end = vma ? vma->vm_end + tag : 0;
	mmap_read_unlock(mm);
	return end;
}

u32 pindma_page_references(const struct page *page)
{
	return folio_ref_count(page_folio(page));
}

/*
 * Whether a page, of which the caller has one pin, has other references than the
 * kernel knows the reason of: then it cannot be moved.
 */
bool pindma_page_is_held(const struct page *page)
{
	const struct folio *folio = page_folio(page);
	int own = folio_has_pincount(folio) ? 1 : GUP_PIN_COUNTING_BIAS;

	return folio_ref_count(folio) - own > folio_expected_ref_count(folio);
}

u64 pindma_page_size(const struct page *page)
{
	return folio_size(page_folio(page));
}

u64 pindma_page_phys(const struct page *page)
{
	return page_to_phys(page);
}

void pindma_sg_set(struct scatterlist *sg, struct page *page, u32 len, u32 offset)
{
	sg_set_page(sg, page, len, offset);
}

bool pindma_sg_is_bounced(struct scatterlist *list)
{
	return sg_dma_is_swiotlb(list);
}

bool pindma_dma_translated(struct device *dev)
{
	return use_dma_iommu(dev);
}

/* The domain may become lazy while the device is bound, never strict. */
bool pindma_dma_lazy(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type == IOMMU_DOMAIN_DMA_FQ;
}

void pindma_dma_forget(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	if (domain)
		iommu_flush_iotlb_all(domain);
}

bool pindma_dma_coherent(struct device *dev)
{
	return dev_is_dma_coherent(dev);
}

bool pindma_dma_need_sync(struct device *dev, dma_addr_t addr)
{
	return dma_need_sync(dev, addr);
}

void pindma_dma_sync_for_device(struct device *dev, dma_addr_t addr, size_t size, u32 direction)
{
	dma_sync_single_for_device(dev, addr, size, direction);
}

void pindma_dma_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t size, u32 direction)
{
	dma_sync_single_for_cpu(dev, addr, size, direction);
}

u64 pindma_dma_limit(struct device *dev)
{
	return min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
}

u64 pindma_dma_addr(struct device *dev, u64 phys)
{
	return phys_to_dma(dev, phys);
}

u64 pindma_dma_phys(struct device *dev, dma_addr_t addr)
{
	return dma_to_phys(dev, addr);
}

u32 pindma_dma_max_segment(struct device *dev)
{
	return dma_get_max_seg_size(dev);
}

void pindma_dma_set_boundary(struct device *dev, unsigned long mask)
{
	dma_set_seg_boundary(dev, mask);
}

u64 pindma_dma_boundary(struct device *dev)
{
	return dma_get_seg_boundary(dev);
}

u32 pindma_dma_cache_align(void)
{
	return dma_get_cache_alignment();
}

bool pindma_dma_untrusted(struct device *dev)
{
	return dev_is_pci(dev) && to_pci_dev(dev)->untrusted;
}

/* In a confidential guest dma_capable() is false of all memory but the pool's. */
bool pindma_bounce_forced(struct device *dev)
{
	return is_swiotlb_force_bounce(dev) || cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT);
}

/*
 * dma_max_mapping_size() says whether bouncing is switched on, but not whether
 * the pool itself lies within the device's reach; where it does not, every
 * mapping ends in a WARN.  So look at where the pool ends; an IOMMU reaches all.
 * A pool that is shared with the host has no encryption bit in its addresses.
 */
bool pindma_bounce_possible(struct device *dev)
{
#ifdef CONFIG_SWIOTLB
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;
	phys_addr_t last;

	if (!mem || !mem->nslabs || dma_max_mapping_size(dev) == SIZE_MAX)
		return false;
	if (use_dma_iommu(dev))
		return true;
	last = mem->defpool.end - 1;
	return (mem->cc_shared ? phys_to_dma_unencrypted(dev, last) : phys_to_dma(dev, last)) <=
	       pindma_dma_limit(dev);
#else
	return false;
#endif
}
