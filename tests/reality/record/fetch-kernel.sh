#!/bin/bash
# fetch-kernel.sh SERIES   e.g. fetch-kernel.sh 6.12
# Downloads (never installs) the newest generic Debian kernel of the series and
# unpacks it under $REALITY_DIR/kernels/<release>; prints <release>. The apt
# state is in $REALITY_DIR/apt: the machine's own is not touched.
set -eu
cd "${REALITY_DIR:?}"
mkdir -p apt/lists/partial apt/cache/archives/partial debs kernels
have=$(ls kernels | grep -E "^$1\." | grep -v '\.new$' | sort -V | tail -1 ||
  true)
[ -z "$have" ] || { echo "$have"; exit; }
signed='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
mirror=$(apt-get indextargets --format '$(SITE)' | head -1)
{
  for suite in bookworm bookworm-backports trixie trixie-backports sid; do
    echo "deb $signed $mirror $suite main"
  done
  echo "deb $signed ${mirror%/debian}/debian-security bookworm-security main"
} > apt/sources.list
cat > apt/apt.conf <<A
Dir::Etc::sourcelist "$PWD/apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$PWD/apt/lists";
Dir::Cache "$PWD/apt/cache";
Acquire::Languages "none";
A
export APT_CONFIG=$PWD/apt/apt.conf
[ -n "$(ls apt/lists/*Packages* 2> /dev/null)" ] || apt-get update -qq
# The generic flavour only: the cloud flavour has CONFIG_ZSWAP off.
release=$(apt-cache search --names-only \
  "^linux-image-$1(\.[0-9]+)*(-[0-9]+|\+deb[0-9]+)-amd64\$" |
  awk '{print $1}' | sed 's/^linux-image-//' | sort -V | tail -1)
[ -n "$release" ] || { echo "no kernel $1 is offered" >&2; exit 1; }
packages="linux-image-$release"
for part in binary modules base; do
  # Known is not enough: there has to be a version to download.
  [ -n "$(apt-cache madison "linux-$part-$release")" ] || continue
  packages="$packages linux-$part-$release"
done
rm -rf "kernels/$release.new"
mkdir -p "debs/$release" "kernels/$release.new"
(cd "debs/$release" && apt-get download $packages >&2)
for deb in "debs/$release"/*.deb; do
  dpkg-deb -x "$deb" "kernels/$release.new"
done
mv "kernels/$release.new" "kernels/$release"
echo "$release"
