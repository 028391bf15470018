//! Packs the browser agent and its notice as they are served: comments and white space go, locals get short names, and what is left is
//! compressed once, here, as tightly as gzip goes, instead of for each page.

use std::{env, fs, io, path::Path};

use oxc_allocator::Allocator;
use oxc_codegen::{Codegen, CodegenOptions};
use oxc_minifier::{ManglePropertiesOptions, Minifier, MinifierOptions};
use oxc_parser::Parser;
use oxc_span::SourceType;

/// Fields of the agent's own records, which neither a page, nor a browser, nor storage knows by name.
const OWN_FIELDS: &str = "^(before|held|called|changed|continues|corrections|drawing|errand|freed|header|isIgnored|isSecret|keystrokes|last|means|of|outcome|pending|place|saves|since|takes|traced)$";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let to = env::var("OUT_DIR").map_err(io::Error::other)?;
    for name in ["agent.js", "notice.js"] {
        let source = format!("agent/{name}");
        println!("cargo::rerun-if-changed={source}");
        let packed = pack(&source, &fs::read_to_string(&source)?);
        let mut compressed = Vec::new();
        zopfli::compress(zopfli::Options::default(), zopfli::Format::Gzip, packed.as_bytes(), &mut compressed)?;
        fs::write(Path::new(&to).join(name), packed)?;
        fs::write(Path::new(&to).join(format!("{name}.gz")), compressed)?;
    }
    Ok(())
}

fn pack(name: &str, source: &str) -> String {
    let allocator = Allocator::default();
    let mut parsed = Parser::new(&allocator, source, SourceType::script()).parse();
    assert!(parsed.diagnostics.is_empty(), "{name}: {:?}", parsed.diagnostics);
    let own = ManglePropertiesOptions::from_pattern(OWN_FIELDS).expect("the pattern is one");
    let options = MinifierOptions { mangle_properties: Some(own), ..MinifierOptions::default() };
    let minified = Minifier::new(options).minify(&allocator, &mut parsed.program);
    Codegen::new().with_options(CodegenOptions::minify()).with_scoping(minified.scoping).build(&parsed.program).code
}
