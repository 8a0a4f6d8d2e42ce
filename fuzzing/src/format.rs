//! A kind of file: what reads it, what writes it, and what its errors say.

use std::fmt::{Debug, Display};

/// See the module.
#[derive(Clone, Copy)]
pub(crate) struct Format<T, E> {
    /// Reads a file.
    pub(crate) read: fn(&[u8]) -> Result<T, E>,
    /// Writes a file that says the same.
    pub(crate) write: fn(&T) -> Vec<u8>,
    /// The line that an error names, if it names one.
    pub(crate) line: fn(&E) -> Option<usize>,
}

impl<T: Debug + PartialEq, E: Debug + Display> Format<T, E> {
    /// Written again the file is read as the same; an error says something, is hardly longer than the file,
    /// and names a line of it. Gives what was read.
    pub(crate) fn check(&self, file: &[u8]) -> Result<T, E> {
        let result = (self.read)(file);
        match &result {
            Ok(value) => {
                let again = (self.read)(&(self.write)(value)).expect("what is written is read");
                assert_eq!(again, *value);
            }
            Err(error) => {
                let says = error.to_string();
                assert!(!says.is_empty(), "an error without a word");
                // What is not printable is escaped.
                assert!(says.len() < 1024 + 8 * file.len(), "too long: {says}");
                if let Some(line) = (self.line)(error) {
                    assert!((1..=lines(file)).contains(&line), "{error}");
                }
            }
        }
        result
    }
}

fn lines(file: &[u8]) -> usize {
    1 + file.iter().filter(|byte| **byte == b'\n').count()
}
