//! Holds an answer to what is expected of it.

use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceResponse, trace::v1::ExportTraceServiceResponse,
};
use prost::Message as _;
use serde_json::Value;
use tonic_types::{StatusExt as _, pb};

use super::{Answer, Content, Expected, Sent};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// What differs; nothing, if all is as expected.
pub(super) fn differences(sent: &Sent, expected: &Expected, answer: &Answer) -> Vec<String> {
    let mut differ = Vec::new();
    if answer.status != expected.status {
        differ.push(format!("status {} instead of {}", answer.status, expected.status));
    }
    for (name, wanted) in &expected.headers {
        let found = answer.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let differs = match (*wanted, found) {
            ("-", Some(value)) => Some(format!("{name}: {value} is there")),
            ("-", None) => None,
            (_, None) => Some(format!("no {name}")),
            ("*", Some(value)) => value.is_empty().then(|| format!("{name} is empty")),
            (wanted, Some(value)) => (wanted != value).then(|| format!("{name}: {value} instead of {wanted}")),
        };
        differ.extend(differs);
    }
    differ.extend(match sent {
        Sent::Http(request) => {
            let named =
                request.headers.iter().find(|(name, _)| *name == "content-type").map(|(_, value)| value.as_str());
            let encoding = if named.is_some_and(|value| value.starts_with(PROTOBUF)) { PROTOBUF } else { JSON };
            over_http(encoding, request.path, expected.content, answer).err()
        }
        Sent::Grpc(call) => over_grpc(call.path, expected, answer).err(),
    });
    differ
}

fn over_http(encoding: &str, path: &str, content: Content, answer: &Answer) -> Result<(), String> {
    if content == Content::Any {
        return Ok(());
    }
    let named = answer.headers.iter().find(|(name, _)| name == "content-type").map_or("", |(_, value)| value);
    if named.split(';').next().unwrap_or_default().trim() != encoding {
        return Err(format!("content-type {named:?} instead of {encoding}"));
    }
    let (rejected, message) = match (content, encoding) {
        (Content::Status(code), PROTOBUF) => {
            let status = pb::Status::decode(answer.body.as_slice()).map_err(|_| "the body is no google.rpc.Status")?;
            return same_status(code, status.code, &status.message);
        }
        (Content::Status(code), _) => {
            let status = json(&answer.body)?;
            let (told, message) =
                (status["code"].as_i64().unwrap_or(0), status["message"].as_str().unwrap_or_default());
            return same_status(code, i32::try_from(told).unwrap_or(0), message);
        }
        (_, PROTOBUF) => partial(path, &answer.body)?,
        _ => json_partial(path, &answer.body)?,
    };
    same_success(content, rejected, &message)
}

fn over_grpc(path: &str, expected: &Expected, answer: &Answer) -> Result<(), String> {
    if expected.content == Content::Any {
        return Ok(());
    }
    let status = answer.grpc.as_ref().ok_or("no grpc-status")?;
    let after = status.get_details_retry_info().and_then(|info| info.retry_delay);
    if let Content::Status(code) = expected.content {
        let retryable = code == 14;
        if retryable != after.is_some() {
            return Err(format!("RetryInfo {after:?}: only what is to be sent again has one"));
        }
        return same_status(code, status.code() as i32, status.message());
    }
    if status.code() != tonic::Code::Ok {
        return Err(format!("{:?}: {}", status.code(), status.message()));
    }
    let Some((&[flag, a, b, c, d], message)) = answer.body.split_first_chunk() else {
        return Err("no message".to_owned());
    };
    if flag != 0 || u32::from_be_bytes([a, b, c, d]) as usize != message.len() {
        return Err("the message is not framed as it is long".to_owned());
    }
    let (rejected, message) = partial(path, message)?;
    same_success(expected.content, rejected, &message)
}

fn same_status(expected: i32, code: i32, message: &str) -> Result<(), String> {
    if code != expected {
        return Err(format!("code {code} instead of {expected}: {message}"));
    }
    if message.is_empty() { Err("the status has no message".to_owned()) } else { Ok(()) }
}

fn same_success(expected: Content, rejected: i64, message: &str) -> Result<(), String> {
    match expected {
        Content::Partial(count) if rejected != count => {
            Err(format!("{rejected} refused instead of {count}: {message}"))
        }
        Content::Partial(_) if message.is_empty() => Err("it is not said why".to_owned()),
        Content::Success if rejected != 0 || !message.is_empty() => Err(format!("{rejected} refused: {message}")),
        _ => Ok(()),
    }
}

/// How many were refused, and why: −1 if it is said that none were, which must be left out.
fn partial(path: &str, body: &[u8]) -> Result<(i64, String), String> {
    let wrong = |_| "the body is no response of this signal".to_owned();
    let told = if path.to_ascii_lowercase().contains("logs") {
        let partial = ExportLogsServiceResponse::decode(body).map_err(wrong)?.partial_success;
        partial.map(|partial| (partial.rejected_log_records, partial.error_message))
    } else {
        let partial = ExportTraceServiceResponse::decode(body).map_err(wrong)?.partial_success;
        partial.map(|partial| (partial.rejected_spans, partial.error_message))
    };
    Ok(present(told))
}

fn json_partial(path: &str, body: &[u8]) -> Result<(i64, String), String> {
    let name = if path.contains("logs") { "rejectedLogRecords" } else { "rejectedSpans" };
    let response = json(body)?;
    let told = response.get("partialSuccess").map(|partial| {
        let count = match &partial[name] {
            Value::String(text) => text.parse().unwrap_or(-1),
            number => number.as_i64().unwrap_or(0),
        };
        (count, partial["errorMessage"].as_str().unwrap_or_default().to_owned())
    });
    Ok(present(told))
}

fn present(told: Option<(i64, String)>) -> (i64, String) {
    match told {
        None => (0, String::new()),
        Some((0, message)) if message.is_empty() => {
            (-1, "partial_success is set though nothing was refused".to_owned())
        }
        Some(told) => told,
    }
}

fn json(body: &[u8]) -> Result<Value, String> {
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err("the body is no JSON object".to_owned()),
    }
}
