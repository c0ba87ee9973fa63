/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, in /sys/kernel/tracing/events/pindma.  A Rust module has no BTF:
 * these, with their names and fields, are what tools can rely on.
 *
 * Every pin is followed by its unpin, every map by its unmap, and every start by
 * exactly one complete with the same ticket, unless the device does not stop.  A
 * ticket means one job, of whatever device.  Every submit is followed by exactly
 * one end with the same request, whatever becomes of its process; the number of a
 * request means one request, of whatever queue.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pindma

#if !defined(_PINDMA_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _PINDMA_TRACE_H

#include <linux/device.h>
#include <linux/tracepoint.h>

/* As enum dma_data_direction has them. */
#define pindma_show_direction(direction)		\
	__print_symbolic(direction,			\
		{ 0, "both" },				\
		{ 1, "to_device" },			\
		{ 2, "from_device" })

/* User memory was pinned: @pages pages from @addr on, in @ranges ranges. */
TRACE_EVENT(pindma_pin,
	TP_PROTO(u64 addr, u64 ranges, u64 pages, u32 direction, bool longterm),
	TP_ARGS(addr, ranges, pages, direction, longterm),
	TP_STRUCT__entry(
		__field(u64, addr)
		__field(u64, ranges)
		__field(u64, pages)
		__field(u32, direction)
		__field(bool, longterm)
	),
	TP_fast_assign(
		__entry->addr = addr;
		__entry->ranges = ranges;
		__entry->pages = pages;
		__entry->direction = direction;
		__entry->longterm = longterm;
	),
	TP_printk("addr=0x%llx ranges=%llu pages=%llu direction=%s longterm=%d",
		  __entry->addr, __entry->ranges, __entry->pages,
		  pindma_show_direction(__entry->direction), __entry->longterm)
);

/* User memory was unpinned; @dirty: the device may have written. */
TRACE_EVENT(pindma_unpin,
	TP_PROTO(u64 pages, bool dirty),
	TP_ARGS(pages, dirty),
	TP_STRUCT__entry(
		__field(u64, pages)
		__field(bool, dirty)
	),
	TP_fast_assign(
		__entry->pages = pages;
		__entry->dirty = dirty;
	),
	TP_printk("pages=%llu dirty=%d", __entry->pages, __entry->dirty)
);

DECLARE_EVENT_CLASS(pindma_mapping,
	TP_PROTO(const struct device *dev, u64 addr, u64 segments, u64 bytes, u32 direction),
	TP_ARGS(dev, addr, segments, bytes, direction),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(u64, addr)
		__field(u64, segments)
		__field(u64, bytes)
		__field(u32, direction)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->addr = addr;
		__entry->segments = segments;
		__entry->bytes = bytes;
		__entry->direction = direction;
	),
	TP_printk("dev=%s addr=0x%llx segments=%llu bytes=%llu direction=%s",
		  __get_str(dev), __entry->addr, __entry->segments,
		  __entry->bytes, pindma_show_direction(__entry->direction))
);

/* Memory was mapped for a device, which sees it from bus address @addr on. */
DEFINE_EVENT(pindma_mapping, pindma_map,
	TP_PROTO(const struct device *dev, u64 addr, u64 segments, u64 bytes, u32 direction),
	TP_ARGS(dev, addr, segments, bytes, direction)
);

/* Memory is about to be unmapped. */
DEFINE_EVENT(pindma_mapping, pindma_unmap,
	TP_PROTO(const struct device *dev, u64 addr, u64 segments, u64 bytes, u32 direction),
	TP_ARGS(dev, addr, segments, bytes, direction)
);

/* A device was told to move @bytes bytes. */
TRACE_EVENT(pindma_start,
	TP_PROTO(const struct device *dev, u32 channel, u64 ticket, u64 dev_addr, u64 bytes,
		 u32 direction),
	TP_ARGS(dev, channel, ticket, dev_addr, bytes, direction),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(u32, channel)
		__field(u64, ticket)
		__field(u64, dev_addr)
		__field(u64, bytes)
		__field(u32, direction)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->channel = channel;
		__entry->ticket = ticket;
		__entry->dev_addr = dev_addr;
		__entry->bytes = bytes;
		__entry->direction = direction;
	),
	TP_printk("dev=%s channel=%u ticket=%llu dev_addr=0x%llx bytes=%llu direction=%s",
		  __get_str(dev), __entry->channel, __entry->ticket,
		  __entry->dev_addr, __entry->bytes,
		  pindma_show_direction(__entry->direction))
);

/* The driver took note that it has moved @bytes bytes and is done. */
TRACE_EVENT(pindma_complete,
	TP_PROTO(const struct device *dev, u64 ticket, u64 bytes),
	TP_ARGS(dev, ticket, bytes),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(u64, ticket)
		__field(u64, bytes)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->ticket = ticket;
		__entry->bytes = bytes;
	),
	TP_printk("dev=%s ticket=%llu bytes=%llu",
		  __get_str(dev), __entry->ticket, __entry->bytes)
);

/*
 * A job is to end early, because of a signal, its deadline, or a cancel: @error.
 * With ticket 0 it is a request that ends before the device was told of it.
 */
TRACE_EVENT(pindma_cancel,
	TP_PROTO(u32 channel, u64 ticket, int error),
	TP_ARGS(channel, ticket, error),
	TP_STRUCT__entry(
		__field(u32, channel)
		__field(u64, ticket)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->channel = channel;
		__entry->ticket = ticket;
		__entry->error = error;
	),
	TP_printk("channel=%u ticket=%llu error=%d",
		  __entry->channel, __entry->ticket, __entry->error)
);

/* A queue has taken a request, of @bytes bytes. */
TRACE_EVENT(pindma_submit,
	TP_PROTO(u64 request, u64 user_data, u64 bytes, u32 direction),
	TP_ARGS(request, user_data, bytes, direction),
	TP_STRUCT__entry(
		__field(u64, request)
		__field(u64, user_data)
		__field(u64, bytes)
		__field(u32, direction)
	),
	TP_fast_assign(
		__entry->request = request;
		__entry->user_data = user_data;
		__entry->bytes = bytes;
		__entry->direction = direction;
	),
	TP_printk("request=%llu user_data=0x%llx bytes=%llu direction=%s",
		  __entry->request, __entry->user_data, __entry->bytes,
		  pindma_show_direction(__entry->direction))
);

/*
 * It has ended with @error, after @bytes bytes; its memory is unpinned already,
 * unless the device did not stop.
 */
TRACE_EVENT(pindma_end,
	TP_PROTO(u64 request, u64 user_data, u64 bytes, int error),
	TP_ARGS(request, user_data, bytes, error),
	TP_STRUCT__entry(
		__field(u64, request)
		__field(u64, user_data)
		__field(u64, bytes)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->request = request;
		__entry->user_data = user_data;
		__entry->bytes = bytes;
		__entry->error = error;
	),
	TP_printk("request=%llu user_data=0x%llx bytes=%llu error=%d",
		  __entry->request, __entry->user_data, __entry->bytes, __entry->error)
);

#endif /* _PINDMA_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
