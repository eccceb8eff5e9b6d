#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| stanch::fuzzing::git_trees(data));
