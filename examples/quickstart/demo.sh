#!/bin/sh
# Plays the quickstart on the built-in sandbox, in a folder of its own that is
# removed in the end: validate, plan, apply, plan again; then somebody changes a
# secret and two variables, and the plan finds all three.
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
code=0
run plan --detailed-exitcode || code=$?
if [ "$code" != 2 ]; then
  echo "demo: plan exited with $code, not 2" >&2
  exit 1
fi

say "Apply mends them"
run apply --auto-approve
run plan --detailed-exitcode
