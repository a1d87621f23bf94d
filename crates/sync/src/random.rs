//! Random numbers that are there from the start.

/// The sixteen random bytes that the kernel gives a process with its program, the same as long as
/// it runs that. Takes no memory, makes no system call at which a thread could be cancelled, and
/// uses nothing of the thread's own.
pub fn random_of_program() -> [u64; 2] {
    // SAFETY: reads what the kernel gave the process: the address of sixteen bytes that stay, or 0.
    unsafe {
        let bytes = libc::getauxval(libc::AT_RANDOM) as *const [u64; 2];
        if bytes.is_null() { without_kernel() } else { bytes.read_unaligned() }
    }
}

/// For an emulation that gives none: where the kernel has put the process. Hard to guess, no more.
#[cold]
fn without_kernel() -> [u64; 2] {
    // SAFETY: reads what the kernel gave the process.
    let (stack, kernel) =
        unsafe { (libc::getauxval(libc::AT_EXECFN), libc::getauxval(libc::AT_SYSINFO_EHDR)) };
    let code = (without_kernel as *const ()).addr() as u64;
    [stack ^ kernel.rotate_left(32), code ^ stack.rotate_left(16)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_number_that_is_not_nothing() {
        assert_eq!(random_of_program(), random_of_program());
        assert_ne!(random_of_program(), [0; 2]);
        assert_ne!(without_kernel(), [0; 2]);
    }
}
