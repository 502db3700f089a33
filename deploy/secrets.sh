#!/bin/sh
# Make every file that docker-compose.yml takes its secrets from: passwords, the addresses they are in, a certificate
# authority of the installation's own, and the certificates of PostgreSQL, Redis and the proxy. Run as root, so that the
# images' users can read them and nobody else: sh deploy/secrets.sh [FOLDER [NAME]], where NAME is what people type into
# their browsers; put a certificate of an authority they know in place of proxy.pem and proxy.key. What is there already
# is kept: to change a password, remove its file and the address it is in, run this and start everything again; the
# certificates last 825 days, so remove the *.pem and *.key of the three servers each year. Keep ca.key elsewhere, or
# remove it.
set -eu
umask 077
name=${2:-localhost}
mkdir -p "${1:-secrets}"
cd "${1:-secrets}"

password() {
    [ -e "$1" ] || openssl rand -hex 32 > "$1"
}

authority() {
    [ -e ca.pem ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 \
        -subj "/CN=Bianmin" -addext "basicConstraints=critical,CA:true" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -keyout ca.key -out ca.pem 2> /dev/null
}

certificate() { # in a file of this name, of the server that is known by it or by the second
    [ -e "$1.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 825 \
        -CA ca.pem -CAkey ca.key -subj "/CN=${2:-$1}" -addext "subjectAltName=DNS:${2:-$1},DNS:$1.bianmin.svc,DNS:localhost,IP:127.0.0.1" \
        -addext "basicConstraints=critical,CA:false" -addext "extendedKeyUsage=serverAuth" \
        -keyout "$1.key" -out "$1.pem" 2> /dev/null
}

authority
certificate postgres
certificate redis
certificate proxy "$name"
password founder-secret
for login in owner intake dispatch finance hr verifier; do
    password "$login-database-password"
done
for account in intake dispatch finance hr web operator scaler admin; do
    password "$account-broker-password"
    [ -e "$account-broker-url" ] || printf 'rediss://%s:%s@redis:6379/0?ssl_cert_reqs=required&ssl_ca_certs=%s\n' \
        "$account" "$(cat "$account-broker-password")" /run/secrets/ca.pem > "$account-broker-url"
done
[ -e flower-login ] || printf 'operator:%s\n' "$(openssl rand -hex 32)" > flower-login
[ -e metrics-token ] || : > metrics-token # an operator issues it when there is one: docs/runbooks.md
[ -e owner-database-url ] || printf 'postgresql+psycopg://bianmin:%s@postgres/bianmin?sslmode=verify-full&sslrootcert=%s\n' \
    "$(cat owner-database-password)" /run/secrets/ca.pem > owner-database-url

if [ "$(id -u)" = 0 ]; then # 10001: our image's user; 999: the group of the images' postgres and redis, 101: of nginx
    chown 10001:999 ./*
    chown 0:999 postgres.key redis.key
    chown 0:101 proxy.pem proxy.key
    chown 0:65534 metrics-token # of the image's nobody
    chmod 440 ./*
    chown 0:0 ca.key
    chmod 400 ca.key
else
    echo "made as $(id -un): run this as root, or the containers cannot read them" >&2
fi
