#!/bin/sh
# The fuzz targets once on each input of the corpus and on what they start from; finding new ones is
# make fuzz's. Under AddressSanitizer too, where that build is there (make asan).
b=${B:-build}
seeds=$b/tests/fuzz/seeds
rm -rf "$seeds"
tests/fuzz/seed.sh "$seeds"

builds=$b
[ "$b" = build ] && [ -x build/asan/tests/fuzz/replay_fuzz_text ] && builds="$b build/asan"
n=0
status=0
for build in $builds; do
	for target in fuzz_onnx fuzz_text; do
		n=$((n + 1))
		mkdir -p "$seeds/$target"
		if "$build/tests/fuzz/replay_$target" tests/fuzz/corpus/$target/* "$seeds/$target" \
			>"$seeds/log" 2>&1; then
			echo "ok $n - $build $target, $(grep -c '^# ' "$seeds/log") inputs"
		else
			echo "not ok $n - $build $target"
			tail -n 30 "$seeds/log" | sed 's/^/# /'
			status=1
		fi
	done
done
echo 1..$n
exit $status
