#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Breaks the driver on purpose, one invariant at a time, and looks which case
# notices: mutants.sh [NAME...]. Fails if a mutant survives or is stale.
#
# A mutant is selftests/mutants/NAME.patch. Its first line says what it breaks
# and which peer did so, then come `Leg: LEG`, the cheapest that should notice,
# and perhaps `Filter: TEXT`, for only the cases with that in their name, and
# `Kernel: debug` for what only that one notices; then a unified diff of the driver. Programs are not changed: cargo could take a
# mutant of them for what the checkout itself has to build.
. "${BASH_SOURCE[0]%/*}/lib.sh"

PATCHES=selftests/mutants
AREA=$WORK/mutants
# What all copies are made of: the checkout as it was in the beginning.
BASE=$AREA/base

# The value of a line `Key: value` above a mutant's diff.
head_of() {
	sed -n "/^diff /q; s/^$2: *//p" "$BASE/$PATCHES/$1.patch"
}
# The files that a mutant changes.
files_of() {
	sed -n 's,^+++ b/,,p' "$BASE/$PATCHES/$1.patch"
}
# The run that should notice a mutant, as one word.
run_of() {
	echo "$(head_of "$1" Leg):$(head_of "$1" Filter):$(head_of "$1" Kernel)"
}
# Where a copy has its builds and logs.
work_of() {
	local REPO=$1
	echo "$CACHE/work-$(work_key)"
}

snapshot() {
	rm -rf --one-file-system "$AREA"
	mkdir -p "$BASE" "$AREA/logs" "$AREA/verdicts" "$AREA/sick"
	cd "$REPO" || exit
	git -c safe.directory="$REPO" ls-files -z --cached --others --exclude-standard |
		tar -c --null --ignore-failed-read --warning=no-failed-read --files-from=- | tar -x -C "$BASE"
	mkdir "$BASE.bin"
	cp "$BIN"/* "$BASE.bin"
}

# The copy of this slot, made if there is none yet; its path goes to `copy`.
take_copy() {
	copy=$AREA/copy-$SLOT
	[ ! -d "$copy" ] || return 0
	cp -a "$BASE" "$copy"
	mkdir -p "$(work_of "$copy")/bin"
	cp "$BASE.bin"/* "$(work_of "$copy")/bin"
}
drop_copies() {
	local copy
	for copy in "$AREA"/copy-*; do
		[ ! -d "$copy" ] || rm -rf --one-file-system "$copy" "$(work_of "$copy")" "$(work_of "$copy").lock"
	done
}

# Changed files get a new time, so that they are built again.
apply() {
	GIT_CEILING_DIRECTORIES=$AREA git apply -C1 "$BASE/$PATCHES/$1.patch"
}
restore() {
	local file
	for file in $(files_of "$1"); do
		if [ -e "$BASE/$file" ]; then cp "$BASE/$file" "$file"; else rm -f "$file"; fi
	done
}
is_of_driver() {
	[ -n "$(files_of "$1")" ] && ! files_of "$1" | grep -v '^driver/' >/dev/null
}

# Makes a run LEG:FILTER:KERNEL in the copy that is the current directory.
make_run() {
	local leg filter kernel
	IFS=: read -r leg filter kernel <<<"$1"
	qemu/rig.sh ${kernel:+"--$kernel-kernel"} --jobs 1 test --leg "$leg" --filter "$filter"
}

# The cases that a run's log blames, with commas. Those that were lost after
# the first lost one were never tried.
blamed() {
	{
		sed -nE 's/^FAIL ([a-z0-9_:]+)$/\1/p' "$1"
		sed -nE 's/^LOST ([a-z0-9_:]+)$/\1/p' "$1" | head -n 1
	} | paste -sd, | sed 's/,/, /g'
}
# What a run's log says of a run as a whole, the first of it; not of its cases.
fault_of() {
	sed -n '/^--- leg/,/^\(FAIL\|LOST\|the console\)/{/^\(---\|FAIL\|LOST\|the console\)/!p}' "$1" | head -n 1
}

# What a run with this exit status and log means for a mutant.
judge() {
	local status=$1 log=$2 cases fault
	cases=$(blamed "$log") fault=$(fault_of "$log")
	if grep -q '^QEMU: ' "$log"; then
		echo "stale: QEMU could not run it, see $log"
	elif [ "$status" != 0 ] && [ -n "$cases$fault" ]; then
		echo "killed by ${cases:-the run as a whole}${fault:+ ($fault)}"
	elif [ "$status" = 0 ] && grep -qE '^[1-9][0-9]* passed, 0 failed' "$log"; then
		echo SURVIVED
	else
		echo "stale: nothing to be learned from its run, see $log"
	fi
}

# The fate of a mutant, in the copy that is the current directory.
fate() {
	local name=$1 log=$AREA/logs/$1.log run status=0
	run=$(run_of "$name")
	if [ -z "$(head_of "$name" Leg)" ]; then
		echo "stale: it names no leg"
	elif ! is_of_driver "$name"; then
		echo "stale: it is no change of the driver, or not only"
	elif [ -e "$AREA/sick/$run" ]; then
		echo "stale: the driver without it fails the same run, $run"
	elif ! apply "$name" >"$log" 2>&1; then
		echo "stale: it does not apply, see $log"
	elif ! qemu/steps/module.sh "$(head_of "$name" Kernel)" >>"$log" 2>&1; then
		echo "stale: it does not build, see $log"
	else
		make_run "$run" >>"$log" 2>&1 || status=$?
		judge "$status" "$log"
	fi
}

# One mutant, in the copy of $SLOT.
try() {
	local name=$1 begin=$EPOCHREALTIME copy verdict
	take_copy
	cd "$copy" || exit
	# The one before must not run again if this one does not build.
	rm -f "$(work_of "$copy")"/bin/pindma*.ko
	verdict=$(fate "$name")
	restore "$name"
	echo "$verdict" >"$AREA/verdicts/$name"
	printf '%-30s %s (%s, %s s)\n' "$name" "$verdict" "$(head_of "$name" Leg)" "$(($(elapsed_ms "$begin") / 1000))"
}

# A run without any mutant: a case that fails without one does not kill one.
# What is known of these very programs is not asked again.
try_health() {
	local run=$1 copy log known
	log=$AREA/logs/healthy-${run//:/-}.log
	known=$WORK/healthy/$(key_of "$BASE.bin"/*)
	[ ! -e "$known/$run" ] || return 0
	take_copy
	cd "$copy" || exit
	cp "$BASE.bin"/pindma*.ko "$(work_of "$copy")/bin"
	if make_run "$run" >"$log" 2>&1 && [[ $(judge 0 "$log") = SURVIVED ]]; then
		mkdir -p "$known"
		: >"$known/$run"
	else
		: >"$AREA/sick/$run"
		warn "without a mutant the run $run fails: $(blamed "$log") $(fault_of "$log"), see $log"
	fi
}

# Calls this script with $1 and each line of the input, two at a time on two
# processors; each slot has a copy of its own.
at_once() {
	xargs -r -d '\n' -n 1 -P "$(nproc)" --process-slot-var=SLOT "$REPO/qemu/mutants.sh" "$1"
}

# The mutants to try: those that are named, or all.
chosen() {
	local name
	if [ $# = 0 ]; then
		for name in "$BASE/$PATCHES"/*.patch; do basename "$name" .patch; done
	else
		printf '%s\n' "$@"
	fi
}

# Builds for the debug kernel, and that kernel, if one of the mutants needs it.
build_debug() {
	local name
	for name in "$@"; do
		[ -n "$(head_of "$name" Kernel)" ] || continue
		"$REPO/qemu/build.sh" debug
		cp "$BIN"/pindma-debug.* "$BASE.bin"
		return
	done
}

count() {
	cat "$AREA/verdicts"/* | grep -c "^$1" || true
}

main() {
	local names name killed survived stale begin=$EPOCHREALTIME
	[ -x "$BIN/rig" ] || die "the runner is not built: run make mutants"
	hold "$(basename "$WORK")-mutants"
	drop_copies
	snapshot
	trap drop_copies EXIT
	mapfile -t names < <(chosen "$@")
	for name in "${names[@]}"; do
		[ -e "$BASE/$PATCHES/$name.patch" ] || die "there is no mutant $name in $PATCHES"
	done
	build_debug "${names[@]}"
	begin=$EPOCHREALTIME
	for name in "${names[@]}"; do run_of "$name"; done | sort -u | at_once --health
	say "${#names[@]} mutants; the driver without them was tried first ($(($(elapsed_ms "$begin") / 1000)) s)"
	printf '%s\n' "${names[@]}" | at_once --try
	killed=$(count killed) survived=$(count SURVIVED) stale=$(count stale)
	[ "$stale" = 0 ] || warn "$stale mutants are stale: bring them up to date with what they break"
	say "all of it took $(($(elapsed_ms "$begin") / 1000)) s"
	say "$killed killed, $survived survived"
	[ "$killed" = "${#names[@]}" ]
}

# Both are one checkout for the copies, whatever named it here.
export PINDMA_CACHE=$CACHE
unset KDIR
case ${1:-} in
--try) try "$2" ;;
--health) try_health "$2" ;;
*) main "$@" ;;
esac
