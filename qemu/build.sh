#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Brings the build root, the kernel and our own builds up to date. Usage:
# build.sh setup|module|user|demo|all|debug. A step that is done is not done again, one
# that was interrupted starts over, and each says what it cost.
. "${BASH_SOURCE[0]%/*}/lib.sh"

# Gigabytes that a full cache takes, with room to unpack.
SPACE_GB=8

# Steps of a target, in their order.
steps_of() {
	local setup=(root packages source prepare)
	[ -z "${KDIR:-}" ] || [ "$1" != module ] || setup=(root)
	case $1 in
	setup) echo "${setup[@]}" ;;
	module) echo "${setup[@]}" module ;;
	user) echo root user ;;
	demo) echo "${setup[@]}" module user ;;
	all) echo "${setup[@]}" module fio user ;;
	debug) echo root packages source clang debug debug-module user ;;
	*) die "usage: build.sh setup|module|user|demo|all|debug" ;;
	esac
}

title_of() {
	case $1 in
	root) echo "build root" ;;
	packages) echo "kernel packages" ;;
	source) echo "kernel source" ;;
	prepare) echo "kernel's Rust metadata" ;;
	module) echo "module" ;;
	clang) echo "clang in the build root" ;;
	debug) echo "debug kernel" ;;
	debug-module) echo "module for the debug kernel" ;;
	fio) echo "fio" ;;
	user) echo "programs" ;;
	esac
}

# Whether a step's result is in the cache. Our own builds are always looked at.
is_done() {
	case $1 in
	root) [ -d "$ROOT" ] ;;
	packages) [ -f "$KERNEL/release" ] ;;
	source) [ -d "$KERNEL/src" ] ;;
	prepare) [ -d "$PREPARED" ] ;;
	clang) [ -f "$CLANG_MARK" ] ;;
	debug) [ -d "$DEBUG" ] ;;
	fio) [ -x "$FIO" ] ;;
	*) false ;;
	esac
}

# The host needs two tools (and a third for an ordinary user's build root).
need_host_tools() {
	local wanted=() tool
	for tool in bwrap:bubblewrap mmdebstrap:mmdebstrap flock:util-linux xz:xz-utils; do
		command -v "${tool%%:*}" >/dev/null || wanted+=("${tool#*:}")
	done
	[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || wanted+=(debian-archive-keyring)
	is_root || command -v newuidmap >/dev/null || [ -d "$ROOT" ] || wanted+=(uidmap)
	[ ${#wanted[@]} -gt 0 ] || return 0
	if ! is_root || ! command -v apt-get >/dev/null; then
		die "please install ${wanted[*]}, for example: sudo apt install ${wanted[*]}"
	fi
	say "installing ${wanted[*]} on this machine"
	local log=$LOGS/host.log
	{ apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${wanted[@]}"; } \
		>"$log" 2>&1 || die "apt cannot install ${wanted[*]}, see $log"
}

need_space() {
	[ ! -d "$PREPARED" ] || return 0
	local free
	free=$(df -P -BG "$CACHE" | awk 'NR == 2 { sub("G", "", $4); print $4 }')
	[ "$free" -ge "$SPACE_GB" ] ||
		die "the cache $CACHE needs about $SPACE_GB GB, its disk has $free GB free; PINDMA_CACHE names another place"
}

# Whole seconds, rounded, from milliseconds.
seconds() { echo $((($1 + 500) / 1000)); }

# Prints a time, its download part apart.
cost() {
	if [ "$(seconds "$2")" -gt 0 ]; then
		printf '%d s (download %d s)' "$(seconds "$1")" "$(seconds "$2")"
	else
		printf '%d s' "$(seconds "$1")"
	fi
}

failed() {
	local log=$1
	echo " FAILED"
	tail -n 30 "$log" | sed 's/^/    /' >&2
	! grep -q 'No space left on device' "$log" || warn "the disk of $CACHE is full"
	die "step '$2' failed; all of its output: $log; run the same command again to go on from here"
}

# On a terminal: the seconds so far and what the step said last. Ends with this
# script, however that ends.
tick() {
	local head=$1 log=$2 begin=$EPOCHREALTIME
	while sleep 1 && kill -0 $$ 2>/dev/null; do
		printf '\r\033[K%s%s s  %.60s' "$head" "$(($(elapsed_ms "$begin") / 1000))" "$(tail -n 1 "$log" | tr -dc '[:print:]')"
	done
}

# Elsewhere: a sign of life now and then, for whoever ends what is silent.
beat() {
	local log=$1 seconds=0
	# Short sleeps: one that outlives this would keep the output open.
	while sleep 1 && kill -0 $$ 2>/dev/null; do
		seconds=$((seconds + 1))
		[ $((seconds % 300)) != 0 ] || printf '%s s (%.50s) ... ' "$seconds" "$(tail -n 1 "$log" | tr -dc '[:print:]')"
	done
}

# Runs a step's script with its output in a log.
run_logged() {
	local head=$1 step=$2 log=$3 ticker status=0
	: >"$log"
	if [ -t 1 ]; then
		tick "$head" "$log" 9>&- &
	else
		beat "$log" 9>&- &
	fi
	ticker=$!
	# The superuser's mmdebstrap mounts things, which have to go when it is killed.
	local apart=()
	if is_root && unshare --mount true 2>/dev/null; then apart=(unshare --mount); fi
	# The step holds the lock as well, should it outlive this script.
	"${apart[@]}" "$REPO/qemu/steps/$step.sh" >"$log" 2>&1 </dev/null || status=$?
	kill "$ticker"
	wait "$ticker" 2>/dev/null || true
	[ ! -t 1 ] || printf '\r\033[K%s' "$head"
	return "$status"
}

total=0 total_download=0
# Runs a step under its title and says what it cost.
run_step() {
	local number=$1 step=$2 head log begin ms loaded
	head="[$number] $(title_of "$step") ... " log=$LOGS/$step.log
	printf '%s' "$head"
	if is_done "$step"; then
		say ready
		return
	fi
	export DOWNLOAD_TALLY=$LOGS/$step.download
	: >"$DOWNLOAD_TALLY"
	begin=$EPOCHREALTIME
	run_logged "$head" "$step" "$log" || failed "$log" "$step"
	ms=$(elapsed_ms "$begin")
	loaded=$(awk '{ n += $1 } END { print n + 0 }' "$DOWNLOAD_TALLY")
	total=$((total + ms)) total_download=$((total_download + loaded))
	cost "$ms" "$loaded"
	say
	grep -E '^(note:|built against)' "$log" || true
}

main() {
	local steps number=0 step
	mkdir -p "$LOGS"
	read -ra steps <<<"$(steps_of "${1:-all}")"
	need_host_tools
	need_space
	hold setup
	for step in "${steps[@]}"; do
		number=$((number + 1))
		run_step "$number/${#steps[@]}" "$step"
	done
	say "built in $(seconds $((total - total_download))) s of own work and $(seconds "$total_download") s of downloads"
}
main "$@"
