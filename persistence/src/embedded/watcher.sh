# Ends a test cluster when its last user is gone, however that user ended.
#
# Arguments: pg_ctl, data directory, the cluster's directory, socket directory, seconds to linger.
# Open files: 0 = use lock (users hold it shared), 1 = watch lock (held by this process, so that there
# is one watcher), 2 = start lock. The kernel releases the locks of a killed process.
pg_ctl=$1 data=$2 home=$3 socket=$4 linger=$5
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
    # Between two test programs of one run nobody uses the cluster for a moment.
    sleep "$linger"
    take 5 "" || exit 1
    if take 3 n; then
        "$pg_ctl" stop -m immediate -w -D "$data"
        rm -rf "$data" "$home"/*
        rmdir "$home" "$socket"
        exit 0
    fi
    release 5
done
