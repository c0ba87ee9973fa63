#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# cargo in the build root, with what is in Cargo.lock and nothing else. `fetch`
# is the only command that goes to the network.
. "${BASH_SOURCE[0]%/*}/lib.sh"

cd "$REPO" || exit
command=$1
shift
case $command in
fetch) enter cargo fetch --quiet --locked --target x86_64-unknown-linux-gnu ;;
fmt) enter cargo fmt "$@" ;;
*) enter cargo "$command" --locked --offline "$@" ;;
esac
