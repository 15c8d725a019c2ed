#!/bin/sh
# Tells somebody; the key is the same if it is told twice.
echo "$FERMATA_PAUSE_KEY execution $FERMATA_EXECUTION_ID waits at $FERMATA_PAUSE_POINT: $FERMATA_PAUSE_MESSAGE" >> told.txt
