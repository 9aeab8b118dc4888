#!/bin/bash
# boot.sh RELEASE SWAP(vda|brd|zram) ZPOOL OUT.jsonl
# Boots the kernel under QEMU without hardware help, one CPU, 256 MiB; guest
# time follows the instructions, so that two runs are the same to the bit. The
# guest runs /wl/run.wl and writes its counters to OUT.jsonl.
set -eu
release=$1 swap=$2 zpool=$3 out=$4
kernel=${REALITY_DIR:?}/kernels/$release
vmlinuz=$(ls "$kernel"/boot/vmlinuz-* "$kernel"/usr/lib/modules/*/vmlinuz \
  2> /dev/null | head -1)
disk=() image=
if [ "$swap" = vda ]; then
  image=$(mktemp "$REALITY_DIR/swap.XXXXXX")
  truncate -s 128M "$image"
  disk=(-drive "file=$image,format=raw,if=none,id=d0,cache=unsafe,aio=threads"
    -device virtio-blk-pci,drive=d0)
fi
status=0
timeout "${LIMIT:-600}" qemu-system-x86_64 -accel tcg,thread=single \
  -icount shift=2,sleep=off -rtc base=2025-01-01T00:00:00,clock=vm -seed 1 \
  -machine pc-i440fx-7.0 -cpu qemu64 -m 256 -smp 1 -nodefaults -display none \
  -no-reboot -kernel "$vmlinuz" \
  -initrd "$REALITY_DIR/initramfs/$release.cpio.gz" \
  -append "console=ttyS0 panic=-1 quiet nokaslr random.trust_cpu=off \
mitigations=off transparent_hugepage=never no_timer_check zs.wl=run \
zs.swap=$swap zs.zpool=$zpool" \
  -chardev "file,id=c0,path=$out.console" -serial chardev:c0 \
  -chardev "file,id=c1,path=$out" -serial chardev:c1 \
  "${disk[@]}" < /dev/null || status=$?
[ -z "$image" ] || rm -f "$image"
exit $status
