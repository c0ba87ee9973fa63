#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A floor of driver/ uses only floors below it: the lines of floors.list, from the ground up.
# Floors of one line do not use each other. Each edge that runs upward is named.
. "${BASH_SOURCE[0]%/*}/../lib.sh"

cd "$REPO" || exit
mapfile -t rust < <(printf '%s\n' "$@" | grep '^driver/.*\.rs$')

awk '
	FNR == 1 { file++; block = 0 }
	file == 1 {
		if ($0 !~ /^#/) for (i = 1; i <= NF; i++) rank[$i] = FNR
		next
	}
	FNR == 1 {
		floor = FILENAME
		sub(/^driver\//, "", floor)
		sub(/[\/.].*/, "", floor)
		if (!(floor in rank)) report("floors.list does not know " floor)
	}
	{ text = $0; sub(/\/\/[^\/!].*|\/\/$/, "", text) }
	# The names that a block of imports begins its lines with.
	text ~ /use crate::\{$/ {
		match(text, /^ */)
		indent = substr(text, 1, RLENGTH)
		block = 1
		next
	}
	block && index(text, indent "};") == 1 { block = 0; next }
	block && match(text, "^" indent "    [a-z_]+") {
		uses(substr(text, length(indent) + 5, RLENGTH - length(indent) - 4))
		next
	}
	{
		while (match(text, /(^|[^a-z_$])crate::[a-z_]+/)) {
			name = substr(text, RSTART, RLENGTH)
			sub(/.*::/, "", name)
			uses(name)
			text = substr(text, RSTART + RLENGTH)
		}
	}
	function uses(name) {
		# What the macro `module!` makes of the parameters stands on the ground.
		if (name == floor || name == "module_parameters") return
		if (!(name in rank)) report("floors.list does not know " name)
		else if (rank[name] >= rank[floor]) report(floor " uses " name)
	}
	function report(what) { print FILENAME ":" FNR ": " what; bad = 1 }
	END { exit bad }
' qemu/lint/floors.list "${rust[@]}"
