#!/usr/bin/env bash
# Puts a real VS Code, served to a browser by code-server, into FOLDER. Needs node 20 with npm, a C++ compiler, make, python3
# and ripgrep. About a minute and 330 MB. usage: get_vscode.sh FOLDER; afterwards FOLDER/code-server runs it.
set -euo pipefail

version=4.100.3 # VS Code 1.100, the last one for node 20
folder=$(realpath -m "$1")
if [ "$(node -p 'process.versions.node.split(".")[0]')" != 20 ]; then
    echo "code-server $version needs node 20, not $(node --version)" >&2
    exit 1
fi
node_root=$(dirname "$(dirname "$(realpath "$(command -v node)")")")
if [ -e "$node_root/include/node/node.h" ]; then
    export npm_config_nodedir="$node_root" # headers are here: no need to fetch them
fi
export npm_config_fund=false npm_config_audit=false npm_config_update_notifier=false
rm -rf "$folder/new"
mkdir -p "$folder/new"
cd "$folder/new"
npm init --yes >/dev/null
npm install --ignore-scripts "code-server@$version"

# What its own installer would do, without what this needs no network or library for.
npm rebuild argon2 || true
cd node_modules/code-server/lib/vscode
npm install --ignore-scripts --omit=dev
npm rebuild node-pty || true # its installer may complain after it has built what is needed
npm rebuild @vscode/spdlog native-watchdog
(cd extensions && npm install --ignore-scripts --omit=dev)
ln -sfn node_modules node_modules.asar
ln -sf code-linux.sh bin/remote-cli/code-server
ln -sf browser-linux.sh bin/helpers/browser.sh
mkdir -p node_modules/@vscode/ripgrep/bin
ln -sf "$(command -v rg)" node_modules/@vscode/ripgrep/bin/rg
test -e node_modules/node-pty/build/Release/pty.node
test -e node_modules/@vscode/spdlog/build/Release/spdlog.node

cd "$folder"
rm -rf "$version"
mv new "$version"
cat >code-server.new <<EOT
#!/bin/sh
exec "$(command -v node)" "$folder/$version/node_modules/code-server/out/node/entry.js" "\$@"
EOT
chmod +x code-server.new
./code-server.new --version
mv code-server.new code-server
