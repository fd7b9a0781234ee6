#!/bin/sh
# Carries `mlens train -backend xla` to a machine with an NVIDIA GPU that has no Go and no network,
# and the model back.
#
#   carry.sh pack DIR               here: makes DIR, to be copied there, with the program, this
#                                   script, XLA's CUDA plugin and NVIDIA's libraries
#   DIR/carry.sh train OUT [FLAG…]  there: simulates and trains, below OUT
#   carry.sh join PARTS TO          anywhere: checks what train left in OUT/parts and joins it in TO
#
# pack works in a checkout on Linux on amd64, with Go, gcc, and python3 with pip, which fetches 2 GB,
# 3 GB unpacked. With MLENS_XLA_PLUGIN set it fetches nothing, and train needs that set too.
#
# train needs Linux on amd64, a C library no older than the one pack linked with, and for the plugin
# of pack a driver for CUDA 13 (580 or later). MLENS_XLA_PLUGIN names another plugin; JAX's own,
# …/site-packages/jax_plugins/xla_cuda13/xla_cuda_plugin.so, finds its libraries as pack's does. The
# flags are those of `mlens train`, but that -batch is 512 and, without -from, -network paper unless
# they say otherwise; -dir and -out are OUT/work and OUT/model whatever they say.
#
# Stopped by Ctrl-C, SIGTERM or SIGHUP, train saves a checkpoint; killed, it loses about a minute. The
# same command goes on from there. When it ends it leaves files under 16 MB with checksums in
# OUT/parts: the finished model, else the last checkpoint. Of a model, join makes the folder TO, which
# -model and -from take; of a checkpoint, the OUT/work with which train goes on on another machine.
#
# All this has been run with XLA's CPU plugin only, not on a GPU: the CUDA plugin has been tried up to
# its search for one.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

fail() {
	echo "carry.sh: $*" >&2
	exit 1
}

usage() {
	fail "use: carry.sh pack DIR, DIR/carry.sh train OUT [FLAG...], or carry.sh join PARTS TO"
}

# The plugin, and the libraries that jax-cuda13-plugin 0.11.2 names for it: those of CUDA 13.0.2, and
# cuDNN, NCCL and NVSHMEM as PyTorch 2.11 has them next to these.
requirements='jax-cuda13-pjrt==0.11.2 --hash=sha256:e5ff589d43064913bb74027682d89639c7ea48f9f81c2bae6fc75117e913f93e
nvidia-cublas==13.1.0.3 --hash=sha256:ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171
nvidia-cuda-cupti==13.0.85 --hash=sha256:4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8
nvidia-cuda-nvcc==13.0.88 --hash=sha256:56fe502eb77625a12f25172caa3cdddb4e4c8ba2c8c17dba44b164761b380f03
nvidia-cuda-nvrtc==13.0.88 --hash=sha256:ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575
nvidia-cuda-runtime==13.0.96 --hash=sha256:7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548
nvidia-cudnn-cu13==9.19.0.56 --hash=sha256:d20e1734305e9d68889a96e3f35094d733ff1f83932ebe462753973e53a572bf
nvidia-cufft==12.0.0.61 --hash=sha256:6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3
nvidia-cusolver==12.0.4.66 --hash=sha256:0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112
nvidia-cusparse==12.6.3.3 --hash=sha256:2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b
nvidia-nccl-cu13==2.28.9 --hash=sha256:e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42
nvidia-nvjitlink==13.0.88 --hash=sha256:13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b
nvidia-nvshmem-cu13==3.4.5 --hash=sha256:290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80
nvidia-nvvm==13.0.88 --hash=sha256:c5f41ffeb6466944a026dfa5317d7d85355c119bbec279205d22f1869d1054e0'

pack() {
	[ $# = 1 ] || usage
	root=$here/../../..
	[ -e "$root/go.mod" ] || fail "pack builds the program: use mlens/cmd/mlens/carry.sh in a checkout"
	[ "$(uname -sm)" = "Linux x86_64" ] || fail "pack makes a program for Linux on amd64 and needs such a machine, not $(uname -sm)"
	mkdir -p "$1"
	dir=$(cd "$1" && pwd)
	(cd "$root" && CGO_ENABLED=1 GOEXPERIMENT=simd go build -trimpath -tags xla -o "$dir/mlens" ./mlens/cmd/mlens)
	cp "$0" "$dir/carry.sh"
	chmod +x "$dir/carry.sh"
	if [ -n "${MLENS_XLA_PLUGIN-}" ]; then
		echo "carry.sh: no plugin is fetched, as MLENS_XLA_PLUGIN is set: set it for train too"
	elif [ "$(cat "$dir/xla/requirements.txt" 2>/dev/null)" != "$requirements" ]; then
		echo "carry.sh: fetching XLA's CUDA plugin and NVIDIA's libraries with pip, once ..."
		rm -rf "$dir/xla" "$dir/xla.new"
		mkdir "$dir/xla.new"
		echo "$requirements" >"$dir/xla.new/requirements.txt"
		PIP_ROOT_USER_ACTION=ignore python3 -m pip install --target "$dir/xla.new" --no-deps --require-hashes --only-binary :all: --no-compile \
			--no-cache-dir --no-input --disable-pip-version-check --quiet -r "$dir/xla.new/requirements.txt"
		mv "$dir/xla.new" "$dir/xla"
	fi
	du -sh "$dir"
}

train() {
	[ $# -gt 0 ] || usage
	case $1 in -*) usage ;; esac
	mkdir -p "$1"
	out=$(cd "$1" && pwd)
	shift
	if [ -z "${MLENS_XLA_PLUGIN-}" ]; then
		library=$here/xla/jax_plugins/xla_cuda13/xla_cuda_plugin.so
		[ -e "$library" ] || fail "pack fetched no plugin into $here/xla: set MLENS_XLA_PLUGIN to the path of this machine's"
		case $here in *[\ ,:]*) fail "XLA cannot have its libraries in $here: move them to a path without spaces, commas and colons" ;; esac
		export MLENS_XLA_PLUGIN="$library,preallocate=true,memory_fraction=0.85"
	fi
	# The wheels of NVIDIA's libraries unpack next to the plugin's. It finds most libraries there by
	# itself, but not the files with which it compiles, and cuDNN does not find nvrtc.
	site=${MLENS_XLA_PLUGIN%%/jax_plugins/*}
	cuda=$site/nvidia/cu13
	[ -d "$cuda/nvvm/libdevice" ] || cuda=/usr/local/cuda
	if [ -d "$cuda" ]; then
		export XLA_FLAGS="--xla_gpu_cuda_data_dir=$cuda${XLA_FLAGS:+ $XLA_FLAGS}" PATH="$cuda/bin:$PATH"
	fi
	for lib in "$site"/nvidia/*/lib; do
		if [ -d "$lib" ]; then
			export LD_LIBRARY_PATH="$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
		fi
	done

	network="-network paper"
	case " $*" in *" -from"* | *" --from"*) network= ;; esac # it has the model's

	# In a session of its own it gets one signal, from here, also where Ctrl-C or a job scheduler
	# sends them to all: the second would end it before it has saved.
	status=0
	setsid "$here/mlens" train -backend xla $network -batch 512 "$@" -dir "$out/work" -out "$out/model" &
	pid=$!
	trap 'trap "" INT TERM HUP; kill -TERM $pid' INT TERM HUP
	wait $pid || status=$?
	while kill -0 $pid 2>/dev/null; do # a signal ended wait
		wait $pid || status=$?
	done
	trap '' INT TERM HUP

	if [ $status = 0 ]; then
		[ ! -e "$out/model" ] || parts model "$out/model" .
	elif state=$(cd "$out/work" 2>/dev/null && ls -td runs/*/state/checkpoint.safetensors 2>/dev/null); then
		parts checkpoint "$out/work" "$(echo "$state" | sed 's,/[^/]*$,,;q')"
	elif [ $status -gt 128 ]; then
		echo "carry.sh: there is no checkpoint yet; the same command goes on with what $out/work has"
	fi
	exit $status
}

# parts NAME FOLDER PATH puts FOLDER/PATH into $out/parts.
parts() {
	rm -rf "$out/parts.new"
	mkdir "$out/parts.new"
	tar -C "$2" -cf "$out/parts.new/tar" "$3" # not through a pipe, which would hide its failure
	split -b 15m -a 3 "$out/parts.new/tar" "$out/parts.new/$1.tar."
	rm "$out/parts.new/tar"
	(cd "$out/parts.new" && sha256sum "$1".tar.* >SHA256SUMS)
	rm -rf "$out/parts"
	mv "$out/parts.new" "$out/parts"
	echo "carry.sh: the $1 is in $out/parts"
}

join() {
	[ $# = 2 ] || usage
	[ -e "$1/SHA256SUMS" ] || fail "$1 has no SHA256SUMS: name the folder of the parts"
	[ ! -e "$2" ] || fail "$2 exists already: name a new folder"
	(cd "$1" && sha256sum -c SHA256SUMS) >&2 || fail "the parts in $1 that are named above are damaged or missing: copy them again"
	rm -rf "$2.new"
	mkdir -p "$2.new"
	(cd "$1" && sed 's/^[^ ]* [ *]//' SHA256SUMS | xargs cat) | tar -C "$2.new" -xof -
	mv "$2.new" "$2"
	echo "carry.sh: joined in $2"
}

[ $# -gt 0 ] || usage
what=$1
shift
case $what in
pack | train | join) "$what" "$@" ;;
*) usage ;;
esac
