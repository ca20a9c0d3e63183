#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zhengming_fuzz::bodies::body("tenures")(data));
