#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A command in the build root; a shell when none is given.
. "${BASH_SOURCE[0]%/*}/lib.sh"

[ -d "$ROOT" ] || die "there is no build root yet: run make setup"
[ $# -gt 0 ] || set -- bash
enter "$@"
