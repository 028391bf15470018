//! What the headers of a request say about it.

use std::time::Duration;

use axum::http::{HeaderMap, header};

use crate::receive::{
    Compression,
    refusal::{Reason, Refusal},
};

/// Whether it is gRPC with messages of protocol buffers.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let named = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let named = named.and_then(|value| value.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    named == "application/grpc" || named == "application/grpc+proto"
}

/// How its message is packed, if that says that it is.
pub(super) fn compression(headers: &HeaderMap) -> Result<Compression, Refusal> {
    let Some(named) = headers.get("grpc-encoding") else { return Ok(Compression::None) };
    named
        .to_str()
        .ok()
        .and_then(|name| Compression::named(name.trim()))
        .ok_or_else(|| Refusal::new(Reason::Unsupported, "the message encoding must be identity, gzip or zstd"))
}

/// How long the sender waits for the answer: at most eight digits and a unit.
pub(super) fn deadline(headers: &HeaderMap) -> Result<Option<Duration>, Refusal> {
    let Some(value) = headers.get("grpc-timeout") else { return Ok(None) };
    let parsed = value.to_str().ok().and_then(|text| {
        let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let count: u32 = digits.parse().ok().filter(|_| digits.len() <= 8 && !digits.starts_with('+'))?;
        Some(match unit {
            "H" => Duration::from_hours(1) * count,
            "M" => Duration::from_mins(1) * count,
            "S" => Duration::from_secs(1) * count,
            "m" => Duration::from_millis(1) * count,
            "u" => Duration::from_micros(1) * count,
            "n" => Duration::from_nanos(1) * count,
            _ => return None,
        })
    });
    let refusal = || Refusal::new(Reason::Malformed, "grpc-timeout must be at most eight digits and a unit");
    parsed.map(Some).ok_or_else(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_eight_digits_and_a_unit() {
        let of = |text: &str| {
            let headers = HeaderMap::from_iter([("grpc-timeout".parse().unwrap(), text.parse().unwrap())]);
            deadline(&headers).map_err(|refusal| refusal.reason)
        };
        for (text, expected) in [
            ("2H", Duration::from_hours(2)),
            ("3M", Duration::from_mins(3)),
            ("10S", Duration::from_secs(10)),
            ("99999999m", Duration::from_millis(99_999_999)),
            ("5u", Duration::from_micros(5)),
            ("0n", Duration::ZERO),
        ] {
            assert_eq!(of(text), Ok(Some(expected)), "{text}");
        }
        for text in ["", "S", "10", "10s", "100000000S", "-1S", "+1S", "1.5S", "é"] {
            assert_eq!(of(text), Err(Reason::Malformed), "{text}");
        }
        assert_eq!(deadline(&HeaderMap::new()).unwrap(), None);
    }
}
