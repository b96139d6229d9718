#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tool_connect_fuzz::targets::www_authenticate(data));
