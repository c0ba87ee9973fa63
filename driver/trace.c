// SPDX-License-Identifier: GPL-2.0
/* The tracepoints of trace.h, as functions that Rust can call. */
#include "shim.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

void pindma_trace_pin(u64 addr, u64 ranges, u64 pages, u32 direction, bool longterm)
{
	trace_pindma_pin(addr, ranges, pages, direction, longterm);
}

void pindma_trace_unpin(u64 pages, bool dirty)
{
	trace_pindma_unpin(pages, dirty);
}

bool pindma_traces_mappings(void)
{
	return trace_pindma_map_enabled() || trace_pindma_unmap_enabled();
}

void pindma_trace_map(const struct device *dev, u64 addr, u64 segments, u64 bytes, u32 direction)
{
	trace_pindma_map(dev, addr, segments, bytes, direction);
}

void pindma_trace_unmap(const struct device *dev, u64 addr, u64 segments, u64 bytes, u32 direction)
{
	trace_pindma_unmap(dev, addr, segments, bytes, direction);
}

void pindma_trace_start(const struct device *dev, u32 channel, u64 ticket, u64 dev_addr,
			u64 bytes, u32 direction)
{
	trace_pindma_start(dev, channel, ticket, dev_addr, bytes, direction);
}

void pindma_trace_complete(const struct device *dev, u64 ticket, u64 bytes)
{
	trace_pindma_complete(dev, ticket, bytes);
}

void pindma_trace_cancel(u32 channel, u64 ticket, int error)
{
	trace_pindma_cancel(channel, ticket, error);
}

void pindma_trace_submit(u64 request, u64 user_data, u64 bytes, u32 direction)
{
	trace_pindma_submit(request, user_data, bytes, direction);
}

void pindma_trace_end(u64 request, u64 user_data, u64 bytes, int error)
{
	trace_pindma_end(request, user_data, bytes, error);
}
