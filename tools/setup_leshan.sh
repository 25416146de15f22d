#!/bin/sh
# setup_leshan.sh: puts Eclipse Leshan, the LwM2M server that judges the device in host_tests/leshan, into build/leshan.
# Needs a JDK (17 or newer) and Maven; the first time Maven downloads 34 MB from Maven Central, later it needs no internet.
#   server/     jars of the LwM2M server, as host_tests/leshan/java/server.pom.xml names them
#   bootstrap/  jars of the bootstrap server, as bootstrap.pom.xml names them
#   each with classes/: our harness, compiled against them
set -eu
cd "$(dirname "$0")/.."
JAVA=host_tests/leshan/java
TO=build/leshan
LOG=$TO/setup.log

fail() {
    echo "$1" >&2
    exit 2
}

download() { # PART: the jars of a part, in a folder that appears when all are there
    sum=$(cksum <"$JAVA/$1.pom.xml")
    [ "$(cat "$TO/$1/jars/.of" 2>/dev/null)" = "$sum" ] && return
    command -v mvn >/dev/null || fail "Maven is missing, which downloads Leshan: apt-get install maven"
    echo "downloading Leshan ($1) from Maven Central into $TO"
    new=$PWD/$TO/$1/new.$$
    for attempt in 1 2 3; do
        rm -rf "$new"
        if timeout 600 mvn --batch-mode --file "$JAVA/$1.pom.xml" dependency:copy-dependencies \
            -DincludeScope=runtime -DoutputDirectory="$new" >>"$LOG" 2>&1 </dev/null; then
            echo "$sum" >"$new/.of"
            rm -rf "$TO/$1/jars" "$TO/$1/classes"
            mv "$new" "$TO/$1/jars"
            return
        fi
        echo "attempt $attempt failed" >>"$LOG"
    done
    rm -rf "$new"
    fail "Maven could not download Leshan ($1) three times in a row; $LOG has its own words"
}

compile() { # PART CLASS...: our harness, if it or the jars changed
    part=$1
    shift
    sources=
    for class in Harness Dtls "$@"; do
        sources="$sources $JAVA/$class.java"
    done
    sum=$(cat $sources | cksum)
    [ "$(cat "$TO/$part/classes/.of" 2>/dev/null)" = "$sum" ] && return
    new=$TO/$part/classes.$$
    rm -rf "$new"
    mkdir "$new"
    javac -cp "$TO/$part/jars/*" -d "$new" $sources >>"$LOG" 2>&1 ||
        fail "javac refuses $JAVA; $LOG has its own words"
    echo "$sum" >"$new/.of"
    rm -rf "$TO/$part/classes"
    mv "$new" "$TO/$part/classes"
}

command -v javac >/dev/null || fail "Java is missing, in which Leshan runs: apt-get install openjdk-17-jdk-headless maven"
mkdir -p "$TO/server" "$TO/bootstrap"
exec 9>"$TO/.lock"
flock 9 2>/dev/null || true # one at a time, where there is flock
: >"$LOG"
download server
compile server Server
download bootstrap
compile bootstrap Bootstrap Oscore
echo "Leshan is in $TO"
