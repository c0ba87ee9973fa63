#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The module for the debug kernel.
exec "${BASH_SOURCE[0]%/*}/module.sh" debug
