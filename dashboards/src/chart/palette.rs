//! The colours of charts, and the class that stands for each. The order is fixed: each colour has a contrast of 3:1
//! to white and to its neighbours in the list, for readers who tell colours apart by lightness alone.

use plotters::style::RGBColor;

/// Colours of series, in the only order in which they may be used.
pub(crate) const SERIES: [RGBColor; 6] = [
    RGBColor(0x12, 0x43, 0x6d),
    RGBColor(0x28, 0xa1, 0x97),
    RGBColor(0x80, 0x16, 0x50),
    RGBColor(0xf4, 0x6a, 0x25),
    RGBColor(0x3d, 0x3d, 0x3d),
    RGBColor(0xa2, 0x85, 0xd1),
];
/// Text.
pub(crate) const INK: RGBColor = RGBColor(0x0b, 0x0c, 0x0c);
/// Lesser text: axis labels.
pub(crate) const QUIET: RGBColor = RGBColor(0x50, 0x5a, 0x5f);
/// Grid lines.
pub(crate) const GRID: RGBColor = RGBColor(0xd8, 0xdc, 0xdf);
/// The ground.
pub(crate) const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);

const CLASSES: [(RGBColor, &str); 10] = [
    (SERIES[0], "1"),
    (SERIES[1], "2"),
    (SERIES[2], "3"),
    (SERIES[3], "4"),
    (SERIES[4], "5"),
    (SERIES[5], "6"),
    (INK, "ink"),
    (QUIET, "quiet"),
    (GRID, "grid"),
    (PAPER, "paper"),
];

/// The class of a colour of the palette, without the `f-` (fill) or `s-` (stroke) that comes before it.
pub(crate) fn class(color: RGBColor) -> Option<&'static str> {
    CLASSES.iter().find(|(known, _)| *known == color).map(|(_, class)| *class)
}

/// The rules of all classes: part of the style sheet of pages, and of each figure that stands alone.
pub(crate) fn style() -> String {
    let mut css = String::from(
        ".chart text{font-family:Arial,\"Liberation Sans\",Arimo,Helvetica,sans-serif;font-variant-numeric:tabular-nums}\n",
    );
    for (RGBColor(r, g, b), class) in CLASSES {
        css.push_str(&format!(
            ".f-{class}{{fill:#{r:02x}{g:02x}{b:02x}}}.s-{class}{{fill:none;stroke:#{r:02x}{g:02x}{b:02x}}}\n"
        ));
    }
    css
}
