//! OTLP's JSON: ids are hex in either case, 64-bit integers are strings or numbers, enums are integers, unknown fields
//! are ignored, every shape of `AnyValue` is taken, the empty one too, and `null` is as good as absent.
//!
//! The serde implementations that come with the protocol's types miss some of that (an unknown or empty array value
//! fails, a hex id may begin with `0x`), hence these, which name only what the collector reads.

use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList, any_value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status},
};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::DecodeError;

pub(super) fn traces(bytes: &[u8]) -> Result<ExportTraceServiceRequest, DecodeError> {
    let read: TracesJson = read(bytes)?;
    let resource_spans = read.resource_spans.into_iter().map(Into::into).collect();
    Ok(ExportTraceServiceRequest { resource_spans })
}

pub(super) fn logs(bytes: &[u8]) -> Result<ExportLogsServiceRequest, DecodeError> {
    let read: LogsJson = read(bytes)?;
    let resource_logs = read.resource_logs.into_iter().map(Into::into).collect();
    Ok(ExportLogsServiceRequest { resource_logs })
}

fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, DecodeError> {
    // Serde would read an array as the fields of a struct in order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(DecodeError::Json { fault: "an array instead of an object", line: 1, column: 1 });
    }
    serde_json::from_slice(bytes).map_err(|error| DecodeError::Json {
        fault: match error.classify() {
            serde_json::error::Category::Syntax => "a syntax error",
            serde_json::error::Category::Eof => "an early end",
            serde_json::error::Category::Data | serde_json::error::Category::Io => "a field of another type",
        },
        line: error.line(),
        column: error.column(),
    })
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct TracesJson {
    #[serde(deserialize_with = "or_default")]
    resource_spans: Vec<ResourceSpansJson>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ResourceSpansJson {
    resource: Option<ResourceJson>,
    #[serde(deserialize_with = "or_default")]
    scope_spans: Vec<ScopeSpansJson>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ScopeSpansJson {
    #[serde(deserialize_with = "or_default")]
    spans: Vec<SpanJson>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct LogsJson {
    #[serde(deserialize_with = "or_default")]
    resource_logs: Vec<ResourceLogsJson>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ResourceLogsJson {
    resource: Option<ResourceJson>,
    #[serde(deserialize_with = "or_default")]
    scope_logs: Vec<ScopeLogsJson>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ScopeLogsJson {
    #[serde(deserialize_with = "or_default")]
    log_records: Vec<LogRecordJson>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ResourceJson {
    #[serde(deserialize_with = "or_default")]
    attributes: Vec<KeyValueJson>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct SpanJson {
    trace_id: Hex,
    span_id: Hex,
    parent_span_id: Hex,
    #[serde(deserialize_with = "or_default")]
    name: String,
    start_time_unix_nano: Whole<u64>,
    end_time_unix_nano: Whole<u64>,
    #[serde(deserialize_with = "or_default")]
    attributes: Vec<KeyValueJson>,
    status: Option<StatusJson>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StatusJson {
    code: Whole<i32>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct LogRecordJson {
    trace_id: Hex,
    span_id: Hex,
    #[serde(deserialize_with = "or_default")]
    event_name: String,
    time_unix_nano: Whole<u64>,
    observed_time_unix_nano: Whole<u64>,
    body: Option<AnyValueJson>,
    #[serde(deserialize_with = "or_default")]
    attributes: Vec<KeyValueJson>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct KeyValueJson {
    #[serde(deserialize_with = "or_default")]
    key: String,
    value: Option<AnyValueJson>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct AnyValueJson {
    string_value: Option<String>,
    bool_value: Option<bool>,
    int_value: Option<Whole<i64>>,
    double_value: Option<Double>,
    array_value: Option<ArrayJson>,
    kvlist_value: Option<KvlistJson>,
    bytes_value: Option<Base64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ArrayJson {
    #[serde(deserialize_with = "or_default")]
    values: Vec<AnyValueJson>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct KvlistJson {
    #[serde(deserialize_with = "or_default")]
    values: Vec<KeyValueJson>,
}

/// `null` is the default of a field, as in every JSON form of protocol buffers.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// Bytes in hex, of either case.
#[derive(Default)]
struct Hex(Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(from)?.unwrap_or_default();
        let digits: Option<Vec<u8>> =
            text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        match digits {
            Some(digits) if digits.len() % 2 == 0 => {
                Ok(Self(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()))
            }
            _ => Err(D::Error::custom("an id that is not hex")),
        }
    }
}

/// A whole number, as a number or as text.
#[derive(Default)]
struct Whole<T>(T);

impl<'de, T: Deserialize<'de> + std::str::FromStr + Default> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Option::<NumberOrText<T>>::deserialize(from)? {
            None => Ok(Self::default()),
            Some(NumberOrText::Number(number)) => Ok(Self(number)),
            Some(NumberOrText::Text(text)) => {
                text.parse().map(Self).map_err(|_| D::Error::custom("text that is no whole number"))
            }
        }
    }
}

/// A double, as a number or as text (`NaN`, `Infinity`, `-Infinity`, or digits).
struct Double(f64);

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match NumberOrText::<f64>::deserialize(from)? {
            NumberOrText::Number(number) => Ok(Self(number)),
            NumberOrText::Text(text) => text.parse().map(Self).map_err(|_| D::Error::custom("text that is no number")),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText<T> {
    Number(T),
    Text(String),
}

/// Bytes in base64, of either alphabet, padded or not.
struct Base64(Vec<u8>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
        let text = String::deserialize(from)?.replace('-', "+").replace('_', "/");
        let bytes = STANDARD_NO_PAD.decode(text.trim_end_matches('='));
        bytes.map(Self).map_err(|_| D::Error::custom("bytes that are not base64"))
    }
}

impl From<ResourceSpansJson> for ResourceSpans {
    fn from(read: ResourceSpansJson) -> Self {
        Self {
            resource: read.resource.map(Into::into),
            scope_spans: read
                .scope_spans
                .into_iter()
                .map(|scope| ScopeSpans { spans: all(scope.spans), ..ScopeSpans::default() })
                .collect(),
            ..Self::default()
        }
    }
}

impl From<ResourceLogsJson> for ResourceLogs {
    fn from(read: ResourceLogsJson) -> Self {
        Self {
            resource: read.resource.map(Into::into),
            scope_logs: read
                .scope_logs
                .into_iter()
                .map(|scope| ScopeLogs { log_records: all(scope.log_records), ..ScopeLogs::default() })
                .collect(),
            ..Self::default()
        }
    }
}

impl From<ResourceJson> for Resource {
    fn from(read: ResourceJson) -> Self {
        Self { attributes: all(read.attributes), ..Self::default() }
    }
}

impl From<SpanJson> for Span {
    fn from(read: SpanJson) -> Self {
        Self {
            trace_id: read.trace_id.0,
            span_id: read.span_id.0,
            parent_span_id: read.parent_span_id.0,
            name: read.name,
            start_time_unix_nano: read.start_time_unix_nano.0,
            end_time_unix_nano: read.end_time_unix_nano.0,
            attributes: all(read.attributes),
            status: read.status.map(|status| Status { code: status.code.0, ..Status::default() }),
            ..Self::default()
        }
    }
}

impl From<LogRecordJson> for LogRecord {
    fn from(read: LogRecordJson) -> Self {
        Self {
            trace_id: read.trace_id.0,
            span_id: read.span_id.0,
            event_name: read.event_name,
            time_unix_nano: read.time_unix_nano.0,
            observed_time_unix_nano: read.observed_time_unix_nano.0,
            body: read.body.map(Into::into),
            attributes: all(read.attributes),
            ..Self::default()
        }
    }
}

impl From<KeyValueJson> for KeyValue {
    fn from(read: KeyValueJson) -> Self {
        Self { key: read.key, value: read.value.map(Into::into), ..Self::default() }
    }
}

impl From<AnyValueJson> for AnyValue {
    fn from(read: AnyValueJson) -> Self {
        use any_value::Value;
        let value = (read.string_value.map(Value::StringValue))
            .or_else(|| read.bool_value.map(Value::BoolValue))
            .or_else(|| read.int_value.map(|number| Value::IntValue(number.0)))
            .or_else(|| read.double_value.map(|number| Value::DoubleValue(number.0)))
            .or_else(|| read.array_value.map(|array| Value::ArrayValue(ArrayValue { values: all(array.values) })))
            .or_else(|| read.kvlist_value.map(|list| Value::KvlistValue(KeyValueList { values: all(list.values) })))
            .or_else(|| read.bytes_value.map(|bytes| Value::BytesValue(bytes.0)));
        Self { value }
    }
}

fn all<A, B: From<A>>(items: Vec<A>) -> Vec<B> {
    items.into_iter().map(Into::into).collect()
}
