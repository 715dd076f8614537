#!/bin/sh
# Runs the targets one after another: FUZZER WORK SECONDS_IN_ALL run.sh TARGET...
# The ops, which are many, get half of the time.
set -u
here=$(dirname "$0")
share=$((SECONDS_IN_ALL / 2 / ($# > 1 ? $# - 1 : 1)))
for target in "$@"; do
  seconds=$share
  [ "$target" = glue ] && seconds=$((SECONDS_IN_ALL / 2))
  [ "$seconds" -ge 1 ] || seconds=1
  mkdir -p "$WORK/corpus/$target" "$WORK/finds/$target" "$here/corpus/$target"
  log=$WORK/$target.log
  if "$FUZZER" --target="$target" -max_total_time="$seconds" -max_len=512 -len_control=10 -timeout=20 \
      -rss_limit_mb=2560 -print_final_stats=1 -artifact_prefix="$WORK/finds/$target/" \
      "$WORK/corpus/$target" "$here/corpus/$target" >"$log" 2>&1; then
    echo "fuzz $target: $seconds s," \
      "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, no find"
  else
    tail -n 60 "$log"
    echo "fuzz $target: FOUND; the input is in $WORK/finds/$target. Mend the fault, and keep the" \
      "input as $here/corpus/$target/WHAT_IT_SHOWS"
    exit 1
  fi
done
