//! The node's halves of all requests behind one interface; the counterpart of
//! [`ClientRequest`](crate::neo::client::ClientRequest).

use crate::neo::request::{
    Host, NodeHalf, Opening, Progress, RequestCode, exists, get, get_all, get_channels,
    get_hash_range, mirror, put, remove, remove_channel, update,
};
use crate::neo::violation::Violation;

/// Defines the node's half of any request, and passes events on to the one that it is.
macro_rules! halves {
    ($($request:ident => $module:ident,)+) => {
        /// The node's half of any request.
        #[derive(Clone, Debug, Eq, Hash, PartialEq)]
        pub enum NodeRequest {
            $(
                #[doc = concat!("A ", stringify!($request), ".")]
                $request($module::Node),
            )+
        }

        impl NodeRequest {
            /// Takes the first message of a request.
            pub fn open<H: Host>(
                request: RequestCode,
                opening: Opening<'_>,
                host: &mut H,
            ) -> Result<Self, Violation> {
                Ok(match request {
                    $(RequestCode::$request => Self::$request(NodeHalf::open(opening, host)?),)+
                })
            }

            /// Takes a later message of the client.
            pub fn receive<H: Host>(&mut self, payload: &[u8], host: &mut H) -> Result<(), Violation> {
                match self {
                    $(Self::$request(half) => half.receive(payload, host),)+
                }
            }

            /// Appends at most one message to `out`, which is empty.
            pub fn poll<H: Host>(&mut self, host: &mut H, out: &mut Vec<u8>) -> Progress {
                match self {
                    $(Self::$request(half) => half.poll(host, out),)+
                }
            }

            /// Has everything been said?
            pub fn is_over(&self) -> bool {
                match self {
                    $(Self::$request(half) => half.is_over(),)+
                }
            }
        }
    };
}

halves! {
    GetHashRange => get_hash_range,
    Put => put,
    Get => get,
    Mirror => mirror,
    GetAll => get_all,
    GetChannels => get_channels,
    Exists => exists,
    Remove => remove,
    RemoveChannel => remove_channel,
    Update => update,
}
