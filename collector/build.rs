//! Packs the browser agent as it is served: comments and white space go, locals get short names, and what is left is
//! compressed once, here, as tightly as gzip goes, instead of for each page.

use std::{env, fs, io, path::Path};

use oxc_allocator::Allocator;
use oxc_codegen::{Codegen, CodegenOptions};
use oxc_minifier::{ManglePropertiesOptions, Minifier, MinifierOptions};
use oxc_parser::Parser;
use oxc_span::SourceType;

const SOURCE: &str = "agent/agent.js";
/// Fields of the agent's own records, which neither a page, nor a browser, nor storage knows by name.
const OWN_FIELDS: &str = "^(before|changed|continues|corrections|freed|isIgnored|last|of|outcome|pending|saves)$";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=build.rs");
    let packed = pack(&fs::read_to_string(SOURCE)?);
    let mut compressed = Vec::new();
    zopfli::compress(zopfli::Options::default(), zopfli::Format::Gzip, packed.as_bytes(), &mut compressed)?;
    let to = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&to).join("agent.js"), packed)?;
    fs::write(Path::new(&to).join("agent.js.gz"), compressed)
}

fn pack(source: &str) -> String {
    let allocator = Allocator::default();
    let mut parsed = Parser::new(&allocator, source, SourceType::script()).parse();
    assert!(parsed.diagnostics.is_empty(), "{SOURCE}: {:?}", parsed.diagnostics);
    let own = ManglePropertiesOptions::from_pattern(OWN_FIELDS).expect("the pattern is one");
    let options = MinifierOptions { mangle_properties: Some(own), ..MinifierOptions::default() };
    let minified = Minifier::new(options).minify(&allocator, &mut parsed.program);
    Codegen::new().with_options(CodegenOptions::minify()).with_scoping(minified.scoping).build(&parsed.program).code
}
