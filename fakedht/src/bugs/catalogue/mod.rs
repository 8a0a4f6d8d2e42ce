//! The bugs, by what they concern. To add one, add an entry to the list where it belongs, and to
//! `tests/bugs.rs` what makes it visible if nothing there does yet.

mod answers;
mod channels;
mod connection;
mod get_all;
mod mirror;
mod records;
mod update;

use super::Bug;

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Bug> {
    let lists = [
        connection::BUGS,
        records::BUGS,
        answers::BUGS,
        channels::BUGS,
        get_all::BUGS,
        mirror::BUGS,
        update::BUGS,
    ];
    lists.into_iter().flatten()
}
