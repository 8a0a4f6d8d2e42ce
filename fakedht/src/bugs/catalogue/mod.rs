//! The bugs, by what they concern. To add one, add an entry to the list where it belongs, and to
//! `tests/bugs` what makes it visible if nothing there does yet.

mod answers;
mod authentication;
mod channels;
mod connection;
mod following;
mod framing;
mod get_all;
mod handshake;
mod isolation;
mod iteration;
mod lifetime;
mod malformed;
mod messages;
mod mirror;
mod records;
mod storage;
mod update;
mod updating;
mod version;

use super::Bug;

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Bug> {
    let lists = [
        version::BUGS,
        framing::BUGS,
        authentication::BUGS,
        connection::BUGS,
        isolation::BUGS,
        lifetime::BUGS,
        messages::BUGS,
        records::BUGS,
        answers::BUGS,
        channels::BUGS,
        get_all::BUGS,
        mirror::BUGS,
        update::BUGS,
        handshake::BUGS,
        malformed::BUGS,
        storage::BUGS,
        updating::BUGS,
        iteration::BUGS,
        following::BUGS,
    ];
    lists.into_iter().flatten()
}
