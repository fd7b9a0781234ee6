#!/bin/sh
# Starts the GoNB kernel that go.mod pins, with this repository joined to every
# notebook's module by a go.work: cells use the versions of our go.mod and go.sum,
# and nothing is installed anywhere.
#
#   kernel.sh CONNECTION_FILE   run the kernel, as Jupyter asks
#   kernel.sh env               print the settings that cells are built with
set -e
root=$(cd "$(dirname "$0")/../../../.." && pwd)

# go.mod may ask for a newer toolchain than the go on PATH: cells need that one too.
PATH=$(go -C "$root" env GOROOT)/bin:$PATH

# MLENS_GOFLAGS replaces the flags: "-tags=xla -mod=readonly" links XLA into the cells.
GOFLAGS=${MLENS_GOFLAGS:--tags=noxla -ldflags=-s -mod=readonly}
export PATH GOFLAGS

# Matrix products are twenty times faster with SIMD. The two tools do not need it, and keep
# the settings they were built with.
experiment=$GOEXPERIMENT
if [ "$(go env GOARCH)" = amd64 ]; then
	case ",$experiment," in
	*,simd,* | *,nosimd,*) ;;
	*) experiment=${experiment:+$experiment,}simd ;;
	esac
fi

if [ "$1" = env ]; then
	printf 'GOFLAGS=%s\nGOEXPERIMENT=%s\n' "$GOFLAGS" "$experiment"
	exit
fi

gonb=$(go -C "$root" tool -n gonb)
goimports=$(go -C "$root" tool -n goimports) # GoNB runs it on every cell
PATH=$(dirname "$goimports"):$PATH
GOEXPERIMENT=$experiment
MLENS_ROOT=$root # where nb.Data looks first
export GOEXPERIMENT MLENS_ROOT

# A Jupyter that is killed cannot stop its kernels: look now and then whether it is still there.
parent=${JPY_PARENT_PID:-$PPID}
(while sleep 5; kill -0 "$parent" && kill -0 $$; do :; done; kill -- -$$) </dev/null >/dev/null 2>&1 &

exec "$gonb" --kernel "$1" -raw_error -go_work="$root" 2>/dev/null
