#!/bin/sh
# Plays the quickstart on the built-in sandbox, in a folder of its own that is
# removed in the end: validate, plan, apply, plan again; then somebody changes a
# secret and two variables, and the plan finds all three. In a second act a guard
# stops a delete, a flag allows it, a run is killed in the middle, and the next one
# mends what it left.
#
# Usage: demo.sh KMSYNC    (run by "make demo")
set -eu

kmsync=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
example=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$example"/*.sync.hcl "$work"
cd "$work"

# Nothing here can reach a real service.
export KMSYNC_SANDBOX=1
world=.kmsync/sandbox/world.json

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi
say() { printf '\n%s# %s%s\n' "$bold" "$1" "$plain"; }
run() {
  printf '%s$ kmsync %s%s\n' "$bold" "$*" "$plain"
  "$kmsync" "$@"
}

# exits CODE COMMAND… runs a command that is to end with that code.
exits() {
  want=$1 code=0
  shift
  run "$@" || code=$?
  if [ "$code" != "$want" ]; then
    echo "demo: kmsync $* exited with $code, not $want" >&2
    exit 1
  fi
}

# edit KEY SED-COMMAND changes the world file from the line with that key to the
# end of its object.
edit() {
  sed "/\"key\": \"$1\"/,/^ *}/ $2" "$world" >"$world.new"
  if cmp -s "$world" "$world.new"; then
    echo "demo: nothing to edit at $1 in $world" >&2
    exit 1
  fi
  mv "$world.new" "$world"
}

say "One file says which secrets go where"
cat main.sync.hcl
run validate

say "A plan shows what would change, and changes nothing"
run plan

say "Apply does exactly that (in a terminal it asks first)"
run apply --auto-approve

say "Apply again: there is nothing to do"
run apply --auto-approve

say "Somebody changes a secret in the KMS, makes one variable again by hand, and makes another one readable"
edit SESSION_KEY 's/"value": ".*"/"value": "h4nD-ch4ng3d"/; s/"version": 1/"version": 2/'
edit KMS_SENTRY_DSN 's/"uuid": "{......../"uuid": "{0badcafe/'
edit KMS_FEATURE_FLAGS 's/"secured": true/"secured": false/'
echo "(edited $world)"

say "The plan finds all three; with --detailed-exitcode it exits with 2"
exits 2 plan --detailed-exitcode

say "Apply mends them"
run apply --auto-approve
run plan --detailed-exitcode

say "Second act: whatever the KMS does not have is to go, says a line in the file"
awk '{ print } /key_schema/ { print "    initial_sync_behavior = \"overwrite-destination\"" }' main.sync.hcl >new.hcl && mv new.hcl main.sync.hcl
run fmt >/dev/null
sed -n '/options {/,/^  }/p' main.sync.hcl
say "A variable is there that kmsync never wrote. A guard holds the delete and names the flag; exit code 3"
sed "s/^\( *\)\"key\": \"DEPLOY_REGION\"/\1\"key\": \"KMS_LEFTOVER\"/" "$world" >"$world.new" && mv "$world.new" "$world"
exits 3 apply --auto-approve

say "Somebody has looked at it and allows it, once; the ledger notes who and when"
run apply --auto-approve --max-deletes 1
run ledger show | grep -i consent

say "Three secrets are rotated, and the run that writes them is killed in the middle"
for key in DATABASE_URL SENTRY_DSN SESSION_KEY; do
  edit "$key" 's/"value": ".*"/"value": "r0t4t3d-'"$key"'"/; s/"version": [0-9]*/"version": 9/'
done
sed 's/"latency": "0s"/"latency": "600ms"/' "$world" >"$world.new" && mv "$world.new" "$world"
printf '%s$ kmsync apply --auto-approve --parallelism 1%s\n' "$bold" "$plain"
"$kmsync" apply --auto-approve --parallelism 1 >/dev/null 2>progress.log &
pid=$! tries=0
until grep -q 'updated' progress.log; do
  tries=$((tries + 1))
  if [ "$tries" -gt 600 ]; then
    echo "demo: the apply did not begin to write" >&2
    exit 1
  fi
  sleep 0.05
done
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
cat progress.log
echo "(killed with SIGKILL)"

say "What was in flight is in doubt, and written again; what was done stays done"
sed 's/"latency": "600ms"/"latency": "0s"/' "$world" >"$world.new" && mv "$world.new" "$world"
exits 2 plan --detailed-exitcode
run apply --auto-approve
run plan --detailed-exitcode
