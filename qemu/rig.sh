#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The VM runner in the build root: rig.sh [--debug-kernel] [--jobs N]
# test|demo|card|prove|initramfs ...
. "${BASH_SOURCE[0]%/*}/lib.sh"

[ -x "$BIN/rig" ] || die "the runner is not built: run make demo or make test"
logs=$LOGS
if [ "${1:-}" = --debug-kernel ]; then
	shift
	set -- --debug /kernel/debug/bzImage "$@"
	logs=$LOGS/debug
fi
# Two runs of one checkout would write the same logs.
hold "$(basename "$WORK")"
ENTER_ARGS=(--dev-bind-try /dev/kvm /dev/kvm)
[ -z "${FILES:-}" ] || ENTER_ARGS+=(--ro-bind "$FILES" /tmp/files)
begin=$EPOCHREALTIME status=0
enter "$BIN/rig" --modules "$KERNEL/stock/usr/lib/modules/$(kernel_release)" \
	--bin "$BIN" --fio "$FIO" --logs "$logs" "$@" 9>&- || status=$?
[ "${1:-}" != demo ] || say "the demo took $(($(elapsed_ms "$begin") / 1000)) s"
exit "$status"
