# Ends and deletes a cluster when its last user is gone, however that user ended.
#
# Arguments: pg_ctl, data directory, the cluster's directory, socket directory, seconds to linger, the
# cluster's identity (the first eight bytes of its control file): another one may take its place.
# Open files: 0 = use lock (users hold it shared), 1 = watch lock (held by this process, so that there
# is one watcher), 2 = start lock. The kernel releases the locks of a killed process.
pg_ctl=$1 data=$2 home=$3 socket=$4 linger=$5 identity=$6
exec 3<&0 4>&1 5>&2 </dev/null >/dev/null 2>&1

take() { # file, n = do not wait
    if command -v flock; then
        flock -x ${2:+-n} "$1"
    else
        perl -MFcntl=:flock -e 'open(my $file, "<&=", $ARGV[0]) or exit 1;
            exit !flock($file, LOCK_EX | ($ARGV[1] ? LOCK_NB : 0))' "$1" "$2"
    fi
}
release() {
    if command -v flock; then
        flock -u "$1"
    else
        perl -MFcntl=:flock -e 'open(my $file, "<&=", $ARGV[0]); flock($file, LOCK_UN)' "$1"
    fi
}

while take 3 ""; do
    release 3
    sleep "$linger"
    take 5 "" || exit 1
    if take 3 n; then
        [ "$(od -An -tx1 -N8 "$data/global/pg_control" | tr -d ' \n')" = "$identity" ] || exit 0
        "$pg_ctl" stop -m immediate -w -D "$data"
        rm -rf "$data" "$home"/*
        rmdir "$home" "$socket"
        exit 0
    fi
    release 5
done
