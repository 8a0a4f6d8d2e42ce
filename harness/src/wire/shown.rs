//! Bytes as reports show them.

/// A payload, in hexadecimal digits.
pub fn shown(payload: &[u8]) -> String {
    let hex: String = payload
        .iter()
        .take(32)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    match payload.len() {
        0 => "an empty message".to_owned(),
        1..=32 => hex,
        length => format!("{hex}... ({length} bytes)"),
    }
}

/// A value, as text in quotation marks.
pub fn quoted(value: &[u8]) -> String {
    match value.len() {
        0..=32 => format!("\"{}\"", value.escape_ascii()),
        length => format!("\"{}\"... ({length} bytes)", value[..24].escape_ascii()),
    }
}
