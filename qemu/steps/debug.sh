#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The debug kernel, from the stock kernel's source and qemu/debug/kernel.config.
# An interrupted build goes on where it was.
. "${BASH_SOURCE[0]%/*}/../lib.sh"

wanted=$REPO/qemu/debug/kernel.config
# Lines that make prints for this configuration, for the share that is done.
LINES=1790
tmp=$DEBUG.part
mkdir -p "$tmp"
config=$tmp/.config
cp "$wanted" "$tmp/wanted.config"

# No date, user or machine in it: the same input makes the same kernel.
kmake() {
	ENTER_ARGS=(--bind "$tmp" /kernel/debug --setenv KCONFIG_ALLCONFIG /kernel/debug/wanted.config
		--setenv KBUILD_BUILD_USER pindma --setenv KBUILD_BUILD_HOST pindma
		--setenv KBUILD_BUILD_TIMESTAMP '@0')
	enter make -j"$(nproc)" -C /kernel/src O=/kernel/debug LLVM="-$(pin clang_series)" "$@"
}

# The lines of the fragment that are not in the configuration.
fallen_out() {
	local line symbol
	while read -r line; do
		case $line in
		CONFIG_*) grep -qxF -- "$line" "$config" || say "$line" ;;
		'# CONFIG_'*' is not set')
			symbol=${line#'# '}
			symbol=${symbol%' is not set'}
			! grep -q "^$symbol=" "$config" || say "$line"
			;;
		esac
	done <"$wanted"
}

# Each tenth line, with the share: what the terminal shows of the build.
progress() {
	awk -v all="$LINES" '
		/warning|[Ee]rror|\*\*\*/ { print; fflush(); next }
		{ n++ }
		n % 10 == 0 { printf "%d%% %s\n", n < all ? n * 100 / all : 99, $0; fflush() }
		{ last = $0 }
		END { print n " lines, the last: " last }'
}

kmake -s allnoconfig
missing=$(fallen_out)
[ -z "$missing" ] || die "the debug kernel's configuration has not got what qemu/debug/kernel.config asks for: $missing"
kmake bzImage modules 2>&1 | progress
cp -f "$tmp/arch/x86/boot/bzImage" "$tmp/bzImage"
# A module is built against headers, tools and metadata; the objects are not
# needed any more, and they are most of it.
find "$tmp" \( -name '*.o' -o -name '*.a' -o -name 'vmlinux*' \) -not -path "$tmp/scripts/*" -not -path "$tmp/tools/*" \
	-type f ! -name '*.lds' -delete
mv -T "$tmp" "$DEBUG"
