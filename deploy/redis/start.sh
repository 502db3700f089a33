#!/bin/sh
# Redis with the accounts of users.acl, each with the password of its file, as deploy/secrets.sh made it. The file that
# holds them all is made where the image's own entry point gives it to the user Redis runs as.
set -eu
umask 077
secrets=${SECRETS:-/run/secrets}
INTAKE_BROKER_PASSWORD=$(cat "$secrets/intake-broker-password")
DISPATCH_BROKER_PASSWORD=$(cat "$secrets/dispatch-broker-password")
FINANCE_BROKER_PASSWORD=$(cat "$secrets/finance-broker-password")
HR_BROKER_PASSWORD=$(cat "$secrets/hr-broker-password")
WEB_BROKER_PASSWORD=$(cat "$secrets/web-broker-password")
OPERATOR_BROKER_PASSWORD=$(cat "$secrets/operator-broker-password")
SCALER_BROKER_PASSWORD=$(cat "$secrets/scaler-broker-password")
ADMIN_BROKER_PASSWORD=$(cat "$secrets/admin-broker-password")
eval "cat <<END
$(cat "$(dirname "$0")/users.acl")
END" > users.acl
exec docker-entrypoint.sh redis-server --aclfile "$PWD/users.acl" "$@"
