//! A drawing backend for plotters that writes accessible SVG. The backend that comes with plotters scales fonts by
//! 1/1.24, guesses text widths by the byte, and has no title, description, role or view box. This one writes marks
//! with classes instead of colours (so that one style sheet serves screen and print), measures text by real advance
//! widths, anchors it where it belongs, and escapes it. [`super::Figure`] puts the frame around the marks.

use std::convert::Infallible;
use std::fmt::Write;

use plotters::style::RGBColor;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
    FontTransform,
};

use super::metrics::{self, Weight};
use super::palette;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// Writes SVG marks to a string.
pub(crate) struct Svg<'a> {
    marks: &'a mut String,
    size: (u32, u32),
}

impl<'a> Svg<'a> {
    /// A drawing of `size` pixels whose marks are added to `marks`.
    pub(crate) fn new(marks: &'a mut String, size: (u32, u32)) -> Self {
        Self { marks, size }
    }

    fn mark(&mut self, mark: std::fmt::Arguments<'_>) {
        self.marks.write_fmt(mark).expect("a string takes all that is written");
        self.marks.push('\n');
    }
}

impl DrawingBackend for Svg<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, at: BackendCoord, color: BackendColor) -> Drawn {
        self.draw_rect(at, (at.0 + 1, at.1 + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        let paint = Paint::of(style.color(), "s");
        self.mark(format_args!(r#"<line x1="{}" y1="{}" x2="{}" y2="{}" {paint}/>"#, from.0, from.1, to.0, to.1));
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Drawn {
        let paint = Paint::of(style.color(), if fill { "f" } else { "s" });
        let (x, y) = (from.0.min(to.0), from.1.min(to.1));
        let (width, height) = ((from.0 - to.0).abs(), (from.1 - to.1).abs());
        self.mark(format_args!(r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" {paint}/>"#));
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let paint = Paint::of(style.color(), "s");
        let points = points(path);
        self.mark(format_args!(r#"<polyline points="{points}" {paint}/>"#));
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, at: BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        let paint = Paint::of(style.color(), if fill { "f" } else { "s" });
        self.mark(format_args!(r#"<circle cx="{}" cy="{}" r="{radius}" {paint}/>"#, at.0, at.1));
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let paint = Paint::of(style.color(), "f");
        let points = points(path);
        self.mark(format_args!(r#"<polygon points="{points}" {paint}/>"#));
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        let size = style.size();
        let anchor = match style.anchor().h_pos {
            HPos::Left => "start",
            HPos::Center => "middle",
            HPos::Right => "end",
        };
        // Capitals of the font are 0.72 em high and its descenders 0.21 em deep; base lines are set by these, since
        // viewers differ in how they take `dominant-baseline`.
        let base = match style.anchor().v_pos {
            VPos::Top => 0.76,
            VPos::Center => 0.35,
            VPos::Bottom => -0.21,
        } * size;
        let (x, y) = (f64::from(at.0), f64::from(at.1));
        let (place, turn) = match style.transform() {
            FontTransform::None => (format!(r#"x="{x}" y="{:.1}""#, y + base), String::new()),
            turned => {
                let degrees = match turned {
                    FontTransform::Rotate90 => 90,
                    FontTransform::Rotate180 => 180,
                    FontTransform::Rotate270 | FontTransform::None => 270,
                };
                (format!(r#"x="0" y="{base:.1}""#), format!(r#" transform="translate({x} {y}) rotate({degrees})""#))
            }
        };
        let paint = Paint::of(style.color(), "f");
        let bold = if matches!(style.style(), FontStyle::Bold) { r#" font-weight="700""# } else { "" };
        let text = escape(text);
        self.mark(format_args!(
            r#"<text {place}{turn} font-size="{size:.0}" text-anchor="{anchor}"{bold} {paint}>{text}</text>"#
        ));
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let weight = if matches!(style.style(), FontStyle::Bold) { Weight::Bold } else { Weight::Regular };
        let size = style.size();
        Ok((metrics::width(text, size, weight).ceil() as u32, size.ceil() as u32))
    }
}

/// A class for a colour of the palette; other colours are written as they are.
struct Paint {
    attribute: String,
}

impl Paint {
    fn of(color: BackendColor, use_: &str) -> Self {
        let (r, g, b) = color.rgb;
        let mut attribute = match palette::class(RGBColor(r, g, b)) {
            Some(class) => format!(r#"class="{use_}-{class}""#),
            None if use_ == "f" => format!(r##"fill="#{r:02x}{g:02x}{b:02x}""##),
            None => format!(r##"fill="none" stroke="#{r:02x}{g:02x}{b:02x}""##),
        };
        if color.alpha < 0.999 {
            let name = if use_ == "f" { "fill-opacity" } else { "stroke-opacity" };
            let _ = write!(attribute, r#" {name}="{:.2}""#, color.alpha);
        }
        Self { attribute }
    }
}

impl std::fmt::Display for Paint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.attribute)
    }
}

fn points(path: impl IntoIterator<Item = BackendCoord>) -> String {
    let points: Vec<String> = path.into_iter().map(|(x, y)| format!("{x},{y}")).collect();
    points.join(" ")
}

/// Text as XML character data; what XML cannot hold becomes the replacement character.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
