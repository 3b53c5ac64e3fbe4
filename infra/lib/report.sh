# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Tables for people, JSON for programs.

REPORT_NOT_READY=()
REPORT_FORMAT='%-11s %-9s %6s %8s %9s %10s %9s  %s\n'

report_table() {
  local part pss ours_kib=0 all_kib=0
  REPORT_NOT_READY=()
  # shellcheck disable=SC2059
  printf "$REPORT_FORMAT" part state port pid 'uptime s' 'start ms' 'PSS MiB' note
  for part in $(parts_all); do
    part_look "$part"
    pss=$(part_pss_kib "$part" "$look_pid")
    # shellcheck disable=SC2059
    printf "$REPORT_FORMAT" "$part" "$look_state" "${look_port:--}" "${look_pid:--}" \
      "$(part_age_s "$look_pid")" "$(start_time "$part")" "$(mib "${pss:-0}")" "$look_note"
    all_kib=$((all_kib + ${pss:-0}))
    ! part_is_ours "$part" || ours_kib=$((ours_kib + ${pss:-0}))
    [ "$look_state" = ready ] || REPORT_NOT_READY+=("$part")
  done
  say "memory: ours $(mib $ours_kib) MiB, all $(mib $all_kib) MiB"
}

report_json() {
  local part separator='' pss
  REPORT_NOT_READY=()
  printf '{"base":%s,"profile":"%s","parts":[' "$BASE_PORT" "$PROFILE"
  for part in $(parts_all); do
    part_look "$part"
    pss=$(part_pss_kib "$part" "$look_pid")
    printf '%s{"part":"%s","state":"%s","port":%s,"pid":%s,"uptime_s":%s,"start_ms":%s,"pss_kib":%s,"ours":%s,"note":"%s"}' \
      "$separator" "$part" "$look_state" "${look_port:-null}" "${look_pid:-null}" \
      "$(json_number "$(part_age_s "$look_pid")")" "$(json_number "$(start_time "$part")")" \
      "${pss:-0}" "$(part_is_ours "$part" && echo true || echo false)" "$look_note"
    separator=,
    [ "$look_state" = ready ] || REPORT_NOT_READY+=("$part")
  done
  printf '],"ready":%s}\n' "$([ ${#REPORT_NOT_READY[@]} = 0 ] && echo true || echo false)"
}

json_number() { echo "${1:-null}"; }

# Where to look and how to log in. Passwords are shown to the one who started the stack.
report_welcome() {
  say
  say "page        http://127.0.0.1:$(port gateway)/"
  say "A, native   tenant $TENANT_SLUG, handle alice, password $(secret person_alice)"
  say "B, XMPP     bob@$LEGACY_DOMAIN, password $(secret person_bob)"
  say "            host 127.0.0.1, port $(port c2s) (STARTTLS) or $(port c2s_tls) (TLS); writes to alice@$NATIVE_DOMAIN"
  say "logs        infra/logs [PART] [-f]     state  infra/status     stop  infra/down"
}
