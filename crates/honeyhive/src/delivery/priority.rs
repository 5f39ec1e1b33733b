//! The delivery thread is in no hurry, and the program's threads are.

/// How much this thread gives way: of a processor that is fought over it gets about a tenth of what a thread of
/// the program gets, and of one that is free as much as it likes.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Where processors are short, the program's threads go first. On Linux niceness is a thread's own; elsewhere it
/// is the whole process's, and nothing is done.
pub(super) fn give_way() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};

        let thread = Some(rustix::thread::gettid());
        let inherited = getpriority_process(thread).unwrap_or_default();
        // Where that is not allowed it competes like any other.
        let _ = setpriority_process(thread, inherited.max(NICENESS));
    }
}
