# What is stored of everybody, judged against the rows that it sums up.
part 'Everything together'

title 'The merchant asks whether it all adds up'
merchant GET /dev/v1/reports/reconciliation
expect 200
same 'what does not add up' "$(printf '%s' "$ANSWER" | grep -o '"data":\[[^]]*\]')" '"data":[]'
say "$(printf '%s' "$ANSWER" | grep -o '"checked":{[^}]*}' | tr -d '"{}')"
merchant GET /dev/v1/audit-log/verify
expect 200
same 'the audit log' "$(printf '%s' "$ANSWER" | grep -o '"valid":[a-z]*')" '"valid":true'
say 'and the audit log is whole'
