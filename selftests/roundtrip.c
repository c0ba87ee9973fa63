// SPDX-License-Identifier: GPL-2.0
/*
 * Round trip through /dev/pindma0 with nothing but uapi/pindma.h and libc: the
 * device reads an array of this program, then writes it back in three pieces.
 *
 *	cc -Wall -Wextra -I uapi -o roundtrip selftests/roundtrip.c
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pindma.h"

#define DEVICE "/dev/pindma0"
#define LENGTH 3001

/* As the kernel has it: the command area of a large submission of io_uring. */
_Static_assert(sizeof(struct pindma_entry) == 80, "an entry has 80 bytes");

static struct pindma_seg segment(void *start, size_t length)
{
	return (struct pindma_seg){ .addr = (uintptr_t)start, .len = length };
}

/* Moves all segments to or from device memory 0; 0, or -1 after a message. */
static int transfer(int fd, __u32 direction, const struct pindma_seg *segs, __u32 nr)
{
	struct pindma_transfer t = {
		.size = sizeof(t),
		.direction = direction,
		.segs = (uintptr_t)segs,
		.nr_segs = nr,
		.deadline = PINDMA_DEADLINE_NONE,
	};
	/* Before the device was started errors come as errno, after that in out. */
	int error = ioctl(fd, PINDMA_TRANSFER, &t) ? errno : -t.out.status;

	if (error == 0) {
		printf("roundtrip: direction %u, %llu bytes, %llu pages, %llu segments\n",
		       direction, (unsigned long long)t.out.bytes,
		       (unsigned long long)t.out.pages, (unsigned long long)t.out.segments);
		return 0;
	}
	fprintf(stderr, "roundtrip: direction %u: %s (%llu bytes moved, field %u, address %#llx)\n",
		direction, strerror(error), (unsigned long long)t.out.bytes, t.out.field,
		(unsigned long long)t.out.fault_addr);
	/* Only a process that ends is safe from memory that may still change. */
	if (error == ENOTRECOVERABLE)
		_exit(1);
	return -1;
}

int main(void)
{
	static unsigned char source[LENGTH + 1], back[LENGTH + 4];
	/* Nothing has to be aligned, and pieces need not be next to each other. */
	struct pindma_seg out = segment(source + 1, LENGTH);
	struct pindma_seg in[] = {
		segment(back, 1), segment(back + 2, 1000), segment(back + 1004, LENGTH - 1001),
	};
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		perror("roundtrip: " DEVICE);
		return 1;
	}
	for (int i = 0; i < LENGTH; i++)
		source[1 + i] = (unsigned char)(i * 7 + i / 256);
	if (transfer(fd, PINDMA_TO_DEVICE, &out, 1) || transfer(fd, PINDMA_FROM_DEVICE, in, 3))
		return 1;
	if (memcmp(source + 1, back, 1) || memcmp(source + 2, back + 2, 1000) ||
	    memcmp(source + 1002, back + 1004, LENGTH - 1001)) {
		fprintf(stderr, "roundtrip: what came back differs\n");
		return 1;
	}
	printf("roundtrip: ok, %d bytes to the device and back\n", LENGTH);
	return close(fd) ? 1 : 0;
}
