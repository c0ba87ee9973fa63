#!/bin/sh
# SPDX-License-Identifier: MIT OR GPL-2.0
#
# Makes src/abi.rs and tests/layout.golden from uapi/pindma.h; with --check
# compares instead and fails if they are stale.  Needs bindgen and libclang, so
# it runs inside the build root; users of the crate need neither.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$(dirname "$here")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$top"

# bindgen TARGET RAW-LINES...: the header as seen by programs for that target.
# --clang-macro-fallback lets clang evaluate the _IO() numbers.
bind() {
	target=$1
	shift
	bindgen uapi/pindma.h --disable-header-comment "$@" \
		--allowlist-item 'PINDMA_.*|pindma_.*' \
		--clang-macro-fallback --clang-macro-fallback-build-dir "$work" \
		--default-enum-style consts --no-prepend-enum-name \
		--with-derive-default --with-derive-partialeq --with-derive-eq \
		--use-core --rust-target 1.82 --rust-edition 2021 \
		-- "--target=$target" -isystem /usr/include/x86_64-linux-gnu
}

# Turns bindgen's layout assertions into lines such as
# "offset pindma_seg.len 8" and "size pindma_seg 24".
layout() {
	tr '\n' ' ' <"$1" |
		grep -oE '\["[^"]*"\] *\[[^;]* - [0-9]+usize\];' |
		sed -E -e 's/^\["([^"]*)"\].* - ([0-9]+)usize\];$/\1 \2/' \
			-e 's/^Size of /size /' -e 's/^Alignment of /align /' \
			-e 's/^Offset of field: /offset /' -e 's/::/./'
}

bind x86_64-unknown-linux-gnu \
	--raw-line '// SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT' \
	--raw-line '//! The ABI as raw structs and numbers, generated from uapi/pindma.h by bindings.sh; do not edit.' \
	--raw-line '#![allow(missing_docs, non_camel_case_types, clippy::pedantic)]' \
	--raw-line '#![allow(rustdoc::invalid_html_tags, rustdoc::broken_intra_doc_links)]' \
	>"$work/abi.rs"
bind i686-unknown-linux-gnu >"$work/abi32.rs"

layout "$work/abi.rs" >"$work/layout64"
layout "$work/abi32.rs" >"$work/layout32"
{
	echo '# SPDX-License-Identifier: MIT OR GPL-2.0'
	echo '# Layout of uapi/pindma.h in bytes: item, 64-bit value, 32-bit value; made by bindings.sh.'
	paste -d ' ' "$work/layout64" "$work/layout32" | awk '
		$1 " " $2 != $4 " " $5 { print "layouts differ in their fields: " $0 >"/dev/stderr"; exit 1 }
		{ print $1, $2, $3, $6 }'
} >"$work/layout.golden"

case ${1-} in
--check)
	stale=0
	diff -u "$here/src/abi.rs" "$work/abi.rs" || stale=1
	diff -u "$here/tests/layout.golden" "$work/layout.golden" || stale=1
	if [ "$stale" = 1 ]; then
		echo 'bindings.sh: uapi/pindma.h changed; run userlib/sys/bindings.sh' >&2
		exit 1
	fi
	;;
'')
	cp "$work/abi.rs" "$here/src/abi.rs"
	cp "$work/layout.golden" "$here/tests/layout.golden"
	;;
*)
	echo 'usage: bindings.sh [--check]' >&2
	exit 2
	;;
esac
