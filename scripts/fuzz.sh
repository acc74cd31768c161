#!/usr/bin/env bash
# Generated requests against a real server: schemathesis reads api/openapi.json and looks for answers
# that it does not describe and for unexplained 5xx. First as a reseller's shop, then as its merchant. CASES bounds
# the generated cases of all routes of a surface together, SEED repeats a run.
set -euo pipefail
cd "$(dirname "$0")/.."

cases=${CASES:-500} seed=${SEED:-1}
binary=${CONSIGN_BINARY:-target/debug/consign}
tool=target/tools/schemathesis
if [ ! -x "$tool/bin/schemathesis" ]; then
    echo 'fuzz: skipped, schemathesis is not installed'
    exit 0
fi

state=$(mktemp -d "${TMPDIR:-/tmp}/consign-fuzz.XXXXXX")
server=
end() {
    status=$?
    [ -z "$server" ] || { kill -TERM "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; }
    [ $status = 0 ] || tail -n 20 "$state/log" >&2
    rm -rf "$state"
    exit $status
}
trap end EXIT
trap 'exit 1' INT TERM

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export CONSIGN_DEV__STATE_DIR=$state/dev CONSIGN_LOG__FILTER=warn
CONSIGN_HTTP__LISTEN=127.0.0.1:$(free_port)
CONSIGN_OPS__LISTEN=127.0.0.1:$(free_port)
export CONSIGN_HTTP__LISTEN CONSIGN_OPS__LISTEN
"$binary" dev >"$state/log" 2>&1 &
server=$!
export CONSIGN_DEMO_FILE=$state/dev/demo.json
# The file appears once the server answers.
for _ in $(seq 600); do
    [ ! -e "$CONSIGN_DEMO_FILE" ] || break
    kill -0 "$server" 2>/dev/null || { echo 'fuzz: the server did not start' >&2; exit 1; }
    sleep 0.2
done
# A key that was used before is let in however many wrong ones come from the same address.
keys=$(python3 - "$CONSIGN_DEMO_FILE" <<'PYTHON'
import json, sys, urllib.parse, urllib.request

demo = json.load(open(sys.argv[1], encoding="utf-8"))
seller = next(one for one in demo["resellers"]
              if one["dynamic_key"] and one["status"] == "ACTIVE" and one["mode"] != "AFFILIATE")
order = {"external_order_id": "fuzz", "product_id": demo["products"][0]["product_id"],
         "customer_email": "ann@example.com", "api_key": seller["dynamic_key"]}
path = "/reseller/v1/fulfillments/dynamic?" + urllib.parse.urlencode(order)
urllib.request.urlopen(demo["base_url"] + path, timeout=20).read()
print(seller["key"], demo["merchant"]["key"])
PYTHON
)

document=$PWD/api/openapi.json program=$PWD/$tool/bin/schemathesis settings=$PWD/scripts/schemathesis.toml
export PYTHONPATH=$PWD/$tool:$PWD/scripts PYTHONDONTWRITEBYTECODE=1 SCHEMATHESIS_HOOKS=fuzz
cd "$state" # It leaves a directory of its own where it runs.

# fuzz SURFACE KEY
fuzz() {
    local routes
    routes=$(python3 -c 'import json, sys; print(sum(len(r) for p, r in json.load(open(sys.argv[1]))["paths"].items() if p.startswith(sys.argv[2])))' \
        "$document" "$1")
    python3 "$program" --config-file "$settings" run "$document" --url "http://$CONSIGN_HTTP__LISTEN" \
        --include-path-regex "^$1" --header "Authorization: Bearer $2" \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,negative_data_rejection \
        --phases examples,coverage,fuzzing --max-examples $(((cases + routes - 1) / routes)) --seed "$seed" \
        --generation-database none --request-timeout 20 --suppress-health-check all --no-color
}
fuzz /reseller/v1/ "${keys% *}"
fuzz /dev/v1/ "${keys#* }"
