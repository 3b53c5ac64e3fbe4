# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Debian packages from packages.txt: what is missing is listed first, then installed. Servers that
# the packages bring are never started, and those that already run are left alone.

APT_LOCK_S=900
POLICY_FILE=/usr/sbin/policy-rc.d

# packages_wanted MARK...: names a line, those left out whose command exists.
packages_wanted() {
  local name mark command _
  while IFS='|' read -r name mark command _; do
    name=${name//[[:space:]]/} mark=${mark//[[:space:]]/} command=${command//[[:space:]]/}
    [[ $name == '#'* || -z $name || " $* " != *" $mark "* ]] && continue
    [ -n "$command" ] && command -v "$command" >/dev/null && continue
    echo "$name"
  done <"$INFRA/packages.txt"
}

packages_missing() {
  local wanted
  mapfile -t wanted < <(packages_wanted "$@")
  comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p' | sort -u)
}

as_root() {
  if is_root; then "$@"; else sudo "$@"; fi
}

packages_need_root() {
  is_root || command -v sudo >/dev/null && return 0
  say_error "packages are missing and only root may install them"
  say_hint "as root: apt-get install -y --no-install-recommends $*"
  return 1
}

policy_forbid_start() {
  if [ -e "$POLICY_FILE" ]; then as_root mv "$POLICY_FILE" "$POLICY_FILE.causeway"; fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY_FILE" >/dev/null
  as_root chmod 755 "$POLICY_FILE"
}

policy_restore() {
  as_root rm -f "$POLICY_FILE"
  if [ -e "$POLICY_FILE.causeway" ]; then as_root mv "$POLICY_FILE.causeway" "$POLICY_FILE"; fi
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o "DPkg::Lock::Timeout=$APT_LOCK_S" "$@"
}

packages_install() {
  local missing log=$LOG_DIR/packages.log rc
  mapfile -t missing < <(packages_missing "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  say "missing packages: ${missing[*]}"
  packages_need_root "${missing[@]}" || return 1
  apt update >>"$log" 2>&1 || say "package lists could not be refreshed: going on with those at hand"
  trap policy_restore EXIT INT TERM
  policy_forbid_start
  apt install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1
  rc=$?
  policy_restore
  trap - EXIT INT TERM
  [ $rc = 0 ] || part_failed packages "they could not be installed" "$log" "mend apt, then start again"
}
