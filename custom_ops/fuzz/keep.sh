#!/bin/sh
# Minimises the corpus: FUZZER WORK keep.sh TARGET... Inputs with a telling name, the finds, stay;
# libFuzzer names its own by 40 hexadecimal digits.
set -eu
here=$(dirname "$0")
for target in "$@"; do
  kept=$here/corpus/$target new=$WORK/kept/$target
  rm -rf "$new" && mkdir -p "$new" "$kept" "$WORK/corpus/$target"
  find "$kept" -type f | grep -Ev '/[0-9a-f]{40}$' | xargs -r -I{} cp {} "$new"
  "$FUZZER" --target="$target" -merge=1 -max_len=512 "$new" "$kept" "$WORK/corpus/$target" \
    >"$WORK/$target.merge.log" 2>&1
  rm -rf "$kept" && cp -r "$new" "$kept"
  echo "$target: $(ls "$kept" | wc -l) inputs, $(cat "$kept"/* | wc -c) bytes"
done
