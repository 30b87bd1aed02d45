#!/bin/sh
# Makes the namespace if it is not there. Closed runs are kept three days here; Backcast's own database keeps them for good.
set -eu
if temporal operator namespace describe --namespace default; then
    exit 0
fi
temporal operator namespace create --namespace default --retention 72h
