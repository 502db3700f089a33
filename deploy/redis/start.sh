#!/bin/sh
# Redis with the accounts of users.acl, each with its password from the environment. The file that holds them is made
# where the image's own entry point gives it to the user Redis runs as.
set -eu
umask 077
eval "cat <<END
$(cat "$(dirname "$0")/users.acl")
END" > users.acl
exec docker-entrypoint.sh redis-server --aclfile "$PWD/users.acl" "$@"
