//! What is kept of the whole estate: names by number, and counts.

use std::sync::Arc;

use super::{field_spans::Place, matching::Counts};
use crate::operators::{
    encoding::{Decoder, Encoder, Torn},
    hashing::FastSet,
    matcher::{
        agree::Value,
        case::Agreement,
        chance::Tallies,
        hits::{HitCount, HitCounts},
        output::CaseCounts,
    },
};

/// What is kept of the whole estate.
#[derive(Debug, Default)]
pub struct Estate {
    /// The hashes of workers.
    pub workers: Vec<u64>,
    /// Where entries go and views look.
    pub places: Vec<Place>,
    /// Values that were ever looked at.
    pub values: Arc<Vec<Value>>,
    /// Places of which values have parts.
    pub with_parts: FastSet<u32>,
    /// Counts, with numbers of the above.
    pub counts: Counts,
}

impl Estate {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Encoder::default();
        to.column(self.workers.iter().copied());
        for part in 0..3 {
            to.texts(self.places.iter().map(|place| place[part].as_deref()));
        }
        to.column(self.values.iter().map(|value| value.digest));
        to.lists(self.values.iter().map(|value| value.parts.as_slice()));
        to.column(self.with_parts.iter().copied());
        let Counts { tallies, hits, cases } = &self.counts;
        to.column(cases.fields.iter().copied());
        to.column(cases.screens.iter().copied());
        let of_values: Vec<&[HitCount]> = (0..hits.values() as u32).map(|value| hits.of(value)).collect();
        to.column(of_values.iter().map(|counts| counts.len() as u32));
        let counts: Vec<&HitCount> = of_values.iter().copied().flatten().collect();
        to.column(counts.iter().map(|count| count.kind as u8));
        to.column(counts.iter().map(|count| count.from));
        to.column(counts.iter().map(|count| count.cases));
        tallies.encode(&mut to);
        to.into_bytes()
    }

    /// From bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Torn> {
        let mut from = Decoder::new(bytes);
        let workers = from.column()?.to_vec();
        let [systems, screens, fields] = [from.texts()?, from.texts()?, from.texts()?];
        let places = systems.into_iter().zip(screens).zip(fields).map(|((a, b), c)| [a, b, c]).collect();
        let (digests, parts) = (from.column()?, from.lists()?);
        let values = digests.iter().enumerate();
        let values = values.map(|(place, digest)| Value { digest, parts: parts.get(place).collect() }).collect();
        let with_parts = from.column()?.iter().collect();
        let cases = CaseCounts { fields: from.column()?.to_vec(), screens: from.column()?.to_vec() };
        let (lengths, kinds) = (from.column::<u32>()?, from.column::<u8>()?);
        let (sources, cases_of) = (from.column::<u32>()?, from.column::<u32>()?);
        let counts =
            kinds.iter().zip(sources.iter()).zip(cases_of.iter()).map(|((kind, from), cases)| {
                Ok(HitCount { kind: Agreement::of_number(kind).ok_or(Torn)?, from, cases })
            });
        let hits = HitCounts::new(lengths.iter(), counts.collect::<Result<_, _>>()?);
        let tallies = Tallies::decode(&mut from)?;
        let counts = Counts { tallies, hits, cases };
        Ok(Self { workers, places, values: Arc::new(values), with_parts, counts })
    }
}
