//! Values out of nothing: names from syllables, places, numbers, dates. No real person, address or number.
//!
//! Values that are re-keyed must be telling: had ten people the same surname, a measure could not tell copying from
//! chance. So vocabularies are large, save for those that agree by nature (yes and no, today's date, one's own name).
//! Telephone numbers are of the ranges kept for drama; postcodes begin with letters that no postcode begins with.

use std::str::FromStr;

use chrono::{Days, NaiveDate};
use gilbreth_conventions::kind::ValueKind;
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

/// How values of a fact or a field are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Maker {
    /// A family name.
    Surname,
    /// A given name.
    Forename,
    /// The birthday of an adult.
    BirthDate,
    /// A number of the police national computer, by its looks.
    Pnc,
    /// House and street.
    Address,
    /// A postcode, by its looks.
    Postcode,
    /// A telephone number that nobody has.
    Phone,
    /// One of sixty offences.
    Offence,
    /// One of sixty courts.
    Court,
    /// A day of the last three years.
    PastDate,
    /// A whole number of a range.
    Number(u32, u32),
    /// A number with two decimals.
    Score,
    /// A reference number.
    Identifier,
    /// A few words.
    Note,
    /// A paragraph, too long to be digested.
    FreeText,
    /// One of a list, each as likely.
    Choice(Vec<String>),
    /// Yes, mostly, or no: agrees by nature.
    YesNo,
    /// Always the same: agrees by nature.
    Constant(String),
    /// Today's date: agrees by nature.
    Today,
    /// The worker's name: agrees by nature.
    OwnName,
    /// The worker's office: agrees by nature.
    OwnOffice,
}

/// What values depend on beside chance.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The day on which they are made.
    pub today: NaiveDate,
    /// The worker's name.
    pub own_name: &'a str,
    /// The worker's office.
    pub own_office: &'a str,
}

impl FromStr for Maker {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, argument) = text.split_once(':').map_or((text, ""), |(name, argument)| (name, argument.trim()));
        let maker = match name {
            "surname" => Self::Surname,
            "forename" => Self::Forename,
            "birth-date" => Self::BirthDate,
            "pnc" => Self::Pnc,
            "address" => Self::Address,
            "postcode" => Self::Postcode,
            "phone" => Self::Phone,
            "offence" => Self::Offence,
            "court" => Self::Court,
            "past-date" => Self::PastDate,
            "score" => Self::Score,
            "identifier" => Self::Identifier,
            "note" => Self::Note,
            "free-text" => Self::FreeText,
            "yes-no" => Self::YesNo,
            "today" => Self::Today,
            "own-name" => Self::OwnName,
            "own-office" => Self::OwnOffice,
            "number" => return range(argument).ok_or_else(|| format!("'{text}' must be written number: 1..40")),
            "constant" if !argument.is_empty() => return Ok(Self::Constant(argument.to_owned())),
            "choice" if argument.contains('|') => {
                return Ok(Self::Choice(argument.split('|').map(|one| one.trim().to_owned()).collect()));
            }
            _ => return Err(format!("'{text}' is no way to make a value")),
        };
        if argument.is_empty() { Ok(maker) } else { Err(format!("'{name}' takes nothing after it")) }
    }
}

fn range(text: &str) -> Option<Maker> {
    let (low, high) = text.split_once("..")?;
    let (low, high) = (low.parse().ok()?, high.parse().ok()?);
    (low < high).then_some(Maker::Number(low, high))
}

impl Maker {
    /// Whether such values agree between screens without anybody copying anything.
    #[must_use]
    pub fn agrees_by_nature(&self) -> bool {
        matches!(self, Self::YesNo | Self::Constant(_) | Self::Today | Self::OwnName | Self::OwnOffice)
    }

    /// The same value in another form, as people write it: equal once normalised by its kind.
    pub(crate) fn in_another_form(&self, text: &str, rng: &mut ChaCha8Rng) -> String {
        match self {
            Self::BirthDate | Self::PastDate | Self::Today => {
                let form = one_of(rng, &["%Y-%m-%d", "%-d %b %Y", "%-d %B %Y", "%d.%m.%Y", "%-d/%-m/%Y"]);
                NaiveDate::parse_from_str(text, DATE)
                    .map_or_else(|_| text.to_owned(), |day| day.format(form).to_string())
            }
            Self::Phone => match text.strip_prefix('0') {
                Some(rest) if rng.random_bool(0.5) => format!("+44 {rest}"),
                _ => text.replace(' ', ""),
            },
            Self::Postcode | Self::Pnc | Self::Identifier => text.replace([' ', '/'], "").to_lowercase(),
            Self::Number(..) => format!("{text}.0"),
            Self::Score => format!("{text}0"),
            _ if rng.random_bool(0.5) => text.to_uppercase(),
            _ => format!(" {}", text.replacen(' ', "  ", 1)),
        }
    }

    /// How likely two values made independently are to be equal; for names and texts, next to nothing.
    #[must_use]
    pub fn chance_of_agreeing(&self) -> f64 {
        match self {
            Self::YesNo => 0.8 * 0.8 + 0.2 * 0.2,
            Self::Constant(_) | Self::Today | Self::OwnName | Self::OwnOffice => 1.0,
            Self::Choice(list) => 1.0 / list.len() as f64,
            Self::Offence => 1.0 / (OFFENCE_ACTS.len() * OFFENCE_OBJECTS.len()) as f64,
            Self::Court => 1.0 / (COURT_SEATS.len() * COURT_KINDS.len()) as f64,
            Self::Number(low, high) => 1.0 / f64::from(high - low + 1),
            Self::Score => 1.0 / 2_995.0,
            Self::PastDate => 1.0 / 1_095.0,
            Self::BirthDate => 1.0 / 18_400.0,
            Self::Phone => 1.0 / (DRAMA_EXCHANGES.len() * 1_000) as f64,
            Self::Surname | Self::Forename | Self::Pnc | Self::Address | Self::Postcode => 0.0,
            Self::Identifier | Self::Note | Self::FreeText => 0.0,
        }
    }

    /// What kind of value it is to a case system.
    #[must_use]
    pub fn value_kind(&self) -> ValueKind {
        match self {
            Self::Surname | Self::Forename | Self::OwnName => ValueKind::Name,
            Self::BirthDate | Self::PastDate | Self::Today => ValueKind::Date,
            Self::Pnc | Self::Identifier => ValueKind::Identifier,
            Self::Postcode => ValueKind::Postcode,
            Self::Phone => ValueKind::Phone,
            Self::Number(..) | Self::Score => ValueKind::Number,
            Self::Address | Self::Note | Self::FreeText => ValueKind::Text,
            Self::Offence | Self::Court | Self::Choice(_) | Self::YesNo | Self::Constant(_) | Self::OwnOffice => {
                ValueKind::Choice
            }
        }
    }

    /// Makes a value.
    pub fn make(&self, rng: &mut ChaCha8Rng, about: &Circumstances<'_>) -> String {
        match self {
            Self::Surname => capital(&word(rng, 3)),
            Self::Forename => capital(&word(rng, 2)),
            Self::BirthDate => date(before(about.today, rng.random_range(6_600..25_000))),
            Self::PastDate => date(before(about.today, rng.random_range(30..1_125))),
            Self::Today => date(about.today),
            Self::Pnc => {
                let (year, number) = (rng.random_range(70..100), rng.random_range(0..10_000_000));
                format!("{year}/{number:07}{}", letter(rng))
            }
            Self::Identifier => {
                let number = rng.random_range(0..100_000_000);
                format!("{}{}{number:08}", letter(rng), letter(rng))
            }
            Self::Address => {
                let way = ["Street", "Road", "Lane", "Close", "Avenue", "Terrace"];
                format!("{} {} {}", rng.random_range(10..170), capital(&word(rng, 3)), one_of(rng, &way))
            }
            Self::Postcode => {
                let area = one_of(rng, &["Q", "V", "X", "QA", "VE", "XO"]);
                let (district, sector) = (rng.random_range(1..40), rng.random_range(0..10));
                format!("{area}{district} {sector}{}{}", letter(rng), letter(rng))
            }
            Self::Phone => {
                let exchange = one_of(rng, &DRAMA_EXCHANGES);
                format!("{exchange}{:03}", rng.random_range(0..1_000))
            }
            Self::Offence => {
                format!("{} {}", one_of(rng, &OFFENCE_ACTS), one_of(rng, &OFFENCE_OBJECTS))
            }
            Self::Court => {
                let seat = &COURT_SEATS[rng.random_range(0..COURT_SEATS.len())];
                format!("{seat} {}", one_of(rng, &COURT_KINDS))
            }
            Self::Number(low, high) => rng.random_range(*low..=*high).to_string(),
            Self::Score => {
                let hundredths = rng.random_range(5..3_000);
                format!("{}.{:02}", hundredths / 100, hundredths % 100)
            }
            Self::Note => format!(
                "{} {} {} {}",
                one_of(rng, &["rang", "met", "wrote to", "saw", "heard from"]),
                capital(&word(rng, 3)),
                one_of(rng, &["about", "at", "regarding", "near"]),
                capital(&word(rng, 4)),
            ),
            Self::FreeText => paragraph(rng),
            Self::Choice(list) => list.choose(rng).expect("the check wants two at least").clone(),
            Self::YesNo => if rng.random_bool(0.8) { "Yes" } else { "No" }.to_owned(),
            Self::Constant(text) => text.clone(),
            Self::OwnName => about.own_name.to_owned(),
            Self::OwnOffice => about.own_office.to_owned(),
        }
    }
}

const OFFENCE_ACTS: [&str; 6] = ["theft from", "damage to", "assault at", "burglary of", "fraud upon", "trespass at"];
const OFFENCE_OBJECTS: [&str; 10] = [
    "a shop",
    "a dwelling",
    "a vehicle",
    "a school",
    "a warehouse",
    "a station",
    "a market",
    "a farm",
    "a boat",
    "a bank",
];
const COURT_SEATS: [&str; 15] = [
    "Aldermoor",
    "Brackwell",
    "Cotterham",
    "Dunsleigh",
    "Eastholme",
    "Farringley",
    "Garstone",
    "Hexworth",
    "Ilsbury",
    "Kelverton",
    "Lowmarsh",
    "Marsworth",
    "Netherby",
    "Oxcombe",
    "Pendrith",
];
const COURT_KINDS: [&str; 4] = ["Crown Court", "Magistrates", "Youth Court", "Combined Court"];
const DRAMA_EXCHANGES: [&str; 16] = [
    "0113 496 0",
    "0114 496 0",
    "0115 496 0",
    "0116 496 0",
    "0117 496 0",
    "0118 496 0",
    "0121 496 0",
    "0131 496 0",
    "0141 496 0",
    "0151 496 0",
    "0161 496 0",
    "0191 498 0",
    "020 7946 0",
    "029 2018 0",
    "01632 960",
    "07700 900",
];
const ONSETS: [&str; 24] = [
    "b", "br", "c", "d", "dr", "f", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "pr", "r", "s", "st", "t", "tr", "v",
    "w", "th",
];
const VOWELS: [&str; 8] = ["a", "e", "i", "o", "u", "ea", "ow", "ai"];
const CODAS: [&str; 12] = ["", "l", "n", "r", "s", "t", "m", "nd", "rt", "ck", "lf", "sk"];

fn one_of<'a>(rng: &mut ChaCha8Rng, list: &[&'a str]) -> &'a str {
    list[rng.random_range(0..list.len())]
}

fn letter(rng: &mut ChaCha8Rng) -> char {
    char::from(b"ABCDEFGHJKLMNPQRSTUVWXYZ"[rng.random_range(0..24)])
}

/// A pronounceable word; of two syllables there are more than four hundred thousand.
pub(crate) fn word(rng: &mut ChaCha8Rng, syllables: usize) -> String {
    let mut word = String::with_capacity(syllables * 4);
    for _ in 0..syllables {
        word.push_str(one_of(rng, &ONSETS));
        word.push_str(one_of(rng, &VOWELS));
    }
    word.push_str(one_of(rng, &CODAS));
    word
}

pub(crate) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn paragraph(rng: &mut ChaCha8Rng) -> String {
    let chars = rng.random_range(150..520);
    let mut text = capital(&word(rng, 2));
    while text.chars().count() < chars {
        let syllables = rng.random_range(1..4);
        text.push(' ');
        text.push_str(&word(rng, syllables));
    }
    text.push('.');
    text
}

fn before(today: NaiveDate, days: u64) -> NaiveDate {
    today.checked_sub_days(Days::new(days)).expect("options bound the start of a simulation")
}

const DATE: &str = "%d/%m/%Y";

fn date(day: NaiveDate) -> String {
    day.format(DATE).to_string()
}

/// A text with one letter or digit wrong.
pub(crate) fn mistyped(text: &str, rng: &mut ChaCha8Rng) -> String {
    let letters: Vec<char> = text.chars().collect();
    let places: Vec<usize> = (0..letters.len()).filter(|place| letters[*place].is_ascii_alphanumeric()).collect();
    let Some(&wrong) = places.choose(rng) else { return format!("{text}x") };
    let next = match letters[wrong] {
        '9' => '0',
        'z' => 'a',
        'Z' => 'A',
        letter => char::from(letter as u8 + 1),
    };
    letters.iter().enumerate().map(|(place, letter)| if place == wrong { next } else { *letter }).collect()
}
