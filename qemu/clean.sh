#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# clean.sh clean: this checkout's builds. clean-old: what setup made and this
# checkout does not use (any more). clean-cache: all, of every checkout.
. "${BASH_SOURCE[0]%/*}/lib.sh"

case ${1:-clean} in
clean) rm -rf --one-file-system "$WORK" ;;
clean-old)
	hold setup
	for made in "$CACHE"/{root,kernel,prepared,debug,fio}-*; do
		case $made in
		"$ROOT" | "$KERNEL" | "$PREPARED" | "$DEBUG" | "$FIO") ;;
		*) rm -rf --one-file-system "$made" ;;
		esac
	done
	;;
clean-cache)
	# Only what is ours: the variable may name a directory with other things.
	rm -rf --one-file-system "$CACHE"/{root,kernel,prepared,debug,fio,work}-* "$CACHE"/{cargo,target} "$CACHE"/{setup,build}.lock
	rmdir --ignore-fail-on-non-empty "$CACHE"
	;;
*) die "usage: clean.sh clean|clean-old|clean-cache" ;;
esac
