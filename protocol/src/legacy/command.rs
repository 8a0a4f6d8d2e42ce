//! The commands and the statuses: the first four bytes of an order and of an answer (`legacy.md` 3).

use std::fmt;

/// Defines an enum of codes with the table of all its values.
macro_rules! codes {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(i32)]
        pub enum $name {
            $($(#[$doc])* $variant = $code,)+
        }

        impl $name {
            /// All of them, in the order of their codes.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The one with this code.
            pub fn from_code(code: i32) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// Its code.
            pub fn code(self) -> i32 {
                self as i32
            }

            /// Its name in the specification.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

codes! {
    /// What a client asks for; the first field of an order.
    Command {
        /// Store a record.
        Put = 1,
        /// Read a record.
        Get = 7,
        /// Is there a record?
        Exists = 11,
        /// Remove a record.
        Remove = 12,
        /// List the channels.
        GetChannels = 17,
        /// How much is in a channel?
        GetChannelSize = 18,
        /// How much is in all channels?
        GetSize = 19,
        /// Which keys is the node responsible for?
        GetResponsibleRange = 20,
        /// Remove a channel with all its records.
        RemoveChannel = 22,
        /// How many clients are connected?
        GetNumConnections = 23,
        /// Which version of the protocol is it?
        GetVersion = 24,
        /// Follow the writes to a channel.
        Listen = 25,
        /// Read all records of a channel.
        GetAll = 29,
        /// Read the keys of all records of a channel.
        GetAllKeys = 30,
        /// Read the records of a channel whose value contains something.
        GetAllFilter = 31,
        /// Be responsible for other keys, and move records to other nodes.
        Redistribute = 33,
        /// Store many records that another node was responsible for.
        PutBatch = 34,
    }
}

codes! {
    /// How an order went; the first field of an answer. Only [`Ok`](Self::Ok) is followed by anything.
    Status {
        /// Not decided; no node sends it.
        Undefined = 0,
        /// Done.
        Ok = 200,
        /// The order makes no sense; no node sends it.
        InvalidRequest = 400,
        /// The node is not responsible for the key.
        WrongNode = 404,
        /// The node does not know the command; no node sends it.
        NotSupported = 406,
        /// The node has no room for the record.
        OutOfMemory = 407,
        /// The value is empty.
        EmptyValue = 408,
        /// The name of the channel is not a legal one.
        BadChannelName = 409,
        /// The value is larger than the node stores.
        ValueTooBig = 410,
        /// The node could not do it.
        Error = 500,
    }
}

impl Status {
    /// May the connection be used for another order after this answer? After Error a client closes it
    /// (`legacy.md` 3.2).
    pub fn keeps_connection(self) -> bool {
        self != Self::Error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_specification() {
        let commands: Vec<i32> = Command::ALL.iter().map(|command| command.code()).collect();
        assert_eq!(
            commands,
            [
                1, 7, 11, 12, 17, 18, 19, 20, 22, 23, 24, 25, 29, 30, 31, 33, 34
            ]
        );
        let statuses: Vec<i32> = Status::ALL.iter().map(|status| status.code()).collect();
        assert_eq!(statuses, [0, 200, 400, 404, 406, 407, 408, 409, 410, 500]);
        for code in -1..600 {
            if let Some(command) = Command::from_code(code) {
                assert_eq!(command.code(), code);
            }
            if let Some(status) = Status::from_code(code) {
                assert_eq!(status.code(), code);
            }
        }
    }
    #[test]
    fn only_an_error_ends_the_use_of_a_connection() {
        for status in Status::ALL {
            assert_eq!(status.keeps_connection(), status.code() != 500, "{status}");
        }
    }
}
