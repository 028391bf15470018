//! The OpenTelemetry Arrow dataflow engine as a collector that stores spans: OTLP receiver, its durable buffer if asked
//! for, its Parquet exporter.
//!
//! ```text
//! otel-arrow-peer HTTP_ADDRESS GRPC_ADDRESS FOLDER buffered|unbuffered
//! ```
//!
//! It ends on SIGTERM, once the engine has drained.

use std::{env, error::Error, fs, path::Path};

use otel_arrow_dfe_config::engine::OtelDataflowSpec;
use otel_arrow_dfe_controller::{Controller, ControllerRunOptions, startup};
// Its nodes register themselves by being linked.
use otel_arrow_dfe_core_nodes as _;
use otel_arrow_dfe_otap::OTAP_PIPELINE_FACTORY;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [http, grpc, folder, variant] = arguments.as_slice() else {
        return Err("usage: otel-arrow-peer HTTP_ADDRESS GRPC_ADDRESS FOLDER buffered|unbuffered".into());
    };
    let is_buffered = match variant.as_str() {
        "buffered" => true,
        "unbuffered" => false,
        other => return Err(format!("{other} is neither buffered nor unbuffered").into()),
    };
    // The exporter takes only a folder that is there.
    fs::create_dir_all(Path::new(folder).join("parquet"))?;
    otel_arrow_dfe_otap::crypto::install_crypto_provider()?;
    let config = OtelDataflowSpec::from_yaml(&pipeline(http, grpc, Path::new(folder), is_buffered))?;
    startup::validate_engine_components(&config, &OTAP_PIPELINE_FACTORY)?;
    let options = ControllerRunOptions { handle_os_signals: true, ..Default::default() };
    let ended = Controller::new(&OTAP_PIPELINE_FACTORY).run_forever_with_options(config, options);
    startup::shutdown_console_and_exit(&ended)
}

/// The pipeline on one core.
///
/// With the buffer, the receiver waits for it to have written: that is what its acknowledgement means. Without it there
/// is nothing to wait for, since the Parquet exporter never says that rows have landed; for the same reason the buffer
/// may have everything in flight, or it would stop handing on. Files are ended as often as ours are committed.
fn pipeline(http: &str, grpc: &str, folder: &Path, is_buffered: bool) -> String {
    let (buffer, parquet) = (folder.join("buffer"), folder.join("parquet"));
    let (buffer, parquet) = (buffer.display(), parquet.display());
    let (node, links) = if is_buffered {
        let node = format!(
            r#"
          buffer:
            type: processor:durable_buffer
            config:
              path: "{buffer}"
              retention_size_cap: 100 GiB
              max_in_flight: 100000000"#
        );
        (node, "[{ from: receiver, to: buffer }, { from: buffer, to: exporter }]")
    } else {
        (String::new(), "[{ from: receiver, to: exporter }]")
    };
    format!(
        r#"
version: otel_dataflow/v1
policies:
  resources:
    core_allocation: {{ strategy: core_count, count: 1 }}
engine:
  http_admin: {{ bind_address: "127.0.0.1:0" }}
groups:
  default:
    pipelines:
      main:
        policies:
          channel_capacity:
            control: {{ node: 100, pipeline: 100 }}
            pdata: 128
        nodes:
          receiver:
            type: receiver:otlp
            config:
              protocols:
                http:
                  listening_addr: "{http}"
                  wait_for_result: {is_buffered}
                  max_request_body_size: 64 MiB
                grpc:
                  listening_addr: "{grpc}"
                  wait_for_result: {is_buffered}
                  max_decoding_message_size: 64 MiB{node}
          exporter:
            type: exporter:parquet
            config:
              storage: {{ file: {{ base_uri: "{parquet}" }} }}
              writer_options: {{ target_rows_per_file: 400000, flush_when_older_than: 10s }}
        connections: {links}
"#
    )
}
