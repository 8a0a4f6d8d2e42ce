//! Messages as somebody writes them who does not keep the protocol: for those who test what a peer does
//! about it. What keeps the protocol is written by [`frame`](super::frame) and by the messages of
//! [`request`](super::request).

use super::header::HEADER_LEN;
use super::request::RequestCode;

/// The type byte of a request message.
pub const REQUEST: u8 = 1;
/// The type byte of an authentication message.
pub const AUTHENTICATION: u8 = 2;

/// A message with any type and any announced length, whatever its body has. The parity is right.
pub fn message(kind: u8, length: u64, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_LEN + body.len());
    bytes.push(kind);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.push(bytes.iter().fold(0, |parity, byte| parity ^ byte));
    bytes.extend_from_slice(body);
    bytes
}

/// A message of a request with any id, 0 as well.
pub fn request_message(id: u64, payload: &[u8]) -> Vec<u8> {
    let body = [&id.to_le_bytes()[..], payload].concat();
    message(REQUEST, body.len() as u64, &body)
}

/// A request's first message with any code and version.
pub fn opening(code: u8, version: u8, fields: &[u8]) -> Vec<u8> {
    [&[code, version], fields].concat()
}

/// The `opening` of a request with another length in front of the channel's name. As it is, if the request
/// has no channel or the opening none of these bytes.
pub fn with_channel_length(request: RequestCode, mut opening: Vec<u8>, length: u64) -> Vec<u8> {
    // Behind the command; Mirror and GetAll say first whether to start suspended, Update what it does.
    let at = match request {
        RequestCode::GetHashRange | RequestCode::GetChannels => return opening,
        RequestCode::Mirror | RequestCode::GetAll | RequestCode::Update => 3,
        _ => 2,
    };
    if let Some(field) = opening.get_mut(at..at + 8) {
        field.copy_from_slice(&length.to_le_bytes());
    }
    opening
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;
    use crate::neo::RequestId;
    use crate::neo::frame::write_request;
    use crate::neo::request::{Command, RecordName, get_all};
    use crate::testing::hex;

    #[test]
    fn what_is_not_forged_is_as_it_should_be() {
        let mut right = Vec::new();
        write_request(&mut right, RequestId::FIRST, b"payload");
        assert_eq!(request_message(1, b"payload"), right);
        let mut right = Vec::new();
        crate::neo::frame::write_authentication(&mut right, b"body");
        assert_eq!(message(AUTHENTICATION, 4, b"body"), right);
    }

    #[test]
    fn the_length_of_the_channel_is_where_it_is_replaced() {
        let record = RecordName {
            channel: "c".into(),
            key: Key(1),
        };
        let get = record.opening(RequestCode::Get);
        assert_eq!(opening(3, 0, &get[2..]), get);
        assert_eq!(with_channel_length(RequestCode::Get, get.clone(), 1), get);
        let longer = with_channel_length(RequestCode::Get, get, 10);
        let (_, fields) = Command::decode(&longer).unwrap();
        assert!(RecordName::decode_fields(fields).is_err());

        let all = get_all::Open {
            start_suspended: false,
            channel: "c".into(),
            continue_from: None,
            settings: get_all::Settings::default(),
        };
        let all = all.encode();
        assert_eq!(
            with_channel_length(RequestCode::GetAll, all.clone(), 1),
            all
        );
        let mirror = hex("04 00 00 0100000000000000 63 00 00000000");
        let longer = with_channel_length(RequestCode::Mirror, mirror, 0x0a);
        assert_eq!(longer, hex("04 00 00 0a00000000000000 63 00 00000000"));

        let channels = opening(6, 0, &[7; 10]);
        let unchanged = with_channel_length(RequestCode::GetChannels, channels.clone(), 1);
        assert_eq!(unchanged, channels, "no channel, whatever follows");
        let cut = opening(3, 0, &[7; 7]);
        assert_eq!(with_channel_length(RequestCode::Get, cut.clone(), 1), cut);
    }
}
