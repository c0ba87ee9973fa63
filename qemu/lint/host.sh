#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What build.sh may ask of a host stands in the README, by the names of its packages.
. "${BASH_SOURCE[0]%/*}/../lib.sh"

packages() {
	sed -n '/^need_host_tools()/,/^}/p' "$REPO/qemu/build.sh" |
		grep -oE '\b[a-z]+:[a-z-]+|wanted\+=\([a-z-]+\)' | sed -E 's/^[a-z]+:|^wanted\+=\(|\)$//g'
}

missing=()
for package in $(packages); do
	grep -q "\`$package\`" "$REPO/README.md" || missing+=("$package")
done
[ ${#missing[@]} = 0 ] || die "README.md does not name ${missing[*]}, which build.sh asks for"
