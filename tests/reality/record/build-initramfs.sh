#!/bin/bash
# build-initramfs.sh RELEASE WORKLOAD.wl
# Makes $REALITY_DIR/initramfs/RELEASE.cpio.gz: busybox, the worker, the modules
# of the kernel that are not built in, and the workload as /wl/run.wl. Equal
# inputs give equal bytes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
mkdir -p "$root"/{bin,proc,sys,dev,mods,wl,tmp} "${REALITY_DIR:?}/initramfs"
gcc -O2 -static -o "$root/zwork" "$here/zwork.c"
cp /bin/busybox "$root/bin/"
cp "$here/init" "$root/init"
cp "$2" "$root/wl/run.wl"
chmod 755 "$root/init"
kernel=$REALITY_DIR/kernels/$1
modules=$(ls -d "$kernel"/lib/modules/* "$kernel"/usr/lib/modules/* \
  2> /dev/null | head -1)
: > "$root/mods/order"
# In the order in which they need each other; one that is missing is built in.
for name in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev \
  virtio_pci virtio_blk lz4_compress lz4hc_compress zstd_compress lz4 zstd \
  zsmalloc zram brd; do
  file=$(find "$modules/kernel" -name "$name.ko" -o -name "$name.ko.xz" |
    head -1)
  case $file in
    '') continue ;;
    *.xz) xz -dc "$file" > "$root/mods/$name.ko" ;;
    *) cp "$file" "$root/mods/$name.ko" ;;
  esac
  echo "$name.ko" >> "$root/mods/order"
done
find "$root" -exec touch -hd @0 {} +
(cd "$root" && find . -print0 | LC_ALL=C sort -z |
  cpio -0 -o -H newc --quiet --reproducible | gzip -n -6) \
  > "$REALITY_DIR/initramfs/$1.cpio.gz"
rm -r "$root"
