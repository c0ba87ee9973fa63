#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Breaks the driver on purpose, one invariant at a time, and looks which case
# notices: mutants.sh [NAME...]. Fails if a mutant survives or is stale.
#
# All are built first. Then those of one leg are tried on one machine, each after
# the driver itself, which has to pass the same cases there and then. One that its
# cases do not notice gets a machine for itself, whose host looks on as well.
#
# A mutant is selftests/mutants/NAME.patch. Its first line says what it breaks
# and which peer did so, then come `Leg: LEG`, the cheapest that should notice,
# and perhaps `Filter: TEXT`, for only the cases with that in their name, and
# `Kernel: debug` for what only that one notices; then a unified diff of the
# driver. Programs are not changed: cargo could take a mutant of them for what the
# checkout itself has to build.
. "${BASH_SOURCE[0]%/*}/lib.sh"

PATCHES=selftests/mutants
AREA=$WORK/mutants
# What all copies are made of: the checkout as it was in the beginning.
BASE=$AREA/base
# Most mutants for one machine, whose memory they all lie in.
AT_MOST=24

# The value of a line `Key: value` above a mutant's diff.
head_of() {
	sed -n "/^diff /q; s/^$2: *//p" "$BASE/$PATCHES/$1.patch"
}
# The files that a mutant changes.
files_of() {
	sed -n 's,^+++ b/,,p' "$BASE/$PATCHES/$1.patch"
}
# Where a copy has its builds and logs.
work_of() {
	local REPO=$1
	echo "$CACHE/work-$(work_key)"
}

snapshot() {
	rm -rf --one-file-system "$AREA"
	mkdir -p "$BASE" "$AREA"/{logs,verdicts,built,groups}
	cd "$REPO" || exit
	git -c safe.directory="$REPO" ls-files -z --cached --others --exclude-standard |
		tar -c --null --ignore-failed-read --warning=no-failed-read --files-from=- | tar -x -C "$BASE"
	mkdir "$BASE.bin"
	cp -r "$BIN"/* "$BASE.bin"
}

# The copy of this slot, made if there is none yet; its path goes to `copy`.
take_copy() {
	copy=$AREA/copy-$SLOT
	[ ! -d "$copy" ] || return 0
	cp -a "$BASE" "$copy"
	mkdir -p "$(work_of "$copy")/bin"
	cp -r "$BASE.bin"/* "$(work_of "$copy")/bin"
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

# Builds a mutant in the copy of $SLOT, or says why it is stale.
build() {
	local name=$1 log=$AREA/logs/$1.log copy kernel why=''
	take_copy
	cd "$copy" || exit
	kernel=$(head_of "$name" Kernel)
	# The one before must not be taken for this one if this does not build.
	rm -f "$(work_of "$copy")"/bin/pindma*.ko
	if [ -z "$(head_of "$name" Leg)" ]; then
		why="it names no leg"
	elif ! is_of_driver "$name"; then
		why="it is no change of the driver, or not only"
	elif ! apply "$name" >"$log" 2>&1; then
		why="it does not apply, see $log"
	elif ! QUICK=1 MUTANT=1 qemu/steps/module.sh "$kernel" >>"$log" 2>&1; then
		why="it does not build, see $log"
	else
		enter strip --strip-debug -o "$AREA/built/$name.ko" "$(work_of "$copy")/bin/$(module_of "$kernel")"
	fi
	restore "$name"
	[ -z "$why" ] || tell "$name" "stale: $why"
}

# The file that is the module for the stock kernel, or for another.
module_of() {
	echo "pindma${1:+-$1}.ko"
}

# Says what became of a mutant, and keeps it.
tell() {
	echo "$2" >"$AREA/verdicts/$1"
	printf '%-30s %s (%s)\n' "$1" "$2" "$(head_of "$1" Leg)"
}

# Puts those that were built into folders, one for each machine: NUMBER:LEG:KERNEL.
group() {
	local name machine number=0 count=0 last='' folder
	for name in "$@"; do
		[ ! -e "$AREA/built/$name.ko" ] || echo "$(head_of "$name" Leg):$(head_of "$name" Kernel) $name"
	done | sort | while read -r machine name; do
		if [ "$machine" != "$last" ] || [ "$count" -ge "$AT_MOST" ]; then
			number=$((number + 1)) count=0 last=$machine
		fi
		count=$((count + 1))
		folder=$AREA/groups/$(printf '%02d' "$number"):$machine
		mkdir -p "$folder"
		mv "$AREA/built/$name.ko" "$folder/$name.ko"
		echo "$name $(head_of "$name" Filter)" >>"$folder/list"
	done
}

# The runner for a kernel, with programs and logs in folders of their own.
runner() {
	local kernel=$1 bin=$2 logs=$3
	local image=${kernel:+--debug /kernel/debug/bzImage}
	shift 3
	# shellcheck disable=SC2086 # none, or two words
	enter "$BASE.bin/rig" --modules "$KERNEL/stock/usr/lib/modules/$(kernel_release)" $image \
		--bin "$bin" --fio "$FIO" --logs "$logs" --jobs 1 "$@"
}

# Tries those of a folder: a line of the runner's answer is a mutant and its fate.
try() {
	local folder=$1 leg kernel name fate
	IFS=: read -r _ leg kernel <<<"${folder##*/}"
	runner "$kernel" "$BASE.bin" "$AREA/logs/${folder##*/}" mutants --leg "$leg" "$folder" </dev/null |
		while IFS=$'\t' read -r name fate; do
			case $fate in
			killed*) tell "$name" "$fate" ;;
			survived) tell "$name" "$(alone "$name" "$leg" "$kernel" "$folder/$name.ko" </dev/null)" ;;
			*) tell "$name" "stale: $fate" ;;
			esac
		done
}

# What becomes of one that its cases did not notice: the host may, of its QEMU or its
# console.
alone() {
	local name=$1 leg=$2 kernel=$3 module=$4 log=$AREA/logs/$1.alone bin=$AREA/bin-$1 fault
	cp -a "$BASE.bin" "$bin"
	cp "$module" "$bin/$(module_of "$kernel")"
	if runner "$kernel" "$bin" "$AREA/logs/$name" test --leg "$leg" --filter "$(head_of "$name" Filter)" >"$log" 2>&1; then
		echo SURVIVED
	else
		fault=$(sed -n '/^--- leg/,/^the console/{/^\(---\|the console\)/!p}' "$log" | head -n 1)
		echo "killed by the run as a whole (${fault:-see $log})"
	fi
	rm -rf "$bin"
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
	local names name killed survived begin=$EPOCHREALTIME
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
	printf '%s\n' "${names[@]}" | at_once --build
	drop_copies
	group "${names[@]}"
	say "${#names[@]} mutants, built in $(($(elapsed_ms "$begin") / 1000)) s"
	# The largest first.
	find "$AREA/groups" -name list -exec wc -l {} + | sort -rn | sed -n 's,^ *[0-9]* \(/.*\)/list$,\1,p' | at_once --try
	for name in "${names[@]}"; do
		[ -e "$AREA/verdicts/$name" ] || tell "$name" "stale: nothing was learned of it"
	done
	killed=$(count killed) survived=$(count SURVIVED)
	say "all of it took $(($(elapsed_ms "$begin") / 1000)) s"
	say "$killed killed, $survived survived, $(count stale) stale"
	[ "$killed" = "${#names[@]}" ]
}

# Both are one checkout for the copies, whatever named it here.
export PINDMA_CACHE=$CACHE
unset KDIR
case ${1:-} in
--build) build "$2" ;;
--try) try "$2" ;;
*) main "$@" ;;
esac
