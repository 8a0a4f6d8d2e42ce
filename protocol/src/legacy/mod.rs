//! The place of the legacy protocol, the older one that nodes speak on a port of their own, over the
//! same storage. Its commands will stand here, a file each, in the manner of
//! [`neo::request`](crate::neo::request).
