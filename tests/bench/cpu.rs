//! How long the processor has worked for us, by the kernel's account.

use std::fs;
use std::time::Duration;

/// `USER_HZ`, which Linux has promised to its users.
const TICK: Duration = Duration::from_millis(10);

pub fn of_this_process() -> Duration {
    of_process(std::process::id())
}

/// Of one that is still there.
pub fn of_process(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).expect("this is Linux");
    // Behind the name, which may hold spaces: user and system ticks.
    let behind_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = behind_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok());
    TICK * ticks.sum()
}

pub fn of_this_thread() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("this is Linux");
    let nanoseconds = stat.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
