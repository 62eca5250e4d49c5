#![no_main]

#[path = "../target.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|content: &[u8]| target::read("csv-packed", content));
