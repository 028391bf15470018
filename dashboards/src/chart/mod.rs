//! Charts as accessible SVG: a drawing of findings, a title, and a description that says in words what it shows.
//! Each is drawn twice, wide and narrow, because a picture that is merely scaled down cannot be read on a telephone.

mod backend;
mod bars;
mod matrix;
mod metrics;
mod palette;

pub(crate) use bars::{Bar, Chart as BarChart, bars};
pub(crate) use matrix::{Grid, matrix};

use backend::escape;

/// The width for which a chart is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// For desks and paper.
    Wide,
    /// For telephones.
    Narrow,
}

impl Layout {
    /// Width in pixels.
    pub(crate) fn width(self) -> u32 {
        match self {
            Self::Wide => 920,
            Self::Narrow => 358,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }
}

/// A drawn chart.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// Name, as in `figures/NAME.svg`.
    pub(crate) name: &'static str,
    /// What is shown.
    pub(crate) title: String,
    /// What it says, in words.
    pub(crate) description: String,
    layout: Layout,
    size: (u32, u32),
    marks: String,
}

impl Figure {
    /// Whether it needs more room across than the page that it is drawn for may have.
    pub(crate) fn is_wider_than_its_page(&self) -> bool {
        self.size.0 > self.layout.width()
    }

    /// The SVG for a page, whose style sheet has the rules of [`style`].
    pub(crate) fn inline(&self) -> String {
        self.framed("")
    }

    /// The SVG as a file of its own, with its rules inside.
    pub(crate) fn standalone(&self) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}",
            self.framed(&format!(
                "<style>{}</style>\n<rect class=\"f-paper\" width=\"100%\" height=\"100%\"/>\n",
                palette::style()
            ))
        )
    }

    fn framed(&self, before: &str) -> String {
        let Self { name, layout, size: (width, height), marks, .. } = self;
        let (layout, title, description) = (layout.name(), escape(&self.title), escape(&self.description));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart chart-{layout}\" role=\"img\" lang=\"en-GB\" \
             viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             aria-labelledby=\"{name}-{layout}-title {name}-{layout}-desc\">\n\
             <title id=\"{name}-{layout}-title\">{title}</title>\n\
             <desc id=\"{name}-{layout}-desc\">{description}</desc>\n{before}{marks}</svg>\n"
        )
    }
}

/// The rules for the marks of charts, for the style sheet of a page.
pub(crate) fn style() -> String {
    palette::style()
}

#[cfg(test)]
mod tests;
