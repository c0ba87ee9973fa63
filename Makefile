# SPDX-License-Identifier: GPL-2.0
# The human entry. Everything is built in a build root in the cache, see
# qemu/build.sh; nothing is written to the source tree.

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help setup module user unit demo card prove test test-debug soak soak-debug outages mutants bench lint fmt bindings shell clean clean-old clean-cache

# Exported for the scripts: PINDMA_CACHE, PINDMA_MIRROR, KDIR, V.
ifdef KDIR
export KDIR
endif
ifdef V
export V
endif

# Minutes of make soak.
MIN ?= 10
# Rounds of make outages, and which moments.
ROUNDS ?= 1000
SEED ?= 0

help:
	@echo 'make setup       build root, stock kernel, its Rust metadata (once: 0.7 GB to load, 6 GB on disk)'
	@echo 'make demo        a file through a card and back, in QEMU; DEVICE=edu shows the small device'
	@echo 'make card        a shell in QEMU beside a model of an XDMA card; see docs/card.md'
	@echo 'make test        all tests; LEGS="iommu smp" and FILTER=text,text choose some'
	@echo 'make test-debug  the tests on the debug kernel (once: some 20 minutes to build it); LEGS and FILTER as above'
	@echo 'make soak        a hundred processes come and go for MIN=10 minutes; make soak-debug on the debug kernel'
	@echo 'make outages     the device fails at ROUNDS=1000 random moments, for each way of moving data;'
	@echo '                 SEED=0 chooses which moments, LEGS as above'
	@echo 'make bench       what the ways to move data cost a processor, as ratios in one run'
	@echo 'make mutants     break the driver on purpose; MUTANTS="a b" chooses some'
	@echo 'make unit        only the tests that need no VM'
	@echo 'make module      the kernel module; KDIR=dir builds for another prepared kernel'
	@echo 'make user        crate, command line tool, selftests, VM runner'
	@echo 'make lint        formatting, clippy, unsafe, bindings, scripts'
	@echo 'make fmt         format the sources'
	@echo 'make bindings    generate userlib/sys/src/abi.rs from uapi/pindma.h'
	@echo 'make shell       a shell in the build root'
	@echo 'make clean       delete the builds of this checkout'
	@echo 'make clean-old   delete what older versions of it have set up'
	@echo 'make clean-cache delete everything, of every checkout'
	@echo
	@echo 'PINDMA_CACHE=dir   where all of it goes (default: pindma in the user cache directory)'
	@echo 'PINDMA_MIRROR=url  Debian mirror for the build root'

setup module user:
	@qemu/build.sh $@

unit: user
	@qemu/unit.sh

demo:
	@qemu/build.sh demo
	@qemu/rig.sh demo $(if $(DEVICE),--device $(DEVICE))

# CARD: how the card is built; FILES: a folder for the guest.
card:
	@qemu/build.sh all
	@FILES='$(abspath $(FILES))' qemu/rig.sh card $(if $(FILES),--files /tmp/files) $(if $(CARD),-- $(CARD))

prove:
	@qemu/build.sh all
	@qemu/rig.sh prove

test:
	@qemu/build.sh all
	@qemu/unit.sh
	@qemu/rig.sh prove
	@qemu/rig.sh test $(LEGS:%=--leg %) $(if $(FILTER),--filter '$(FILTER)')

soak:
	@qemu/build.sh all
	@qemu/rig.sh soak $(MIN)

soak-debug:
	@qemu/build.sh debug
	@qemu/rig.sh --debug-kernel soak $(MIN)

outages:
	@qemu/build.sh all
	@qemu/rig.sh outages $(LEGS:%=--leg %) --seed $(SEED) $(ROUNDS)

bench:
	@qemu/build.sh all
	@qemu/rig.sh bench

test-debug:
	@qemu/build.sh debug
	@qemu/rig.sh --debug-kernel test $(LEGS:%=--leg %) $(if $(FILTER),--filter '$(FILTER)')

# MUTANTS="a b" tries only these.
mutants:
	@qemu/build.sh all
	@qemu/mutants.sh $(MUTANTS)

lint:
	@qemu/build.sh setup
	@qemu/lint.sh

fmt bindings:
	@qemu/build.sh setup
	@qemu/lint.sh $@

shell:
	@qemu/enter.sh

clean clean-old clean-cache:
	@qemu/clean.sh $@
