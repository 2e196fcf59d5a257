#!/usr/bin/env bash
# Puts an editor that is new enough, or the terminal to run it in, into FOLDER, on Debian and its kin, without touching what the system has installed.
# usage: get_editor.sh FOLDER nvim|emacs|hx|tmux; afterwards FOLDER/nvim (or so) runs it.
set -euo pipefail

folder=$(realpath -m "$1")
program=$2
libraries=usr/lib/$(uname -m)-linux-gnu
suite=forky # the first of Debian's releases with Neovim 0.12, lsp-mode 10 and Helix 25

arguments=
version=--version
case $program in
nvim)
    wanted=(neovim)
    binary=usr/bin/nvim
    environment="VIMRUNTIME=\$root/usr/share/nvim/runtime LUA_CPATH=\$root/$libraries/lua/5.1/?.so"
    ;;
emacs)
    wanted=(emacs-nox elpa-lsp-mode)
    binary=usr/bin/emacs-nox
    environment='EMACSLOADPATH=$(find "$root"/usr/share/emacs/*/lisp "$root"/usr/share/emacs/site-lisp -type d -not -name obsolete | tr "\n" :)
export EMACSDATA=$(echo "$root"/usr/share/emacs/[0-9]*/etc) EMACSPATH=$(echo "$root"/usr/libexec/emacs/*/*)'
    arguments='--dump-file="$(echo "$root"/usr/libexec/emacs/*/*/*.pdmp)"'
    ;;
hx)
    wanted=(hx)
    binary=usr/lib/hx/hx
    environment='HELIX_RUNTIME=$root/usr/lib/hx/runtime'
    ;;
tmux)
    wanted=(tmux)
    binary=usr/bin/tmux
    version=-V
    environment='TERMINFO_DIRS=$root/usr/share/terminfo:$root/etc/terminfo'
    ;;
*)
    echo "get_editor.sh knows nvim, emacs, hx and tmux, not $program" >&2
    exit 2
    ;;
esac
mkdir -p "$folder"/{lists/partial,cache/archives/partial,packages,root}

archive_of_system() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1
}
archive=$(archive_of_system || true)
if [ -z "$archive" ]; then # a fresh container knows no packages yet
    apt-get -qq update
    archive=$(archive_of_system)
fi
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $suite main" >"$folder/sources.list"
options=(
    -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache"
)
if [ "$(id -u)" = 0 ]; then
    options+=(-o APT::Sandbox::User=root)
fi
apt-get "${options[@]}" -qq update
# Of what they depend on, the compilers are left out: they are large, and nothing is compiled to machine code here.
mapfile -t packages < <(
    apt-cache "${options[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances "${wanted[@]}" | grep '^[a-z]' | grep -Ev '^(binutils|lib.*san[0-9]|.*-dev$)' | sort -u
)
(cd "$folder/packages" && apt-get "${options[@]}" -qq download "${packages[@]}")
for package in "$folder"/packages/*.deb; do
    dpkg-deb -x "$package" "$folder/root"
done
rm -r "$folder/packages" "$folder/cache" "$folder/lists"

# Its own C library goes with it: the system's is older.
cat >"$folder/$program.new" <<EOT
#!/bin/sh
root=$folder/root
export $environment
exec "\$root"/usr/lib*/ld-linux-*.so.* --library-path "\$root/$libraries" "\$root/$binary" $arguments "\$@"
EOT
chmod +x "$folder/$program.new"
"$folder/$program.new" "$version" | head -n 1
mv "$folder/$program.new" "$folder/$program"
