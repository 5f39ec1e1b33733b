//! The delivery thread has a lower priority than the program's threads.

/// The thread gets this niceness: of a contended processor it gets about a tenth of the share of a program's thread,
/// and of a free one as much as it needs.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Lowers the priority of this thread, so that the program's threads go first. On Linux niceness is a thread's own;
/// elsewhere it is the whole process's, and nothing is done.
pub(super) fn give_way() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};

        // `None` stands for the calling thread: the other threads of the process keep their priority.
        let inherited = getpriority_process(None).unwrap_or_default();
        // A refusal by the system is ignored: the thread then competes like any other.
        let _ = setpriority_process(None, inherited.max(NICENESS));
    }
}
