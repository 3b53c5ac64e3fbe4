# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The programs (release build), the web page, and the Python packages of infra/demo. What did not
# change is not made again.

BIN_DIR=$BUILD_DIR/bin
BUILD_TARGETS=(
  causeway-supervisor causeway-auth causeway-users causeway-delivery causeway-edge
  causeway-gateway causeway-xmpp causeway causeway-load
)
WEB_DIR=$ROOT/clients/web

build_programs() {
  local log=$LOG_DIR/build.log targets hint="mend the source, then infra/up"
  build_configured || build_configure >"$log" 2>&1 ||
    { part_failed build "cmake could not prepare it" "$log" "$hint"; return 1; }
  mapfile -t targets < <(build_targets)
  [ ${#targets[@]} = 0 ] || ninja -C "$BUILD_DIR" "${targets[@]}" >"$log" 2>&1 ||
    part_failed build "the programs could not be built" "$log" "$hint"
}

# For this tree: a checkout may have been moved.
build_configured() {
  [ -f "$BUILD_DIR/build.ninja" ] &&
    grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$BUILD_DIR/CMakeCache.txt"
}

build_configure() {
  cmake --fresh -S "$ROOT" -B "$BUILD_DIR" -G Ninja -DCMAKE_BUILD_TYPE=Release
}

# Of the wanted programs those that this source tree has.
build_targets() {
  comm -12 <(printf '%s\n' "${BUILD_TARGETS[@]}" | sort) \
    <(ninja -C "$BUILD_DIR" -t targets all 2>/dev/null | sed -n 's/: phony$//p' | sort)
}

# A number for everything the web page is made from.
web_fingerprint() {
  (cd "$ROOT" && find clients/web proto -type f -not -path '*/node_modules/*' \
    -not -path 'clients/web/dist/*' -not -path 'clients/web/build/*' -not -path '*/src/gen/*' \
    -print0 | sort -z | xargs -0 sha256sum) | sha256sum
}

build_web() {
  local log=$LOG_DIR/web.log stamp=$RUN_DIR/web.stamp now
  [ -f "$WEB_DIR/package.json" ] || return 0
  now=$(web_fingerprint)
  [ -f "$WEB_DIR/dist/index.html" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$now" ] && return 0
  (cd "$WEB_DIR" && npm ci --no-audit --no-fund && npm run build) >"$log" 2>&1 ||
    { part_failed web "the page could not be built" "$log" "mend the source, then infra/up"; return 1; }
  echo "$now" >"$stamp"
}

# The virtual environment stays in the cache, named by what is in it.
venv_dir() {
  echo "$CACHE_DIR/venv-$(cat "$INFRA/requirements.txt" <(venv_python -V) | sha256sum | cut -c1-16)"
}

venv_python() {
  if [ -x /usr/bin/python3 ]; then /usr/bin/python3 "$@"; else python3 "$@"; fi
}

build_venv() {
  local dir log=$LOG_DIR/venv.log
  dir=$(venv_dir)
  [ ! -f "$dir/complete" ] || return 0
  mkdir -p "$CACHE_DIR"
  venv_python -m venv --clear "$dir" >"$log" 2>&1 &&
    "$dir/bin/pip" install -q --disable-pip-version-check -r "$INFRA/requirements.txt" >>"$log" 2>&1 &&
    touch "$dir/complete" && return 0
  part_failed venv "the Python packages of infra/demo could not be installed" "$log" \
    "check the network, then infra/up"
}
