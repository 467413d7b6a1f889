# Sourced by scripts that must work where there is only bash, Node and npm: `bootstrap` enters the checkout, installs what
# bun.lock names, and puts Bun and the tools of this checkout first on PATH. It prints its progress to standard error.

bootstrap() {
  ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  cd "$ROOT" && mkdir -p .cache || return 1
  # npm and Bun bring their own list of authorities. Where the network has one more, the system knows it.
  if [[ -z ${NODE_EXTRA_CA_CERTS:-} && -r /etc/ssl/certs/ca-certificates.crt ]]; then
    export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
  fi
  local version
  version=$(sed -n 's/^ *"bun": "\([0-9][0-9.]*\)",*$/\1/p' package.json)
  _put_bun_on_path "$version" || return 1
  # `node` of Debian may be older than wrangler and vitest want; the one in node_modules is not.
  export PATH="$ROOT/node_modules/.bin:$PATH"
  _install_dependencies || return 1
}

_put_bun_on_path() {
  local version=$1 bun folder
  if [[ $(bun --version 2>/dev/null) == "$version" ]]; then return 0; fi
  if ! bun=$(_cached_bun "$version"); then
    _need_npm || return 1
    _say "fetching Bun $version from the npm registry into .cache/bun"
    folder=".cache/bun.$$"
    rm -rf "$folder" && mkdir -p "$folder"
    # The binary lies in a package of its own, so no install script has to run.
    if ! npm install --prefix "$folder" --ignore-scripts --no-save --no-audit --no-fund --no-update-notifier "bun@$version" >&2; then
      rm -rf "$folder"
      _say "Bun $version could not be fetched: see npm's message above; the npm registry must be reachable"
      return 1
    fi
    rm -rf .cache/bun && mv "$folder" .cache/bun
    if ! bun=$(_cached_bun "$version"); then
      _say "Bun $version was fetched into .cache/bun and does not run on this machine ($(uname -sm))"
      return 1
    fi
  fi
  mkdir -p .cache/bin
  ln -sf "$ROOT/$bun" .cache/bin/bun
  export PATH="$ROOT/.cache/bin:$PATH"
}

# Prints the path of the fetched Bun, if there is one of this version that runs here.
_cached_bun() {
  local candidate
  for candidate in .cache/bun/node_modules/@oven/bun-*/bin/bun; do
    if [[ -f $candidate && $("$candidate" --version 2>/dev/null) == "$1" ]]; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

_install_dependencies() {
  # The package `node` fetches its binary by an install script, which calls npm.
  if [[ ! -x node_modules/.bin/node ]]; then _need_npm || return 1; fi
  _say "installing dependencies"
  if ! bun install --frozen-lockfile >.cache/install.log 2>&1; then
    cat .cache/install.log >&2
    _say "the dependencies could not be installed: see above; the npm registry must be reachable"
    return 1
  fi
  if ! node_modules/.bin/node --version >/dev/null 2>&1; then
    cat .cache/install.log >&2
    _say "node_modules/.bin/node does not run: remove node_modules and try again"
    return 1
  fi
}

_need_npm() {
  if command -v npm >/dev/null && command -v node >/dev/null; then return 0; fi
  _say "npm is missing: install Node 20 or newer with npm (Debian: apt-get install nodejs npm) and try again"
  return 1
}

_say() { printf '==> %s\n' "$*" >&2; }
