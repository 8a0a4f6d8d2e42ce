//! The nodes file.
