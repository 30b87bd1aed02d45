#!/bin/sh
# Makes the namespace if it is not there. Closed runs are kept three days here; Backcast's own database keeps them for good.
set -eu
attempt=0
until temporal operator cluster health; do     # the port opens a little before the server answers
    attempt=$((attempt + 1))
    [ "$attempt" -lt 60 ] || { echo "Temporal did not become healthy within two minutes" >&2; exit 1; }
    sleep 2
done
if ! temporal operator namespace describe --namespace default; then
    temporal operator namespace create --namespace default --retention 72h
fi
