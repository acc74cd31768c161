import hashlib, hmac, os, time, urllib.parse, urllib.request

fields = {
%FIELDS%  "ts": str(int(time.time())),
}
query = "&".join(
    f"{name}={urllib.parse.quote(fields[name], safe='')}" for name in sorted(fields)
)
signature = hmac.new(
    os.environ["CONSIGN_URL_SECRET"].encode(), f"v1\nGET\n%PATH%\n{query}".encode(), hashlib.sha256
).hexdigest()
with urllib.request.urlopen(f"%ORIGIN%%PATH%?{query}&sig={signature}") as answer:
    print(answer.read().decode())
