#!/usr/bin/env bash
# Puts a Neovim that knows inline completion (0.12 or newer) into FOLDER, on Debian and its kin, without touching what the
# system has installed. usage: get_neovim.sh FOLDER; afterwards FOLDER/nvim runs it.
set -euo pipefail

folder=$(realpath -m "$1")
suite=forky # the first of Debian's releases with it
mkdir -p "$folder"/{lists/partial,cache/archives/partial,packages,root}

if [ "$(id -u)" = 0 ]; then
    apt-get -qq update
fi
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $suite main" >"$folder/sources.list"
options=(
    -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache"
)
if [ "$(id -u)" = 0 ]; then
    options+=(-o APT::Sandbox::User=root)
fi
apt-get "${options[@]}" -qq update
mapfile -t packages < <(
    apt-cache "${options[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances neovim | grep '^[a-z]' | sort -u
)
(cd "$folder/packages" && apt-get "${options[@]}" -qq download "${packages[@]}")
for package in "$folder"/packages/*.deb; do
    dpkg-deb -x "$package" "$folder/root"
done
rm -r "$folder/packages" "$folder/cache" "$folder/lists"

# Its own C library goes with it: the system's is older.
cat >"$folder/nvim.new" <<EOT
#!/bin/sh
root=$folder/root
export VIMRUNTIME="\$root/usr/share/nvim/runtime" LUA_CPATH="\$root/usr/lib/$(uname -m)-linux-gnu/lua/5.1/?.so"
exec "\$root"/usr/lib*/ld-linux-*.so.* --library-path "\$root/usr/lib/$(uname -m)-linux-gnu" "\$root/usr/bin/nvim" "\$@"
EOT
chmod +x "$folder/nvim.new"
"$folder/nvim.new" --version | head -n 1
mv "$folder/nvim.new" "$folder/nvim"
