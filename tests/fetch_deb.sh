#!/bin/sh
# Debian packages that building and testing need: installs what is missing when run as root, else
# prints the one line that does. docs/dependencies.md says what each is for.
packages="gcc make pkg-config
	libprotobuf-c-dev protobuf-c-compiler libxml2-dev libgraphviz-dev
	libcmocka-dev clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev valgrind
	python3 python3-venv libpng-dev
	pocl-opencl-icd ocl-icd-libopencl1 ocl-icd-opencl-dev opencl-headers clinfo oclgrind"

if ! command -v dpkg-query >/dev/null; then
	echo "deps: not a Debian system; docs/dependencies.md lists what is needed" >&2
	exit 0
fi

missing=
for p in $packages; do
	case $(dpkg-query -W -f='${Status}' "$p" 2>/dev/null) in
	"install ok installed") ;;
	*) missing="$missing $p" ;;
	esac
done
[ -z "$missing" ] && exit 0

line="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" -ne 0 ]; then
	echo "deps: packages are missing; as root, run:" >&2
	echo "	$line" >&2
	exit 1
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
if ! apt-get -q update || ! $line; then
	echo "deps: can't install the packages; is the network there?" >&2
	exit 1
fi
