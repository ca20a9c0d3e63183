//! That whoever sends little cannot make us hold much.

/// Runs it, and panics where it held more memory at once than so many bytes,
/// and so many more for each byte of its input. It counts this thread's.
pub fn bounded<T>(input: &[u8], fixed: u64, per_byte: u64, work: impl FnOnce() -> T) -> T {
    let mut done = None;
    let held = allocation_counter::measure(|| done = Some(work())).bytes_max;
    let most = fixed + per_byte * input.len() as u64;
    assert!(held <= most, "held {held} bytes for {} of input, and may hold {most}", input.len());
    done.expect("it was run")
}
