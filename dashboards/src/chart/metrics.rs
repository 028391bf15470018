//! How much room a text takes. The style sheet asks for Arial, Helvetica or Liberation Sans, which have the same advance
//! widths; a viewer that has none of them shows another, often DejaVu Sans, which is wider. Each character is given the room
//! of the wider of the two, so that nothing is cut off in either.

const UNITS_PER_EM: f64 = 2048.0;

/// Weight of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// As in running text.
    Regular,
    /// For headings and totals.
    Bold,
}

/// The most that `text` is wide, in pixels at `size` pixels.
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

/// `text` in at most so many lines that are no wider than `room`: broken between words, and within a word that has no room
/// on a line of its own. What is too long even so is cut with an ellipsis.
pub(crate) fn wrap(text: &str, room: f64, lines_max: usize, size: f64, weight: Weight) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while lines.len() + 1 < lines_max && width(rest, size, weight) > room {
        let end = broken(rest, room, size, weight);
        lines.push(rest[..end].trim_end().to_owned());
        rest = rest[end..].trim_start();
    }
    lines.push(fit(rest, room, size, weight));
    lines
}

/// Where the first line of `text`, which is wider than `room`, ends: a character at least is on it.
fn broken(text: &str, room: f64, size: f64, weight: Weight) -> usize {
    let mut used = 0.0;
    let mut space = None;
    for (at, c) in text.char_indices() {
        if c == ' ' && at > 0 {
            space = Some(at);
        }
        used += advance(c, weight) * size / UNITS_PER_EM;
        if used > room {
            return space.unwrap_or(at.max(c.len_utf8()));
        }
    }
    text.len()
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
        0x2018 | 0x2019 => 778,
        0x203a => 844,
        0x2212 => 1716,
        // Nine in ten of these letters are no wider.
        0x100..=0x5ff => 2000,
        _ => 2048,
    };
    f64::from(units)
}

// Advances of U+0020 to U+007E, then U+00A0 to U+00FF, in units of 1/2048 em: the greater of those of Liberation Sans (SIL
// Open Font License 1.1) and of DejaVu Sans (Bitstream Vera licence).
const REGULAR: [u16; 191] = [
    651, 821, 942, 1716, 1303, 1946, 1597, 563, 799, 799, 1024, 1716, 651, 739, 651, 690, 1303, 1303, 1303, 1303, 1303,
    1303, 1303, 1303, 1303, 1303, 690, 690, 1716, 1716, 1716, 1139, 2079, 1401, 1405, 1479, 1577, 1366, 1251, 1593,
    1540, 604, 1024, 1366, 1141, 1767, 1532, 1612, 1366, 1612, 1479, 1366, 1251, 1499, 1401, 2025, 1403, 1366, 1403,
    799, 690, 799, 1716, 1139, 1024, 1255, 1300, 1126, 1300, 1260, 721, 1300, 1298, 569, 569, 1186, 569, 1995, 1298,
    1253, 1300, 1300, 842, 1067, 803, 1298, 1212, 1675, 1212, 1212, 1075, 1303, 690, 1303, 1716, 651, 821, 1303, 1303,
    1303, 1303, 690, 1139, 1024, 2048, 965, 1253, 1716, 739, 2048, 1131, 1024, 1716, 821, 821, 1024, 1303, 1303, 651,
    1024, 821, 965, 1253, 1985, 1985, 1985, 1251, 1401, 1401, 1401, 1401, 1401, 1401, 2048, 1479, 1366, 1366, 1366,
    1366, 604, 604, 604, 604, 1587, 1532, 1612, 1612, 1612, 1612, 1612, 1716, 1612, 1499, 1499, 1499, 1499, 1366, 1366,
    1290, 1255, 1255, 1255, 1255, 1255, 1255, 2011, 1126, 1260, 1260, 1260, 1260, 569, 569, 569, 569, 1253, 1298, 1253,
    1253, 1253, 1253, 1253, 1716, 1253, 1298, 1298, 1298, 1298, 1212, 1300, 1212,
];

const BOLD: [u16; 191] = [
    713, 934, 1067, 1716, 1425, 2052, 1786, 627, 936, 936, 1071, 1716, 778, 850, 778, 748, 1425, 1425, 1425, 1425,
    1425, 1425, 1425, 1425, 1425, 1425, 819, 819, 1716, 1716, 1716, 1251, 2048, 1585, 1561, 1503, 1700, 1399, 1399,
    1681, 1714, 762, 1139, 1587, 1305, 2038, 1714, 1741, 1501, 1741, 1577, 1475, 1397, 1663, 1585, 2259, 1579, 1483,
    1485, 936, 748, 936, 1716, 1139, 1024, 1382, 1466, 1214, 1466, 1389, 891, 1466, 1458, 702, 702, 1362, 702, 2134,
    1458, 1407, 1466, 1466, 1010, 1219, 979, 1458, 1335, 1892, 1321, 1335, 1192, 1458, 748, 1458, 1716, 713, 934, 1425,
    1425, 1303, 1425, 748, 1139, 1024, 2048, 1155, 1323, 1716, 850, 2048, 1131, 1024, 1716, 897, 897, 1024, 1507, 1303,
    778, 1024, 897, 1155, 1323, 2120, 2120, 2120, 1251, 1585, 1585, 1585, 1585, 1585, 1585, 2222, 1503, 1399, 1399,
    1399, 1399, 762, 762, 762, 762, 1716, 1714, 1741, 1741, 1741, 1741, 1741, 1716, 1741, 1663, 1663, 1663, 1663, 1483,
    1511, 1473, 1382, 1382, 1382, 1382, 1382, 1382, 2146, 1214, 1389, 1389, 1389, 1389, 702, 702, 702, 702, 1407, 1458,
    1407, 1407, 1407, 1407, 1407, 1716, 1407, 1458, 1458, 1458, 1458, 1335, 1466, 1335,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_room_that_it_takes_in_either_font() {
        // As a browser lays them out at 2048 pixels: in Liberation Sans, in DejaVu Sans.
        let check = |text: &str, weight, liberation: u32, dejavu: u32| {
            let width = width(text, 2048.0, weight);
            assert!(width >= f64::from(liberation.max(dejavu)), "{text}: {width}");
            assert!(width <= f64::from(liberation.max(dejavu)) * 1.03, "{text} is given more than it needs: {width}");
        };
        check("Say what is accepted before it is rejected", Weight::Regular, 37_225, 42_485);
        check("ndelius › Personal details › Date of birth", Weight::Regular, 35_858, 40_839);
        check("1,234.567", Weight::Regular, 9_111, 10_423);
        check("1,234.567", Weight::Bold, 9_111, 11_531);
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

    #[test]
    fn lines_are_broken_between_words_and_lose_nothing_that_has_room() {
        let wrapped = |text: &str, room: f64, lines_max| wrap(text, room, lines_max, 14.0, Weight::Regular);
        assert_eq!(wrapped("short", 400.0, 3), ["short"]);
        assert_eq!(wrapped("", 400.0, 3), [""]);
        let name = "the name of a screen";
        let lines = wrapped(name, 70.0, 9);
        assert!(lines.len() > 1 && lines.join(" ") == name, "{lines:?}");
        let word = "w".repeat(40);
        let lines = wrapped(&word, 100.0, 9);
        assert!(lines.len() > 1 && lines.concat() == word, "{lines:?}");
        for text in [name, &word, "ééé éééééééééé", " led by a space"] {
            for room in [0.5, 20.0, 60.0, 100.0] {
                let lines = wrapped(text, room, 3);
                assert!(lines.len() <= 3, "{lines:?}");
                let widest = lines.iter().map(|line| width(line, 14.0, Weight::Regular)).fold(0.0, f64::max);
                assert!(widest <= room || room < 20.0, "{lines:?} in {room}");
            }
        }
    }
}
