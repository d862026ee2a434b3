#!/bin/sh
# Compiles every header alone: each includes what it needs. CC and B come from the Makefile.
CC=${CC:-gcc}
B=${B:-build}
warn='-Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror'
log=$(mktemp)
trap 'rm -f "$log"' EXIT

set -- support/*.h ir/*.h frontend/*.h passes/*.h codegen/*.h cli/*.h runtime/*.h
n=0
for h; do
	[ -f "$h" ] && n=$((n + 1))
done
echo "1..$n"

n=0
failed=0
for h; do
	[ -f "$h" ] || continue
	n=$((n + 1))
	case $h in
	runtime/*) std=c99 ;;
	*) std=gnu11 ;;
	esac
	# A tentative declaration, since ISO C forbids an empty file.
	if printf '#include "%s"\nextern int sinter_header_test;\n' "$h" |
		$CC -std=$std $warn -I. -I"$B" -fsyntax-only -x c - >"$log" 2>&1; then
		echo "ok $n - $h"
	else
		echo "not ok $n - $h"
		sed 's/^/# /' "$log"
		failed=1
	fi
done
exit $failed
