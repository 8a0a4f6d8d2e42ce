#!/bin/bash -eu
# Puts the program of each target into $OUT, with its seeds, its dictionary and its options. Run by
# ClusterFuzzLite, in an image that has a nightly compiler and cargo-fuzz.

cd "$SRC/dhtcheck"
# The fuzzer itself is not to be instrumented, should it be built here.
export CXXFLAGS="${CXXFLAGS:-} -fno-sanitize=address"
# The dictionary has what comparisons would tell, and without them everything is twice as fast.
cargo fuzz build -O --debug-assertions --no-trace-compares

programs=${CARGO_TARGET_DIR:-fuzz/target}/x86_64-unknown-linux-gnu/release
for source in fuzz/fuzz_targets/*.rs; do
  target=$(basename "$source" .rs)
  cp "$programs/$target" "$OUT/"
  find "fuzzing/seeds/$target" "fuzzing/regressions/$target" -type f 2>/dev/null |
    zip -q -j -@ "$OUT/${target}_seed_corpus.zip"
  case $target in
    config_file | corpus_file | credentials | history | nodes_file | profile) ;;
    *) cp fuzzing/protocol.dict "$OUT/$target.dict" ;;
  esac
  case $target in
    # Read as structured input; what lies further back is not read.
    connection | conversation | damage | storage) max_len=128 ;;
    *) max_len=1024 ;;
  esac
  cat >"$OUT/$target.options" <<END
[libfuzzer]
max_len = $max_len
entropic = 0
reduce_inputs = 0
timeout = 5

[asan]
detect_stack_use_after_return = 0
malloc_context_size = 0
max_malloc_fill_size = 0
quarantine_size_mb = 1
thread_local_quarantine_size_kb = 64
END
done
