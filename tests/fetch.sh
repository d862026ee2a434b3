#!/bin/sh
# Python packages of the tests, by version and checksum, into build/venv (and the wheels which are
# only unpacked, into build/downloads). Does nothing when they are there already.
#
#	tests/fetch.sh [venv] [ocr] [pictures]	default: venv
#
# Exits with 3 and says so when they can't be had: callers skip what needs them.
set -u
top=build
venv=$top/venv
downloads=$top/downloads
cd "$(dirname "$0")/.." || exit 2
ocr_version=3.10.0
ocr_hash=2fc34e26cd0f48514804a94f8832283039c7334076bff60768b1fed9ad068050

cant() {
	echo "fetch: $1" >&2
	echo "fetch: is the network there? The tests that need it are skipped" >&2
	exit 3
}

make_venv() {
	[ -x $venv/bin/pip ] && return
	rm -rf $venv
	python3 -m venv $venv || cant "can't make $venv (package python3-venv?)"
}

fetch_venv() {
	cmp -s tests/requirements.txt $venv/installed.txt && return
	make_venv
	echo "fetch: numpy, onnx, onnxruntime into $venv (about 80 MB)"
	$venv/bin/pip install --quiet --disable-pip-version-check --only-binary :all: \
		--require-hashes -r tests/requirements.txt || cant "can't install the Python packages"
	cp tests/requirements.txt $venv/installed.txt
}

# The wheel's models and licences; its Python code stays unused.
fetch_ocr() {
	folder=$downloads/rapidocr-$ocr_version
	[ -f "$folder/complete" ] && return
	make_venv
	mkdir -p $downloads
	echo "fetch: the text recognition models of rapidocr $ocr_version (27 MB)"
	printf 'rapidocr==%s --hash=sha256:%s\n' $ocr_version $ocr_hash >$downloads/ocr.txt
	$venv/bin/pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
		-r $downloads/ocr.txt -d $downloads || cant "can't get the wheel of rapidocr"
	rm -rf "$folder"
	$venv/bin/python -m zipfile -e $downloads/rapidocr-$ocr_version-*.whl "$folder" ||
		cant "can't unpack the wheel of rapidocr"
	touch "$folder/complete"
}

# What draws the examples' pictures and trains their network, on top of venv.
fetch_pictures() {
	cmp -s examples/requirements.txt $venv/pictures.txt && return
	make_venv
	$venv/bin/pip install --quiet --disable-pip-version-check --only-binary :all: \
		--require-hashes -r examples/requirements.txt || cant "can't install Pillow"
	cp examples/requirements.txt $venv/pictures.txt
}

mkdir -p $top
[ $# -gt 0 ] || set -- venv
for what; do
	case $what in
	venv) fetch_venv ;;
	ocr) fetch_ocr ;;
	pictures) fetch_pictures ;;
	*) echo "usage: tests/fetch.sh [venv] [ocr] [pictures]" >&2 && exit 2 ;;
	esac
done
