#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `unsafe` stands only where unsafe.allow says it may, and each line of
# unsafe.allow is needed.
. "${BASH_SOURCE[0]%/*}/../lib.sh"

cd "$REPO" || exit
allow=$REPO/qemu/lint/unsafe.allow
mapfile -t rust < <(printf '%s\n' "$@" | grep '\.rs$')

# FILE:LINE:TEXT of every use of the word outside comments and strings.
uses() {
	awk '
		{
			text = $0
			gsub(/"([^"\\]|\\.)*"/, "\"\"", text)
			sub(/\/\/.*/, "", text)
			if (text ~ /(^|[^A-Za-z0-9_])unsafe([^A-Za-z0-9_]|$)/) print FILENAME ":" FNR ":" $0
		}' "${rust[@]}"
}

# Columns: path (a shell pattern), extended regular expression, reason.
status=0
used=$(uses)
while IFS=$'\t' read -r path pattern reason; do
	[[ -n $path && $path != '#'* ]] || continue
	[ -n "$reason" ] || die "unsafe.allow: no reason given for $path"
	rest=''
	matched=0
	while IFS= read -r line; do
		text=${line#*:*:}
		# shellcheck disable=SC2053 # a pattern on purpose
		if [[ ${line%%:*} == $path && $text =~ $pattern ]]; then
			matched=1
		else
			rest+=$line$'\n'
		fi
	done <<<"$used"
	used=${rest%$'\n'}
	if [ "$matched" = 0 ]; then
		say "unsafe.allow: nothing needs '$path' '$pattern' any more"
		status=1
	fi
done <"$allow"
if [ -n "$used" ]; then
	say "unsafe where it may not be (see qemu/lint/unsafe.allow):"
	say "$used"
	status=1
fi
exit "$status"
