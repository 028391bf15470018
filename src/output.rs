//! Standard output. Whoever reads it may leave early (`| head`): then there is nobody left to tell, and no fault.

use std::io::{self, Write as _};

/// Prints a result.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
