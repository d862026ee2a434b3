#!/bin/sh
# First inputs of the fuzz targets: the file tests, with the level before them, and the models of the
# ONNX suite where they are there.
#
#	tests/fuzz/seed.sh CORPUS-FOLDER
corpus=$1
mkdir -p "$corpus/fuzz_text" "$corpus/fuzz_onnx"

for f in tests/*/*.sn tests/*/*/*.sn; do
	case $(grep -m1 -v '^;' "$f") in
	graph*) level=0 ;;
	program*) level=1 ;;
	func*) level=2 ;;
	*) continue ;;
	esac
	{
		printf %s $level
		sed '/^; expect$/,$d' "$f"
	} >"$corpus/fuzz_text/$(echo "$f" | tr / _)"
done

for f in build/venv/lib/python3*/site-packages/onnx/backend/test/data/node/*/model.onnx; do
	[ -f "$f" ] && cp "$f" "$corpus/fuzz_onnx/$(basename "$(dirname "$f")")"
done
exit 0
