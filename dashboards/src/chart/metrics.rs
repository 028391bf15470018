//! How wide a text is. Labels are placed by the advance widths of Liberation Sans (SIL Open Font License 1.1), which
//! Arial and Helvetica share, and the style sheet asks for fonts of these metrics: what is measured here is what shows.

const UNITS_PER_EM: f64 = 2048.0;

/// Weight of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// As in running text.
    Regular,
    /// For headings and totals.
    Bold,
}

/// Width of `text` in pixels at `size` pixels.
pub(crate) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    text.chars().map(|c| advance(c, weight)).sum::<f64>() * size / UNITS_PER_EM
}

/// `text`, cut with an ellipsis so that it is no wider than `room`.
pub(crate) fn fit(text: &str, room: f64, size: f64, weight: Weight) -> String {
    if width(text, size, weight) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = advance('…', weight) * size / UNITS_PER_EM;
    for c in text.chars() {
        used += advance(c, weight) * size / UNITS_PER_EM;
        if used > room {
            break;
        }
        kept.push(c);
    }
    format!("{}…", kept.trim_end())
}

fn advance(c: char, weight: Weight) -> f64 {
    let table = match weight {
        Weight::Regular => &REGULAR,
        Weight::Bold => &BOLD,
    };
    let code = c as usize;
    let units = match code {
        0x20..=0x7e => table[code - 0x20],
        0xa0..=0xff => table[code - 0xa0 + 95],
        0x300..=0x36f | 0x200b..=0x200f => 0,
        0x2013 => 1139,
        0x2018 | 0x2019 => 569,
        0x2212 => 1196,
        0x100..=0x5ff => 1366,
        _ => 2048,
    };
    f64::from(units)
}

// Advances of U+0020 to U+007E, then U+00A0 to U+00FF, in units of 1/2048 em.
const REGULAR: [u16; 191] = [
    569, 569, 727, 1139, 1139, 1821, 1366, 391, 682, 682, 797, 1196, 569, 682, 569, 569, 1139, 1139, 1139, 1139, 1139,
    1139, 1139, 1139, 1139, 1139, 569, 569, 1196, 1196, 1196, 1139, 2079, 1366, 1366, 1479, 1479, 1366, 1251, 1593,
    1479, 569, 1024, 1366, 1139, 1706, 1479, 1593, 1366, 1593, 1479, 1366, 1251, 1479, 1366, 1933, 1366, 1366, 1251,
    569, 569, 569, 961, 1139, 682, 1139, 1139, 1024, 1139, 1139, 569, 1139, 1139, 455, 455, 1024, 455, 1706, 1139,
    1139, 1139, 1139, 682, 1024, 569, 1139, 1024, 1479, 1024, 1024, 1024, 684, 532, 684, 1196, 569, 682, 1139, 1139,
    1139, 1139, 532, 1139, 682, 1509, 758, 1139, 1196, 682, 1509, 1131, 819, 1124, 682, 682, 682, 1180, 1100, 569, 682,
    682, 748, 1139, 1708, 1708, 1708, 1251, 1366, 1366, 1366, 1366, 1366, 1366, 2048, 1479, 1366, 1366, 1366, 1366,
    569, 569, 569, 569, 1479, 1479, 1593, 1593, 1593, 1593, 1593, 1196, 1593, 1479, 1479, 1479, 1479, 1366, 1366, 1251,
    1139, 1139, 1139, 1139, 1139, 1139, 1821, 1024, 1139, 1139, 1139, 1139, 569, 569, 569, 569, 1139, 1139, 1139, 1139,
    1139, 1139, 1139, 1124, 1251, 1139, 1139, 1139, 1139, 1024, 1139, 1024,
];

const BOLD: [u16; 191] = [
    569, 682, 971, 1139, 1139, 1821, 1479, 487, 682, 682, 797, 1196, 569, 682, 569, 569, 1139, 1139, 1139, 1139, 1139,
    1139, 1139, 1139, 1139, 1139, 682, 682, 1196, 1196, 1196, 1251, 1997, 1479, 1479, 1479, 1479, 1366, 1251, 1593,
    1479, 569, 1139, 1479, 1251, 1706, 1479, 1593, 1366, 1593, 1479, 1366, 1251, 1479, 1366, 1933, 1366, 1366, 1251,
    682, 569, 682, 1196, 1139, 682, 1139, 1251, 1139, 1251, 1139, 682, 1251, 1251, 569, 569, 1139, 569, 1821, 1251,
    1251, 1251, 1251, 797, 1139, 682, 1251, 1139, 1593, 1139, 1139, 1024, 797, 573, 797, 1196, 569, 682, 1139, 1139,
    1139, 1139, 573, 1139, 682, 1509, 758, 1139, 1196, 682, 1509, 1131, 819, 1124, 682, 682, 682, 1180, 1139, 569, 682,
    682, 748, 1139, 1708, 1708, 1708, 1251, 1479, 1479, 1479, 1479, 1479, 1479, 2048, 1479, 1366, 1366, 1366, 1366,
    569, 569, 569, 569, 1479, 1479, 1593, 1593, 1593, 1593, 1593, 1196, 1593, 1479, 1479, 1479, 1479, 1366, 1366, 1251,
    1139, 1139, 1139, 1139, 1139, 1139, 1821, 1139, 1139, 1139, 1139, 1139, 569, 569, 569, 569, 1251, 1251, 1251, 1251,
    1251, 1251, 1251, 1124, 1251, 1251, 1251, 1251, 1251, 1139, 1251, 1139,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        assert!((width("Hello", 2048.0, Weight::Regular) - f64::from(1479 + 1139 + 455 + 455 + 1139)).abs() < 1e-9);
        assert!(width("Wide", 14.0, Weight::Bold) > width("Wide", 14.0, Weight::Regular));
    }

    #[test]
    fn what_is_cut_fits() {
        let long = "a very long name of a screen that no chart has room for";
        for room in [20.0, 60.0, 120.0, 400.0] {
            assert!(width(&fit(long, room, 14.0, Weight::Regular), 14.0, Weight::Regular) <= room);
        }
        assert_eq!(fit("short", 400.0, 14.0, Weight::Regular), "short");
    }
}
